"""What an inventory says of deploying: the drivers and the balancers, read from tables of the right shape."""

from collections.abc import Mapping
from typing import Any

from deploygate.ways import (
    Argv,
    BalancerPrograms,
    Balancing,
    Command,
    Driver,
    HAProxy,
    KillStart,
    Nginx,
    Plugin,
    Programs,
    Script,
    Ssh,
    Workflow,
)

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIMES = ("grace", "timeout", "begin")
_COMMANDS = ("start", "stop", "pid", "kill", "check", "stage", "prove", "status", "prune", "drain", "restore")


def seconds(duration: str) -> float:
    """Return a duration like "500ms", "2s", "2m" or "1h" in seconds."""
    unit = duration.lstrip("0123456789.")
    return round(float(duration.removesuffix(unit)) * _SECONDS[unit], 6)


def driver(table: Mapping[str, Any]) -> Driver:
    """Return how a service is deployed."""
    match table:
        case {"killstart": killstart}:
            return _killstart(killstart)
        case {"command": programs}:
            return Programs(**_given(programs))
        case {"workflow": workflow}:
            given = _given(workflow) | {key: workflow[key] for key in ("file", "ref") if key in workflow}
            return Workflow(inputs=_bare(workflow.get("inputs", {})), **given)
        case _:
            return _plugin(table["plugin"])


def balancing(table: Mapping[str, Any]) -> Balancing:
    """Return what stands before the instances of a service."""
    given: dict[str, Any] = {}
    if "drain" in table:
        given["drain"] = seconds(table["drain"])
    if "environments" in table:
        given["environments"] = tuple(table["environments"])
    return Balancing(_balancer(table), **given)


def _balancer(table: Mapping[str, Any]) -> HAProxy | Nginx | BalancerPrograms | Plugin:
    match table:
        case {"haproxy": haproxy}:
            return HAProxy(tuple(haproxy["sockets"]), haproxy["backend"], haproxy.get("server", "{instance}"))
        case {"nginx": nginx}:
            return Nginx(
                file=nginx["file"],
                upstream=nginx["upstream"],
                test=Argv(tuple(nginx.get("test", ("nginx", "-t")))),
                reload=Argv(tuple(nginx.get("reload", ("nginx", "-s", "reload")))),
                pid_file=nginx.get("pid_file", "/run/nginx.pid"),
                hosts=tuple(nginx.get("hosts", ())),
                ssh=Ssh(**nginx.get("ssh", {})) if "hosts" in nginx else None,
            )
        case {"command": programs}:
            return BalancerPrograms(**_given(programs))
        case _:
            return _plugin(table["plugin"])


def _killstart(table: Mapping[str, Any]) -> KillStart:
    given = _given(table)
    given |= _systemd(table["systemd"]) if "systemd" in table else {}
    if "ssh" in table:
        given["ssh"] = Ssh(**table["ssh"])
    return KillStart(root=table["root"], **given)


def _systemd(table: Mapping[str, Any]) -> dict[str, Command]:
    """Return the commands of a template unit; `{unit-version}` is the version as a unit may be named."""
    unit = table["unit"].replace("{version}", "{unit-version}")
    words = ("sudo", "-n", "--") if table.get("sudo") else ()
    words += ("systemctl", "--no-ask-password", *(("--user",) if table.get("scope") == "user" else ()))
    return {
        "start": Argv((*words, "start", "--", unit)),
        "stop": Argv((*words, "stop", "--", unit)),
        "pid": Argv((*words, "show", "--property=MainPID", "--value", "--", unit)),
        "kill": Argv((*words, "kill", "--signal=KILL", "--", unit)),
        "check": Argv((*words, "cat", "--", unit)),
    }


def _plugin(table: Mapping[str, Any]) -> Plugin:
    return Plugin(name=table["name"], settings=_bare(table.get("settings", {})), **_given(table))


def _bare(value: Any) -> Any:
    """Return a value without its places, which are no business of a plug-in."""
    match value:
        case dict():
            return {key: _bare(one) for key, one in value.items()}
        case list():
            return [_bare(one) for one in value]
        case _:
            return value


def _given(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the times, counts and commands that a table gives."""
    given: dict[str, Any] = {key: _command(table[key]) for key in _COMMANDS if key in table}
    given |= {key: seconds(table[key]) for key in _TIMES if key in table}
    given |= {key: int(table[key]) for key in ("keep",) if key in table}
    given |= {key: tuple(table[key]) for key in ("secrets",) if key in table}
    return given


def _command(written: str | list[str]) -> Command:
    return Script(written) if isinstance(written, str) else Argv(tuple(written))
