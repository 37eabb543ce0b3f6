"""What an edit changes of one service besides its version and interfaces: instances, guards, owners, ways."""

from collections.abc import Iterator

from deploygate.difference.told import Danger, Difference, listed, names, sizes
from deploygate.inventory import OnFailure, Service
from deploygate.names import PRODUCTION
from deploygate.ways import KillStart, Programs
from deploygate.wording import count, plain, seconds


def instances(earlier: Service, service: Service) -> Iterator[Difference]:
    """Yield what is different of the instances."""
    was, now = ({one.name: one for one in some.instances} for some in (earlier, service))
    gone = [one for name, one in was.items() if name not in now]
    new = [one for name, one in now.items() if name not in was]
    if gone:
        danger = Danger.DANGEROUS if any(one.environment == PRODUCTION for one in gone) else Danger.CHANGES
        left = count(len(service.within(PRODUCTION)), "production instance")
        says = f"loses {sizes(gone)} ({names(gone)}), which run on unwatched; {left} stay"
        yield Difference(danger, service.name, "instances", says)
    if new:
        yield Difference(Danger.DEPLOYS, service.name, "instances", f"gets {sizes(new)} more ({names(new)})")
    moved = [
        one for name, one in now.items() if name in was and (was[name].address, was[name].on) != (one.address, one.on)
    ]
    if moved:
        says = f"is asked at other addresses: {listed(f'{one.name} at {plain(one.address, 80)}' for one in moved[:5])}"
        yield Difference(Danger.CHANGES, service.name, "instances", says)
    other = [one for name, one in now.items() if name in was and was[name].environment != one.environment]
    if other:
        says = (
            f"has instances in another environment: {listed(f'{one.name} in {one.environment}' for one in other[:5])}"
        )
        yield Difference(Danger.DANGEROUS, service.name, "instances", says)


def waivers(earlier: Service, service: Service) -> Iterator[Difference]:
    """Yield which rules are waived now, and which no longer."""
    for rule, reason in service.waive.items():
        if rule not in earlier.waive:
            yield Difference(Danger.DANGEROUS, service.name, "waive", f"waives {rule}: {plain(reason, 200)}")
    ended = [rule for rule in earlier.waive if rule not in service.waive]
    if ended:
        yield Difference(Danger.WORDS, service.name, "waive", f"no longer waives {listed(ended)}")


def rollout(earlier: Service, service: Service) -> Iterator[Difference]:
    """Yield how the roll is less careful, or else that it is another one."""
    was, now = earlier.rollout, service.rollout
    for weaker, says in (
        (now.bake < was.bake, f"watches its first instance for {seconds(now.bake)} (was {seconds(was.bake)})"),
        (
            now.failure_budget > was.failure_budget,
            f"lets {now.failure_budget} instances fail (was {was.failure_budget})",
        ),
        (
            _floor(now.floor, service) < _floor(was.floor, service),
            f"keeps {_floor(now.floor, service)} instances serving",
        ),
        (
            now.on_failure is not was.on_failure and now.on_failure is not OnFailure.UNDO,
            f"on failure: {now.on_failure}",
        ),
        (now.waves != was.waves and bool(now.waves), f"rolls in waves of {_waves(service)}"),
    ):
        if weaker:
            yield Difference(Danger.DANGEROUS, service.name, "rollout", says)
    if was != now:
        yield Difference(Danger.CHANGES, service.name, "rollout", "is rolled in another way")


def owners(earlier: Service, service: Service) -> Iterator[Difference]:
    """Yield who answers for the service now."""
    if earlier.owners != service.owners:
        was, now = earlier.owners, service.owners
        roles = (("ops", was.ops, now.ops), ("dev", was.dev, now.dev), ("pm", was.pm, now.pm))
        said = [f"{role} {new} (was {old})" for role, old, new in roles if old != new]
        yield Difference(Danger.CHANGES, service.name, "owners", f"is answered for by {listed(said)}")


def ways(earlier: Service, service: Service) -> Iterator[Difference]:
    """Yield how the service is asked, reached and started in another way."""
    for part, was, now, says in (
        ("health", earlier.health, service.health, "is asked for its health in another way"),
        ("version_probe", earlier.version, service.version, "is asked for its version in another way"),
        ("balancer", earlier.balancer, service.balancer, _balancer(earlier, service)),
        ("deploy", earlier.deploy, service.deploy, _driver(earlier, service)),
        ("artifact", earlier.artifact, service.artifact, "is built from somewhere else"),
    ):
        if was != now:
            yield Difference(Danger.CHANGES, service.name, part, says)
    if earlier.purpose != service.purpose:
        yield Difference(Danger.WORDS, service.name, "purpose", f"is for: {plain(service.purpose, 200)}")


def _floor(floor: int | None, service: Service) -> int:
    return max(0, len(service.within(PRODUCTION)) - 1) if floor is None else floor


def _waves(service: Service) -> str:
    return ", ".join(f"{wave.size}%" if wave.percent else str(wave.size) for wave in service.rollout.waves)


def _balancer(earlier: Service, service: Service) -> str:
    if service.balancer is None:
        return "has no balancer any more: nothing is taken out of service before it is switched"
    return "gets a balancer, which it is taken out of first" if earlier.balancer is None else "has another balancer"


def _driver(earlier: Service, service: Service) -> str:
    was, now = type(earlier.deploy).__name__, type(service.deploy).__name__
    if was != now:
        return f"is deployed by {now}, and was by {was}"
    match earlier.deploy, service.deploy:
        case (KillStart(root=old), KillStart(root=new)) if old != new:
            return (
                f"lives in {plain(new, 100)}, and did in {plain(old, 100)}: what is installed there is not found here"
            )
        case (KillStart() | Programs(), KillStart() | Programs()) if earlier.deploy.secrets != service.deploy.secrets:
            return f"is given the secrets {listed(service.deploy.secrets) or 'none'}"
        case _:
            return "is started and stopped in another way"
