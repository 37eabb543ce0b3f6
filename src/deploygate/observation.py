"""Every instance as it was observed, beside what is wanted of it and who changed it last."""

from dataclasses import dataclass

from deploygate.inventory import Service
from deploygate.past import Past
from deploygate.probe import Health, Sighting


@dataclass(frozen=True, slots=True)
class Observed:
    """One line of the table; `since` and `by` are of the last change on record, `drift` says what is not as wanted."""

    service: str
    instance: str
    environment: str
    health: str
    version: str
    since: str
    by: str
    drift: str
    says: str

    @property
    def as_wanted(self) -> bool:
        """Whether the instance is healthy, at the wanted version, and owes nothing."""
        return self.health == Health.HEALTHY and not self.drift


def observed(service: Service, seen: tuple[Sighting, ...], past: Past) -> tuple[Observed, ...]:
    """Return a line for each sighting of a service's instances."""
    debts = past.debts()
    lines = []
    for one, sighting in zip(service.instances, seen, strict=True):
        change = past.last_change(one.name)
        lines.append(
            Observed(
                service=service.name,
                instance=one.name,
                environment=one.environment,
                health=sighting.health.value,
                version=sighting.version or "-",
                since=change.at[:19].replace("T", " ") if change else "-",
                by=change.actor if change else "-",
                drift=_drift(service, sighting, owed=one.name in debts),
                says=sighting.says,
            )
        )
    return tuple(lines)


def _drift(service: Service, seen: Sighting, *, owed: bool) -> str:
    if seen.version is None:
        said = ["version unknown"]
    elif seen.release not in {None, seen.version}:
        said = [f"answers {seen.version}, but {seen.release} was started"]
    else:
        said = [] if seen.version == service.wanted else [f"wanted {service.wanted}"]
        said += ["owed since it was left out"] if owed else []
    return "; ".join([*said, *(["out of the balancer"] if seen.in_service is False else [])])
