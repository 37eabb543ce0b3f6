"""Sketches of services as the text of an inventory, with a comment wherever a value is made up."""

import shlex
from collections.abc import Iterator, Sequence
from itertools import count as numbers

from deploygate.cli.beginning.sketch import Sketch
from deploygate.cli.beginning.spelling import quoted, scalar
from deploygate.errors import GateError
from deploygate.wording import plain

MARK = "# change:"
SCHEMA = "https://raw.githubusercontent.com/OWNER/deploygate/v0/schemas/service-inventory.schema.json"

_HEAD = f"""\
# yaml-language-server: $schema={SCHEMA}
# The service inventory: what is there, who answers for it, and how it is deployed.
# `deploygate check` says what is wrong with it; `deploygate schema` describes every key.
# Values that were made up say `change:` beside them.
schema: 1
environments: [parallel-chain, production]  # in the order of promotion; production is the last

defaults:  # for every service that does not say otherwise
  health: {{path: /health, interval: 2s, timeout: 5s, passes: 3, fails: 3, min_healthy: 10s, deadline: 2m}}
  version: {{path: /version, json: /version}}  # the answer's JSON names the build at /version
  rollout: {{bake: 30s}}  # how much longer the first production instance is watched

services:
"""
_STEM = 50  # characters of a service's name that go into the names of its instances
_MADE_UP_PORTS = 7101
_VERSION = "1"  # of interfaces, where it is not known


def rendered(sketches: Sequence[Sketch]) -> str:
    """Return the inventory as text.

    Raises:
        GateError: A value is no text, or a start command can't be split into words.
    """
    made_up = _ports(sketches)
    provided = {interface for one in sketches for interface in one.provides}
    return _HEAD + "\n".join("".join(f"{line}\n" for line in _service(one, made_up, provided)) for one in sketches)


def _service(one: Sketch, made_up: Iterator[str], provided: set[str]) -> Iterator[str]:
    name, people = one.called, {"ops": one.ops, "dev": one.dev, "pm": one.pm}
    parallel = one.parallel or (next(made_up),)
    production = one.production or (next(made_up), next(made_up))
    owners = ", ".join(f"{role}: {_or(who, f'{role}-owner')}" for role, who in people.items())
    unnamed = [role for role, who in people.items() if who is None]
    if one.source:
        yield f"  # found in {plain(one.source)}"
    yield _line(f"  {scalar(name)}:", one.name is None, "the service's name")
    purpose = _or(one.purpose, "Says in one sentence what it is for.")
    yield _line(f"    purpose: {purpose}", one.purpose is None, "what the service is for")
    yield _line(f"    owners: {{{owners}}}", bool(unnamed), f"people or teams who answer for it ({', '.join(unnamed)})")
    version = quoted("1.0" if one.version is None else one.version)
    yield _line(f"    version: {version}", one.version is None, "the version that runs now")
    artifact = _or(one.artifact, f"dist/{name}-{{version}}")
    yield _line(f"    artifact: {artifact}", one.artifact is None, "a folder or archive with each release")
    yield from _interfaces(one, provided)
    if one.health:
        health = ", ".join(f"{key}: {value}" for key, value in one.health.items())
        yield f"    health: {{{health}}}"
    yield "    deploy:"
    yield "      killstart:"
    root = _or(one.root, f"srv/{name}")
    yield _line(f"        root: {root}", one.root is None, "where releases are installed side by side")
    yield _line(f"        start: [{_words(one.start)}]", one.start is None, "how a release is started")
    yield "        grace: 10s  # to stop by itself"
    yield "        keep: 5  # releases stay installed"
    yield "    instances:"
    own = "the instance's own address" if one.production else "each instance's own address, never a load balancer's"
    yield _line("      parallel-chain:", not one.parallel, own)
    yield from _instances(name, "p", parallel)
    yield _line("      production:", not one.production, own)
    yield from _instances(name, "", production)


def _interfaces(one: Sketch, provided: set[str]) -> Iterator[str]:
    """Give the interfaces; what nobody provides here would be an error, and is left to a person as a comment."""
    here = [interface for interface in one.consumes if interface in provided]
    elsewhere = [interface for interface in one.consumes if interface not in provided]
    if one.provides:
        listed = ", ".join(f'{scalar(interface)}: ["{_VERSION}"]' for interface in one.provides)
        yield _line(f"    provides: {{{listed}}}", made_up=True, what="the versions of its interfaces")
    if here:
        listed = ", ".join(f'{scalar(interface)}: "{_VERSION}"' for interface in here)
        yield _line(f"    consumes: {{{listed}}}", made_up=True, what="the versions that it needs")
    if elsewhere:
        yield f"    {MARK} it consumes {', '.join(elsewhere)} as well, which no service here provides"


def _or(text: str | None, made_up: str) -> str:
    return scalar(made_up if text is None else text)


def _line(text: str, made_up: bool, what: str) -> str:  # noqa: FBT001 - reads as the line does
    return f"{text}  {MARK} {what}" if made_up else text


def _instances(name: str, letter: str, addresses: Sequence[str]) -> Iterator[str]:
    for number, address in enumerate(addresses, start=1):
        one = f"{name.lower()[:_STEM]}-{letter}{number}"
        yield f"        - {{name: {scalar(one)}, address: {quoted(address)}}}"


def _words(start: str | None) -> str:
    if start is None:
        return './run, --port, "{port}"'
    try:
        words = shlex.split(start)
    except ValueError as error:
        raise GateError(f"--start can't be split into words: {plain(str(error))}", help="Close the quotes.") from error
    return ", ".join(scalar(word) for word in words)


def _ports(sketches: Sequence[Sketch]) -> Iterator[str]:
    """Give made-up addresses on this machine, on ports that no given address has."""
    known = " ".join(address for one in sketches for address in (*one.parallel, *one.production))
    return (f"http://127.0.0.1:{port}" for port in numbers(_MADE_UP_PORTS) if str(port) not in known)
