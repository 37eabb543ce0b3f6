"""Plug-ins found by their entry points, set up, and looked at before anything is asked of them."""

import inspect
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from deploygate.adapters.plugins.held import HeldBalancer, HeldDriver
from deploygate.endings import Ending
from deploygate.errors import GateError
from deploygate.ports import Balancer, Hosts, Telling
from deploygate.ways import Plugin
from deploygate.wording import plain, quoted

DRIVERS = "deploygate.drivers"
BALANCERS = "deploygate.balancers"


def driver_named(plugin: Plugin, folder: Path) -> HeldDriver:
    """Return a driver from its plug-in; `folder` is what relative paths in its settings are relative to.

    Raises:
        GateError: There is none of that name, or what there is does not work.
    """
    return HeldDriver(*_made(plugin, folder, DRIVERS, Hosts))


def balancer_named(plugin: Plugin, folder: Path) -> HeldBalancer:
    """Return a balancer from its plug-in; `folder` is what relative paths in its settings are relative to.

    Raises:
        GateError: There is none of that name, or what there is does not work.
    """
    return HeldBalancer(*_made(plugin, folder, BALANCERS, Balancer))


def _made(plugin: Plugin, folder: Path, group: str, port: type) -> tuple[Any, str]:
    """Return what a plug-in has made, and how messages name it."""
    point = _found(plugin.name, group)
    who = f"the plug-in {quoted(plugin.name)} ({_origin(point)})"
    try:
        made = point.load()(plugin.settings, folder)
    except (Exception, SystemExit) as error:
        why = plain(f"{type(error).__name__}: {error}")
        raise _error(
            f"{who} could not be set up: {why}", "Look at its `settings` in the inventory, or ask its author."
        ) from error
    lacks = _lacks(made, port) or (_lacks(made, Telling) if port is Balancer and hasattr(made, "drained") else "")
    if lacks:
        raise _error(
            f"{who} gave a {plain(type(made).__name__, 60)}, which is no {port.__name__}: {lacks}",
            "Install a version of it that suits this deploygate; its author can run deploygate.contract on it.",
        )
    return made, who


def _found(name: str, group: str) -> EntryPoint:
    installed = entry_points(group=group)
    points = {(one.value, _origin(one)): one for one in installed if one.name == name}  # a path listed twice is one
    if len(points) == 1:
        return next(iter(points.values()))
    kind = group.removeprefix("deploygate.").removesuffix("s")
    if points:
        who = " and ".join(sorted(origin for _, origin in points))
        raise _error(f"more than one {kind} is called {quoted(name)}: {who} bring one", "Uninstall all but one.")
    there = ", ".join(sorted({f"{plain(one.name, 60)} ({_origin(one)})" for one in installed})) or "none"
    raise _error(
        f"no {kind} called {quoted(name)} is installed; installed: {there}",
        f"Install the package that brings it (an entry point {quoted(name)} in the group {group}), "
        "into the environment that deploygate runs in.",
    )


def _origin(point: EntryPoint) -> str:
    return plain(f"{point.dist.name} {point.dist.version}", 80) if point.dist else "of an unknown package"


def _lacks(made: object, port: type) -> str:
    """Say which of a port's methods an object does not have, or could not be called as the gate does."""
    for name, asked in inspect.getmembers(port, inspect.isfunction):
        if name.startswith("_"):
            continue
        method = getattr(made, name, None)
        if not callable(method):
            return f"it has no method {name}"
        given = list(inspect.signature(asked).parameters.values())[1:]
        words = {one.name: None for one in given if one.kind is one.KEYWORD_ONLY}
        try:
            inspect.signature(method).bind(*[None] * (len(given) - len(words)), **words)
        except TypeError:
            return f"its {name} can't be called as {name}({', '.join(_shown(one) for one in given)})"
        except ValueError:  # written in another language: its parameters can't be seen
            continue
    return ""


def _shown(parameter: inspect.Parameter) -> str:
    keyword = parameter.kind is parameter.KEYWORD_ONLY
    return f"{parameter.name}=..." if keyword else parameter.name


def _error(says: str, help: str) -> GateError:  # noqa: A002 - a finding's word
    return GateError(says, help=help, ending=Ending.INVENTORY_ERROR)
