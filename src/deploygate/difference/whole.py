"""What an edit changes of the inventory as a whole: environments, limits, chains."""

from collections.abc import Iterator, Mapping

from deploygate.difference.told import Danger, Difference
from deploygate.inventory import Inventory
from deploygate.names import Environment
from deploygate.wording import plain, seconds


def whole(before: Inventory, after: Inventory) -> Iterator[Difference]:
    """Yield what is different, but for the services."""
    if before.environments != after.environments:
        says = f"environments are {', '.join(after.environments)}, and were {', '.join(before.environments)}"
        yield Difference(Danger.DANGEROUS, "", "environments", says)
    if before.job_limit != after.job_limit:
        says = f"a deploy may take {seconds(after.job_limit)}, and could take {seconds(before.job_limit)}"
        yield Difference(Danger.CHANGES, "", "limits", says)
    chains = {one.name: one for one in after.chains}
    for earlier in before.chains:
        now = chains.pop(earlier.name, None)
        if now is None:
            yield Difference(Danger.DANGEROUS, "", "chains", f"the chain {earlier.name} is gone")
        elif now.sinks != earlier.sinks:
            yield Difference(
                Danger.DANGEROUS, "", "chains", f"the chain {now.name} ends somewhere else: {_sinks(now.sinks)}"
            )
        elif now.order != earlier.order:
            yield Difference(Danger.CHANGES, "", "chains", f"the chain {now.name} is now {' -> '.join(now.order)}")
    for name in chains:
        yield Difference(Danger.CHANGES, "", "chains", f"the chain {name} is new")


def _sinks(sinks: Mapping[Environment, str]) -> str:
    return ", ".join(f"{environment} in {plain(sink, 100)}" for environment, sink in sinks.items())
