"""Whom an edit of the inventory concerns: the owners of each service, by the role that answers for what is changed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

from deploygate.findings import Where
from deploygate.inventory import Inventory, Service, WayBack
from deploygate.names import ServiceName, Version


class Role(StrEnum):
    """What an owner answers for."""

    OPS = "ops"
    DEV = "dev"
    PM = "pm"


_OPS, _DEV, _PM, _ALL = (Role.OPS,), (Role.DEV,), (Role.PM,), tuple(Role)
# Each part of a service: whom it concerns, and what it is called. The page of reviews has the same; a part that is not
# here concerns all three.
PARTS: Mapping[str, tuple[tuple[Role, ...], str]] = {
    "purpose": (_PM, "the purpose"),
    "owners": (_ALL, "the owners"),
    "wanted": (_DEV, "the version"),
    "provides": (_DEV, "the interfaces"),
    "consumes": (_DEV, "the interfaces"),
    "digests": (_DEV, "the interfaces"),
    "releases": (_DEV, "the releases"),
    "artifact": (_DEV, "the artifact"),
    "deploy": (_OPS, "how it is deployed"),
    "instances": (_OPS, "the instances"),
    "address": (_OPS, "the shared address"),
    "health": (_OPS, "the probes"),
    "version": (_OPS, "the probes"),
    "rollout": (_OPS, "the rollout"),
    "balancer": (_OPS, "the balancer"),
    "waive": (_OPS, "the waivers"),
}
# Each part of the inventory that concerns services though nothing of their own is changed.
WHOLE: Mapping[str, tuple[tuple[Role, ...], str]] = {
    "environments": (_OPS, "the environments"),
    "job_limit": (_OPS, "the limit of a job"),
    "chains": (_OPS, "a chain"),
    "people": (_ALL, "the owners"),
}
_OF_INTERFACES = frozenset({"unprovided", "changed-in-place"})  # rules whose waivers are a matter of interfaces
_NEW, _GONE = "it is new", "it is taken out"


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who answers for a service; `account` is a login, or a team as organization/team, or nothing."""

    name: str
    account: str


@dataclass(frozen=True, slots=True)
class Concern:
    """One role that an edit concerns: each of `owners` is to agree; `others` answer for the service as well."""

    service: ServiceName
    role: Role
    why: tuple[str, ...]
    owners: tuple[Owner, ...]
    others: tuple[Owner, ...]
    where: Where


def concerns(before: Inventory, after: Inventory) -> tuple[Concern, ...]:
    """Return whom an edit concerns, service by service; those that are gone come last.

    Who is asked is as it was before the edit: nobody puts themselves in charge. What changes who answers for a
    service concerns all three of before and all three of after.
    """
    names = dict.fromkeys((*after.services, *before.services))
    shared = _shared(before, after)
    return tuple(one for name in names for one in _of(name, before, after, shared.get(name, {})))


def _of(
    name: ServiceName, before: Inventory, after: Inventory, shared: Mapping[Role, Mapping[str, None]]
) -> Iterator[Concern]:
    old, new = before.services.get(name), after.services.get(name)
    was = _owners(old, before, after) if old else {}
    now = _owners(new, after, before) if new else {}
    whys: dict[Role, dict[str, None]] = {role: dict(shared.get(role, {})) for role in Role}
    handed = False
    if old is None or new is None:
        says = _NEW if old is None else _GONE
        whys = {role: {says: None} for role in Role}
    else:
        handed = _handed_over(old, new, before, after)
        for roles, says in _changed(old, new, handed=handed):
            for role in roles:
                whys[role][says] = None
    for role, why in whys.items():
        if why:
            asked = [was[role]] if was else []
            asked += [now[role]] if now and (handed or not was) else []
            every = _each((*was.values(), *now.values()) if handed or not was else was.values())
            stands = new or old
            yield Concern(name, role, tuple(why), _each(asked), every, stands.where if stands else Where())


def _changed(old: Service, new: Service, *, handed: bool) -> Iterator[tuple[tuple[Role, ...], str]]:
    for part in (one.name for one in fields(Service) if one.name not in {"name", "where"}):
        roles, says = PARTS.get(part, (_ALL, part))
        if part == "owners":
            if handed:
                yield roles, says
        elif part == "waive":
            rules = {rule for rule in {*old.waive, *new.waive} if old.waive.get(rule) != new.waive.get(rule)}
            if rules & _OF_INTERFACES:
                yield _DEV, says
            if rules - _OF_INTERFACES:
                yield roles, says
        elif _said(getattr(old, part)) != _said(getattr(new, part)):
            yield roles, says
    if _ways_back(old) != _ways_back(new):
        yield _OPS, "the way back"


def _ways_back(service: Service) -> dict[Version, WayBack]:
    """Return the releases from which nobody simply goes back."""
    return {version: one.rollback for version, one in service.releases.items() if one.rollback != WayBack()}


def _shared(before: Inventory, after: Inventory) -> dict[ServiceName, dict[Role, dict[str, None]]]:
    """Return what concerns services through the inventory as a whole."""
    found: dict[ServiceName, dict[Role, dict[str, None]]] = {}
    for part, (roles, says) in WHOLE.items():
        if part in {"people", "chains"}:
            continue
        if getattr(before, part) != getattr(after, part):
            for name in after.services:
                for role in roles:
                    found.setdefault(name, {}).setdefault(role, {})[says] = None
    was, now = ({one.name: one for one in some.chains} for some in (before, after))
    for chain in dict.fromkeys((*was, *now)):
        both = (was.get(chain), now.get(chain))
        if _said(both[0]) != _said(both[1]):
            for service in (service for one in both if one for service in one.order):
                found.setdefault(service, {}).setdefault(Role.OPS, {})[f"the chain {chain}"] = None
    return found


def _handed_over(old: Service, new: Service, before: Inventory, after: Inventory) -> bool:
    """Tell whether somebody else answers for a service, be it by another name or by another account of the same."""
    return any(_identity(_name(old, role), before) != _identity(_name(new, role), after) for role in Role)


def _identity(name: str, inventory: Inventory) -> tuple[str, str]:
    account = inventory.people.get(name, "")
    return ("", account.casefold()) if account else (name, "")


def _owners(service: Service, own: Inventory, other: Inventory) -> dict[Role, Owner]:
    """Return who answers for a service; a name that only the other inventory maps is who it says there."""
    names = {role: _name(service, role) for role in Role}
    return {role: Owner(name, own.people.get(name) or other.people.get(name, "")) for role, name in names.items()}


def _name(service: Service, role: Role) -> str:
    match role:
        case Role.OPS:
            return service.owners.ops
        case Role.DEV:
            return service.owners.dev
        case Role.PM:
            return service.owners.pm


def _each(owners: Iterable[Owner]) -> tuple[Owner, ...]:
    """Return everybody once, whatever they are called."""
    return tuple({one.account.casefold() or f" {one.name}": one for one in owners}.values())


def _said(value: Any) -> Any:
    """Return what a value says, wherever in the file it stands."""
    if isinstance(value, Where):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return (type(value), *((one.name, _said(getattr(value, one.name))) for one in fields(value)))
    if isinstance(value, Mapping):
        return {key: _said(one) for key, one in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_said(one) for one in value)
    return value
