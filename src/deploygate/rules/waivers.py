"""Waivers: a rule that a service may break, for a reason that every run repeats."""

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches

from deploygate.document import Document
from deploygate.findings import Finding, Severity
from deploygate.inventory import Inventory
from deploygate.rules.catalogue import RULES, WAIVABLE, severity_of
from deploygate.rules.complaint import Complaint
from deploygate.wording import plain, quoted


def judged(inventory: Inventory, complaint: Complaint) -> Finding:
    """Return the finding; where its service waives the rule it is of the next lower severity, and gives the reason."""
    severity = severity_of(complaint.rule)
    finding = Finding(complaint.rule, complaint.where, complaint.says, complaint.help, severity)
    if complaint.service is None or complaint.rule not in WAIVABLE:
        return finding
    reason = inventory.services[complaint.service].waive.get(complaint.rule)
    if reason is None:
        return finding
    waived = Severity.WARNING if severity is Severity.ERROR else Severity.NOTE
    return replace(finding, says=f"{complaint.says} (waived: {plain(reason, 2000)})", severity=waived)


def unfit_waivers(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find waivers of rules that do not exist, or that nobody may break."""
    for name, service in inventory.services.items():
        for rule in service.waive:
            where = document.key("services", name, "waive", rule)
            if rule not in RULES:
                near = get_close_matches(rule, WAIVABLE, n=1)
                yield Complaint(
                    "unknown-rule",
                    where,
                    f"{name} waives {quoted(rule)}, which is no rule",
                    f"Did you mean `{near[0]}`?" if near else _choice(),
                    name,
                )
            elif rule not in WAIVABLE:
                yield Complaint("not-waivable", where, f"{name} waives {rule}, which cannot be waived", _choice(), name)


def idle_waivers(inventory: Inventory, document: Document, complaints: tuple[Complaint, ...]) -> Iterator[Finding]:
    """Find waivers of rules that their service does not break; left standing, they would hide a later breach."""
    broken = {(complaint.service, complaint.rule) for complaint in complaints}
    for name, service in inventory.services.items():
        for rule in service.waive:
            if rule in WAIVABLE and (name, rule) not in broken:
                yield Finding(
                    "idle-waiver",
                    document.key("services", name, "waive", rule),
                    f"{name} waives {rule}, and does not break it",
                    "Take the waiver out, or it hides the day when the rule is broken.",
                    severity_of("idle-waiver"),
                )


def _choice() -> str:
    return f"What can be waived: {', '.join(sorted(WAIVABLE))}."
