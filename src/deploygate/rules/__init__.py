"""What an inventory may not say: all rules, asked of a whole inventory at once."""

from deploygate.document import Document
from deploygate.findings import Finding
from deploygate.inventory import Inventory
from deploygate.rules import (
    balancers,
    chains,
    drivers,
    instances,
    interfaces,
    machines,
    neighbours,
    people,
    probes,
    releases,
    times,
    waivers,
    waves,
    workflows,
)
from deploygate.rules.catalogue import RULES, WAIVABLE, severity_of
from deploygate.rules.complaint import Complaint, Rule

__all__ = ["RULES", "WAIVABLE", "check_rules", "severity_of"]

_DEFAULTS = frozenset({"defaults"})
_ALL = (
    Rule(people.unknown_person, frozenset({"people"})),
    Rule(probes.min_healthy, _DEFAULTS),
    Rule(probes.never_passes, _DEFAULTS),
    Rule(probes.probe_timeout, _DEFAULTS),
    Rule(probes.health_expect, _DEFAULTS),
    Rule(probes.blind_probe, _DEFAULTS),
    Rule(times.stop_grace, _DEFAULTS),
    Rule(times.drain_time, _DEFAULTS),
    Rule(times.job_limit, _DEFAULTS | {"limits"}),
    Rule(drivers.absolute_root),
    Rule(drivers.host_without_ssh),
    Rule(drivers.timeout_grace),
    Rule(machines.same_root),
    Rule(machines.same_unit),
    Rule(workflows.workflow_begin),
    Rule(workflows.workflow_identity, _DEFAULTS),
    Rule(workflows.workflow_input),
    Rule(balancers.idle_balancer, frozenset({"environments"})),
    Rule(balancers.same_file),
    Rule(instances.same_name),
    Rule(instances.same_address),
    Rule(instances.shared_address),
    Rule(instances.unknown_environment, frozenset({"environments"})),
    Rule(instances.production_last, frozenset({"environments"})),
    Rule(instances.single_instance),
    Rule(instances.no_twin),
    Rule(instances.floor, _DEFAULTS),
    Rule(waves.first_wave, _DEFAULTS),
    Rule(waves.waves_floor, _DEFAULTS),
    Rule(instances.shared_host),
    Rule(interfaces.changed_in_place),
    Rule(releases.rollback_reason),
    Rule(interfaces.unprovided, frozenset({"services"})),
    Rule(neighbours.stranded_release, frozenset({"services"})),
    Rule(neighbours.removable_interface, frozenset({"services"})),
    Rule(neighbours.interface_circle, frozenset({"services"})),
    Rule(chains.unknown_service, frozenset({"services"})),
    Rule(chains.chain_source),
    Rule(chains.chain_sink),
    Rule(waivers.unfit_waivers),
)


def check_rules(inventory: Inventory, document: Document, unread: frozenset[str]) -> tuple[Finding, ...]:
    """Return all breaches; rules that need a part of the document that could not be read are not asked."""
    complaints: tuple[Complaint, ...] = tuple(
        complaint for rule in _ALL if not rule.needs & unread for complaint in rule.breaches(inventory, document)
    )
    findings = tuple(waivers.judged(inventory, complaint) for complaint in complaints)
    idle = () if unread else tuple(waivers.idle_waivers(inventory, document, complaints))
    return (*findings, *idle)
