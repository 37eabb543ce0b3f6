"""Inventories of large fleets, the talk's first of all: the same size is the same bytes, on every machine.

`python bench/fleets.py --services 108 --instances 3500 services.yml`, or with --folder a file for each service.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

NAMED = ("AdCaster", "AtlasDB", "ScheduledTaskRunner", "IDBroker", "DMLoadBalancer")  # those that the talk names
FIRST = ("Ad", "Bid", "Budget", "Campaign", "Click", "Cookie", "Creative", "Feed", "Fraud", "Geo", "Impression", "Page")
SECOND = ("Archive", "Broker", "Cache", "Counter", "Finder", "Gateway", "Keeper", "Ledger", "Mixer", "Ranker", "Router")
TEAMS = (("nathan", "cory", "obaid"), ("rosa", "piet", "ines"), ("yuki", "tom", "amara"), ("lars", "mei", "joao"))
VERSIONS = ("1.2", "2.0")  # of every interface
LEAST = 3  # instances of a service: a twin, and two in production
CHAIN = 5  # services in a chain
HEAD = """\
# yaml-language-server: $schema=https://example.net/service-inventory.schema.json
schema: 1
environments: [parallel-chain, production]

defaults:
  health: {path: /health, interval: 2s, timeout: 5s, passes: 3, fails: 3, min_healthy: 10s, deadline: 2m}
  version: {path: /version, json: /version}
  rollout: {bake: 30s}
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a fleet is; the instances are those of all services and both environments together."""

    services: int
    instances: int

    def __str__(self) -> str:
        return f"{self.services:,} services, {self.instances:,} instances"


TALK = Size(108, 3_500)
TENFOLD = Size(1_080, 35_000)
MANY = Size(10_000, 35_000)


@dataclass(frozen=True, slots=True)
class Member:
    """One service of a fleet: its text below `services:`, and its name."""

    name: str
    text: str


def members(size: Size) -> list[Member]:
    """Return the services of a fleet.

    Raises:
        ValueError: There are too few instances for so many services.
    """
    if size.instances < LEAST * size.services:
        raise ValueError(f"{size} are too few instances: a service has {LEAST} at least")
    names, counts, addresses = _names(size.services), _counts(size), _addresses()
    chance = Random(2009)  # the year of the talk; what matters is that it is always the same
    return [
        Member(name, _service(name, at, count, names, addresses, chance))
        for at, (name, count) in enumerate(zip(names, counts, strict=True))
    ]


def text(size: Size) -> str:
    """Return a fleet as one file."""
    found = members(size)
    services = "\n".join(one.text for one in found)
    return f"{HEAD}\nservices:\n{services}\n{_chains([one.name for one in found])}"


def parts(size: Size) -> Iterator[tuple[str, str]]:
    """Give a fleet as the files of a folder, each with its name."""
    found = members(size)
    yield "fleet.yml", f"{HEAD}\n{_chains([one.name for one in found])}"
    for one in found:
        yield f"{one.name}.yml", f"services:\n{one.text}"


def write(size: Size, path: Path, *, folder: bool = False) -> None:
    """Write a fleet as a file, or as a folder with a file for each service."""
    if not folder:
        path.write_text(text(size), encoding="utf-8")
        return
    path.mkdir(parents=True)
    for name, part in parts(size):
        (path / name).write_text(part, encoding="utf-8")


def _names(many: int) -> list[str]:
    made_up = [first + second for second in SECOND for first in FIRST]
    rounds = -(-many // len(made_up))
    numbered = [name if turn == 0 else f"{name}{turn + 1}" for turn in range(rounds) for name in made_up]
    return [*NAMED, *numbered][:many]


def _counts(size: Size) -> list[int]:
    """Share the instances out, from three to five quarters of the mean, so that each deploy fits into a job."""
    spare = size.instances - LEAST * size.services
    shares = [75 + 50 * (at * 37 % 101) // 100 for at in range(size.services)]
    counts = [LEAST + spare * share // sum(shares) for share in shares]
    for at in range(size.instances - sum(counts)):  # what rounding left
        counts[at % size.services] += 1
    return counts


def _addresses() -> Iterator[str]:
    return (f"http://10.{a}.{b}.{c}:8080" for a in range(256) for b in range(256) for c in range(1, 255))


def _service(name: str, at: int, count: int, names: list[str], addresses: Iterator[str], chance: Random) -> str:
    low = name.lower()
    ops, dev, pm = TEAMS[at % len(TEAMS)]
    version = f"{chance.randrange(1, 20)}.{chance.randrange(20)}"
    lines = [
        f"  {name}:",
        f"    purpose: Does what the {low} of the ad server does, number {at + 1}.",
        f"    owners: {{ops: {ops}, dev: {dev}, pm: {pm}}}",
        f'    version: "{version}"',
        f"    artifact: dist/{name}-{{version}}",
        f'    provides: {{{low}-query: ["1.2", "2.0"]}}',
    ]
    needed = dict.fromkeys(names[chance.randrange(at)].lower() for _ in range(3)) if at else ()
    if needed:
        wanted = ", ".join(f'{one}-query: "{chance.choice(VERSIONS)}"' for one in needed)
        lines.append(f"    consumes: {{{wanted}}}")
    lines += [
        f'    releases: {{"0.9": {{provides: {{{low}-query: ["1.2"]}}}}}}',
        "    deploy:",
        "      killstart:",
        f"        root: /srv/{name}",
        '        start: [./run, --port, "{port}"]',
        "        ssh: {user: deploy}",
        "    instances:",
        f'      parallel-chain: [{{name: {low}-p1, address: "{next(addresses)}"}}]',
        "      production:",
        *(f'        - {{name: {low}-{number}, address: "{next(addresses)}"}}' for number in range(1, count)),
    ]
    return "\n".join(lines) + "\n"


def _chains(names: list[str]) -> str:
    lines = ["chains:"]
    for number, start in enumerate(range(0, len(names), CHAIN), start=1):
        lines += [
            f"  chain-{number}:",
            "    source: The requests of all customers, of which the copy gets a share.",
            f"    order: [{', '.join(names[start : start + CHAIN])}]",
            "    sinks:",
            f'      parallel-chain: "http://sink-{number}-p.example.net"',
            f'      production: "http://sink-{number}.example.net"',
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the fleet that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--services", type=int, default=TALK.services)
    parser.add_argument("--instances", type=int, default=TALK.instances)
    parser.add_argument("--folder", action="store_true", help="a folder, with a file for each service")
    parser.add_argument("path", type=Path)
    options = parser.parse_args()
    write(Size(options.services, options.instances), options.path, folder=options.folder)


if __name__ == "__main__":
    main()
