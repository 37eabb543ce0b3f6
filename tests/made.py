"""Values to test with: a service, its instances, sightings, plans and earlier runs; each with one thing changed."""

from collections.abc import Mapping
from typing import Any

from deploygate.endings import Ending, Goal
from deploygate.inventory import Instance, Interface, Inventory, Owners, Release, Rollout, Service
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, Environment, InstanceName, RunId, ServiceName, Version
from deploygate.past import Past, Run
from deploygate.plan import Move, Plan, Watch
from deploygate.probe import Health, HealthProbe, Reply, Sighting, VersionProbe
from deploygate.ways import Argv, KillStart

OLD, NEW = Version("1.0"), Version("2.0")
PROBE = HealthProbe(interval=1.0, timeout=1.0, passes=2, fails=2, min_healthy=3.0, deadline=20.0)
WATCH = Watch(interval=1.0, passes=2, fails=2, min_healthy=3.0, deadline=20.0, grace=10.0)
PLACES = {"p1": PARALLEL_CHAIN, "i1": PRODUCTION, "i2": PRODUCTION, "i3": PRODUCTION}


def name(text: str) -> InstanceName:
    return InstanceName(text)


def interfaces(*texts: str) -> frozenset[Interface]:
    """Return interfaces, each written `name version`."""
    return frozenset(Interface(*text.split(" ")) for text in texts)


def release(version: str, *, provides: tuple[str, ...] = (), consumes: tuple[str, ...] = ()) -> Release:
    return Release(Version(version), interfaces(*provides), interfaces(*consumes))


def service(
    called: str = "Svc",
    *,
    places: Mapping[str, Environment] | None = None,
    provides: tuple[str, ...] = (),
    consumes: tuple[str, ...] = (),
    releases: tuple[Release, ...] = (),
    **more: Any,
) -> Service:
    """Return a service with an instance in the parallel chain and three in production."""
    spots = PLACES if places is None else places
    whole: dict[str, Any] = {
        "name": ServiceName(called),
        "purpose": "Answers.",
        "owners": Owners("nathan", "cory", "obaid"),
        "wanted": OLD,
        "provides": interfaces(*provides),
        "consumes": interfaces(*consumes),
        "releases": {one.version: one for one in releases},
        "deploy": KillStart("srv", Argv(("./run", "{port}"))),
        "instances": tuple(
            Instance(name(one), environment, f"http://127.0.0.1:{7000 + number}")
            for number, (one, environment) in enumerate(spots.items(), start=1)
        ),
        "health": PROBE,
        "version": VersionProbe(),
        "rollout": Rollout(bake=7.0),
    }
    return Service(**(whole | more))


def inventory(*services: Service) -> Inventory:
    return Inventory((PARALLEL_CHAIN, PRODUCTION), {one.name: one for one in services})


def seen(one: str, version: str | None = OLD, at: float = 100.0, **more: Any) -> Sighting:
    """Return a healthy sighting of a known process, but for what is given."""
    whole: dict[str, Any] = {
        "instance": name(one),
        "at": at,
        "health": Health.HEALTHY,
        "version": version,
        "identity": f"{one}-{version}",
    }
    return Sighting(**(whole | more))


def fleet(*changed: Sighting, version: str = OLD) -> dict[InstanceName, Sighting]:
    """Return a healthy fleet, but for what is given."""
    return {name(one): seen(one, version) for one in PLACES} | {one.instance: one for one in changed}


def move(one: str, was: Version | None = OLD, to: Version = NEW, **more: Any) -> Move:
    whole: dict[str, Any] = {"instance": name(one), "environment": PLACES[one], "to": to, "was": was}
    return Move(**(whole | {"identity": f"{one}-{was}"} | more))


def plan(*moves: Move, **more: Any) -> Plan:
    """Return a deploy of 2.0 over 1.0."""
    whole: dict[str, Any] = {
        "goal": Goal.DEPLOY,
        "service": ServiceName("Svc"),
        "version": NEW,
        "moves": moves,
        "watch": WATCH,
        "instances": {name(one): environment for one, environment in PLACES.items()},
        "floors": {PARALLEL_CHAIN: 0, PRODUCTION: 2},
    }
    return Plan(**(whole | more))


def run(called: str, planned: Plan, ending: Ending | None, *touched: str, **more: Any) -> Run:
    """Return an earlier run that touched these instances."""
    whole: dict[str, Any] = {
        "run": RunId(called),
        "at": "2024-01-01T12:00:00.000+00:00",
        "actor": "nathan",
        "plan": planned,
        "touched": frozenset(name(one) for one in touched),
        "ending": ending,
    }
    return Run(**(whole | more))


def past(*runs: Run) -> Past:
    return Past(runs)


def reply(body: bytes | str = b"", status: int = 200, *, cut: bool = False, **headers: str) -> Reply:
    """Return an answer; `content_type` is written as a header is."""
    content = body.encode() if isinstance(body, str) else body
    return Reply(status, {key.replace("_", "-"): value for key, value in headers.items()}, content, cut)
