"""What single values must be that no schema can say: addresses that can exist, expressions that compile."""

import re
import warnings
from collections.abc import Iterator

from deploygate.address import flaw
from deploygate.document import Document, Moment, Path, Row, Table
from deploygate.findings import Finding
from deploygate.shape import Misfit
from deploygate.wording import dotted, plain, quoted

READERS = ("convention", "json", "header", "text", "regex")  # a probe has at most one of these
_OF_SYSTEMD = ("stop", "pid", "kill", "check")  # what a template unit stands for, besides the start


def check_values(document: Document, broken: frozenset[Path]) -> tuple[Misfit, ...]:
    """Return what is wrong with values of the right shape; what is broken is passed over."""
    return tuple(_misfits(document, broken))


def sound(document: Document, broken: frozenset[Path], part: str) -> Table:
    """Return one part of the document without those of its entries that do not fit."""
    whole = document.root.get(part)
    kept = Table()
    if not isinstance(whole, Table) or (part,) in broken:
        return kept
    for key in whole:
        if (part, key) not in broken:
            kept.take(key, whole)
    return kept


def _misfits(document: Document, broken: frozenset[Path]) -> Iterator[Misfit]:
    defaults = sound(document, broken, "defaults")
    for key in ("health", "version"):
        yield from _probe(document, ("defaults", key), defaults.get(key, {}))
    for name, service in sound(document, broken, "services").items():
        for key in ("health", "version_probe"):
            yield from _probe(document, ("services", name, key), service.get(key, {}))
        yield from _twice(document, ("services", name), service)
        for version, release in service.get("releases", {}).items():
            yield from _twice(document, ("services", name, "releases", version), release)
        yield from _deploy(document, ("services", name, "deploy"), service["deploy"])
        yield from _balancer(document, ("services", name, "balancer"), service.get("balancer", {}))
        if "address" in service:
            yield from _address(document, ("services", name, "address"), service["address"])
        for environment, instances in service["instances"].items():
            for index, instance in enumerate(instances):
                path = ("services", name, "instances", environment, index, "address")
                yield from _address(document, path, instance["address"])
    for name, chain in sound(document, broken, "chains").items():
        for environment, sink in chain["sinks"].items():
            yield from _address(document, ("chains", name, "sinks", environment), sink)


def _twice(document: Document, path: Path, table: Table) -> Iterator[Misfit]:
    """Find one version of an interface that is provided twice, with a digest and without, or with two."""
    for name, versions in table.get("provides", {}).items():
        seen = set()
        for index, one in enumerate(() if isinstance(versions, str) else versions):
            version = one if isinstance(one, str) else one["version"]
            if version in seen:
                at = (*path, "provides", name, index)
                says = f"{dotted(at[:-1])} names version {version} twice"
                yield Misfit(at, Finding("bad-value", document.value(*at), says, "Keep the one with its digest."))
            seen.add(version)


def _address(document: Document, path: Path, address: str) -> Iterator[Misfit]:
    if problem := flaw(address):
        yield Misfit(
            path,
            Finding(
                "bad-address",
                document.value(*path),
                f"{dotted(path)}: {quoted(address)} is not an address: {problem}",
                "Write http or https, a host and, where it is not the usual one, a port.",
            ),
        )


def _deploy(document: Document, path: Path, deploy: Table) -> Iterator[Misfit]:
    killstart = deploy.get("killstart", {})
    given = [one for one in _OF_SYSTEMD if one in killstart]
    if "systemd" in killstart and given:
        at = (*path, "killstart", given[0])
        yield Misfit(
            at,
            Finding(
                "one-start",
                document.key(*at),
                f"{dotted(at[:-1])} has systemd and {', '.join(given)}, which systemd stands for",
                "Keep `systemd` alone, or write `start` in its place.",
            ),
        )
    if "systemd" in killstart and "secrets" in killstart:
        at = (*path, "killstart", "secrets")
        yield Misfit(
            at,
            Finding(
                "unit-secrets",
                document.key(*at),
                f"{dotted(at)} would reach systemctl, and systemd passes none of it on to the unit",
                "Take `secrets` out, and let the unit say where it gets them: `LoadCredential=`, `EnvironmentFile=`.",
            ),
        )
    yield from _settings(document, (*path, "plugin", "settings"), deploy.get("plugin", {}).get("settings"))


def _balancer(document: Document, path: Path, balancer: Table) -> Iterator[Misfit]:
    for index, socket in enumerate(balancer.get("haproxy", {}).get("sockets", ())):
        at = (*path, "haproxy", "sockets", index)
        if not socket.startswith("/") and (problem := flaw(f"http://{socket}")):
            yield Misfit(
                at,
                Finding(
                    "bad-address",
                    document.value(*at),
                    f"{dotted(at)}: {quoted(socket)} is not an address: {problem}",
                    "Write host:port, or the path of a socket on this machine.",
                ),
            )
    yield from _settings(document, (*path, "plugin", "settings"), balancer.get("plugin", {}).get("settings"))


def _settings(document: Document, path: Path, value: object) -> Iterator[Misfit]:
    """Find dates in what a plug-in is told: nothing else in an inventory is one, and no plug-in expects it."""
    match value:
        case Table():
            for key, one in value.items():
                yield from _settings(document, (*path, key), one)
        case Row():
            for index, one in enumerate(value):
                yield from _settings(document, (*path, index), one)
        case Moment(text):
            says = f"{dotted(path)} must not be a date, and YAML reads the unquoted {plain(text)} as one"
            yield Misfit(path, Finding("unquoted", document.value(*path), says, f"Write {quoted(text)} in quotes."))


def _probe(document: Document, path: Path, probe: dict[str, str]) -> Iterator[Misfit]:
    readers = [one for one in READERS if one in probe]
    if len(readers) > 1:
        yield Misfit(
            (*path, readers[1]),
            Finding(
                "one-reader",
                document.key(*path, readers[1]),
                f"{dotted(path)} is read in two ways: {', '.join(readers)}",
                "Keep one of them; an answer is read in one way only.",
            ),
        )
    if "regex" in probe and (problem := _regex_flaw(probe["regex"])):
        yield Misfit(
            (*path, "regex"),
            Finding(
                "bad-regex",
                document.value(*path, "regex"),
                f"{dotted((*path, 'regex'))} does not compile: {plain(problem)}",
                "Write a regular expression in Python's syntax, in single quotes.",
            ),
        )


def _regex_flaw(regex: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a doubtful expression is still one
            re.compile(regex)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return None
