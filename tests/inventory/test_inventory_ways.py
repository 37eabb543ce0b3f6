"""What an inventory says of deploying and of balancers is read to the letter, and has the defaults that it promises."""

from pathlib import Path
from typing import Any

import pytest

from deploygate.cli.loading import load_inventory
from deploygate.deploying import balancing, driver
from deploygate.document import Row, Table
from deploygate.inventory import Service, Wave
from deploygate.names import Environment, ServiceName
from deploygate.ways import (
    Argv,
    BalancerPrograms,
    Balancing,
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

EXAMPLES = Path(__file__).parents[1] / "examples" / "inventory" / "valid"
RUN = Argv(("./run",))
START, STOP, STATUS = (Argv((f"./{one}",)) for one in ("start", "stop", "status"))
PROGRAMS = {"start": ["./start"], "stop": ["./stop"], "status": ["./status"]}


def of(example: str, service: str) -> Service:
    inventory = load_inventory(EXAMPLES / f"{example}.yml").inventory
    assert inventory is not None
    return inventory.services[ServiceName(service)]


def systemctl(*words: str, before: tuple[str, ...] = (), after: tuple[str, ...] = (), unit: str) -> Argv:
    return Argv((*before, "systemctl", "--no-ask-password", *after, *words, "--", unit))


DRIVERS: list[tuple[dict[str, Any], Driver]] = [
    (
        {"killstart": {"root": "srv", "start": ["./run"]}},
        KillStart("srv", RUN, None, 10.0, 5, None, None, None, (), None),
    ),
    (
        {
            "killstart": {
                "root": "/srv",
                "start": "exec ./run",
                "stop": ["./stop"],
                "pid": ["./pid", "{version}"],
                "kill": "./kill",
                "check": "./check",
                "grace": "1.5m",
                "keep": 3,
                "secrets": ["A", "b"],
                "ssh": {"user": "deploy", "port": 2222, "jump": "bastion"},
            }
        },
        KillStart(
            root="/srv",
            start=Script("exec ./run"),
            stop=STOP,
            grace=90.0,
            keep=3,
            pid=Argv(("./pid", "{version}")),
            kill=Script("./kill"),
            check=Script("./check"),
            secrets=("A", "b"),
            ssh=Ssh("deploy", 2222, "bastion"),
        ),
    ),
    ({"killstart": {"root": "/srv", "start": ["./run"], "ssh": {}}}, KillStart("/srv", RUN, ssh=Ssh(None, None, None))),
    ({"command": PROGRAMS}, Programs(START, STOP, STATUS, None, None, None, 120.0, 10.0, 5, ())),
    (
        {
            "command": PROGRAMS
            | {"stage": "./stage", "prove": ["./prove"], "prune": ["./prune"]}
            | {"timeout": "3m", "grace": "20s", "keep": 2, "secrets": ["TOKEN"]}
        },
        Programs(
            start=START,
            stop=STOP,
            status=STATUS,
            stage=Script("./stage"),
            prove=Argv(("./prove",)),
            prune=Argv(("./prune",)),
            timeout=180.0,
            grace=20.0,
            keep=2,
            secrets=("TOKEN",),
        ),
    ),
    ({"workflow": {"file": "deploy-one.yml"}}, Workflow("deploy-one.yml", "main", {}, 600.0, 120.0)),
    (
        {"workflow": {"file": "a.yaml", "ref": "v1", "inputs": {"region": "eu"}, "timeout": "5m", "begin": "30s"}},
        Workflow("a.yaml", "v1", {"region": "eu"}, 300.0, 30.0),
    ),
    ({"plugin": {"name": "nomad"}}, Plugin("nomad", {}, 10.0, 5)),
    (
        {"plugin": {"name": "nomad", "settings": {"region": "eu", "tags": ["a"]}, "grace": "1m", "keep": 2}},
        Plugin("nomad", {"region": "eu", "tags": ["a"]}, 60.0, 2),
    ),
]
BALANCERS: list[tuple[dict[str, Any], Balancing]] = [
    (
        {"haproxy": {"sockets": ["/run/admin.sock"], "backend": "ads"}},
        Balancing(HAProxy(("/run/admin.sock",), "ads", "{instance}"), 30.0, ("production",)),
    ),
    (
        {
            "haproxy": {"sockets": ["/a", "lb-2:9999"], "backend": "ads", "server": "srv-{instance}"},
            "drain": "0s",
            "environments": ["canary", "production"],
        },
        Balancing(HAProxy(("/a", "lb-2:9999"), "ads", "srv-{instance}"), 0.0, ("canary", "production")),
    ),
    (
        {"nginx": {"file": "/etc/nginx/ads.conf", "upstream": "ads"}},
        Balancing(
            Nginx(
                file="/etc/nginx/ads.conf",
                upstream="ads",
                test=Argv(("nginx", "-t")),
                reload=Argv(("nginx", "-s", "reload")),
                pid_file="/run/nginx.pid",
                hosts=(),
                ssh=None,
            )
        ),
    ),
    (
        {"nginx": {"file": "/a", "upstream": "ads", "hosts": ["lb-1", "lb-2"]}},
        Balancing(
            Nginx(
                file="/a",
                upstream="ads",
                test=Argv(("nginx", "-t")),
                reload=Argv(("nginx", "-s", "reload")),
                pid_file="/run/nginx.pid",
                hosts=("lb-1", "lb-2"),
                ssh=Ssh(),
            )
        ),
    ),
    (
        {"command": {"drain": ["./drain"], "restore": "./restore"}},
        Balancing(BalancerPrograms(Argv(("./drain",)), Script("./restore"), None, 60.0)),
    ),
    (
        {"command": {"drain": ["./drain"], "restore": "./restore", "status": ["./status"], "timeout": "5s"}},
        Balancing(BalancerPrograms(Argv(("./drain",)), Script("./restore"), STATUS, 5.0)),
    ),
    ({"plugin": {"name": "envoy", "settings": {"a": 1}}, "drain": "5s"}, Balancing(Plugin("envoy", {"a": 1}), 5.0)),
]


@pytest.mark.parametrize(("table", "meant"), DRIVERS, ids=lambda one: next(iter(one)) if isinstance(one, dict) else "")
def test_a_driver_is_read_to_the_letter(table: dict[str, Any], meant: Driver) -> None:
    assert driver(table) == meant


@pytest.mark.parametrize(
    ("table", "meant"), BALANCERS, ids=lambda one: next(iter(one)) if isinstance(one, dict) else ""
)
def test_a_balancer_is_read_to_the_letter(table: dict[str, Any], meant: Balancing) -> None:
    assert balancing(table) == meant


def test_a_template_unit_is_started_stopped_killed_looked_at_and_checked_by_systemctl() -> None:
    unit = "ads@{unit-version}.service"
    assert driver({"killstart": {"root": "/srv", "systemd": {"unit": "ads@{version}.service"}}}) == KillStart(
        root="/srv",
        start=systemctl("start", unit=unit),
        stop=systemctl("stop", unit=unit),
        pid=systemctl("show", "--property=MainPID", "--value", unit=unit),
        kill=systemctl("kill", "--signal=KILL", unit=unit),
        check=systemctl("cat", unit=unit),
    )


@pytest.mark.parametrize(
    ("said", "before", "after"),
    [
        ({"sudo": True}, ("sudo", "-n", "--"), ()),
        ({"scope": "user"}, (), ("--user",)),
        ({"scope": "system"}, (), ()),
        ({"sudo": True, "scope": "user"}, ("sudo", "-n", "--"), ("--user",)),
    ],
    ids=str,
)
def test_every_call_of_systemctl_is_to_the_same_manager(
    said: dict[str, Any], before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    unit = "a-{instance}@{unit-version}.service"
    read = driver({"killstart": {"root": "/srv", "systemd": {"unit": "a-{instance}@{version}.service", **said}}})
    assert isinstance(read, KillStart)
    assert [read.start, read.stop, read.pid, read.kill, read.check] == [
        systemctl("start", before=before, after=after, unit=unit),
        systemctl("stop", before=before, after=after, unit=unit),
        systemctl("show", "--property=MainPID", "--value", before=before, after=after, unit=unit),
        systemctl("kill", "--signal=KILL", before=before, after=after, unit=unit),
        systemctl("cat", before=before, after=after, unit=unit),
    ]


def test_what_a_plug_in_is_told_is_plain_values() -> None:
    told = of("plug-ins", "Nightly").deploy
    assert told == Plugin(
        name="nomad",
        settings={
            "region": "eu",
            "count": 2,
            "secure": True,
            "ratio": 0.5,
            "tags": ["a", "b"],
            "job": {"name": "nightly", "since": "2024-01-02"},
        },
        grace=60.0,
        keep=2,
    )

    def classes(value: object) -> set[type]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return {type(value)}.union(*map(classes, inner))

    assert isinstance(told, Plugin)
    assert not classes(told.settings) & {Table, Row}


def test_waves_are_numbers_and_shares() -> None:
    rollout = of("fleet-over-ssh", "AdCaster").rollout
    assert (rollout.waves, rollout.floor, rollout.bake) == ((Wave(1), Wave(2), Wave(25, percent=True)), 6, 300.0)


def test_a_share_is_of_the_whole_fleet_and_never_nothing() -> None:
    assert [Wave(25, percent=True).of(fleet) for fleet in (1, 3, 4, 8, 11)] == [1, 1, 1, 2, 2]
    assert [Wave(5).of(fleet) for fleet in (1, 5, 50)] == [5, 5, 5]


def test_the_machine_of_an_instance_is_its_host_or_else_its_addresses() -> None:
    fleet = of("fleet-over-ssh", "AdCaster").instances
    assert [(one.name, one.on, one.host, one.machine) for one in fleet if one.name in {"p1", "a1", "a5"}] == [
        ("p1", "", "ads-p1.example.net", "ads-p1.example.net"),
        ("a1", "ads-1", "10.0.1.1", "ads-1"),
        ("a5", "2001:db8::5", "2001:db8::5", "2001:db8::5"),
    ]


def test_a_whole_service_over_ssh_is_read() -> None:
    read = of("commands-over-ssh", "IDBroker")
    assert read.deploy == KillStart(
        root="/srv/IDBroker",
        start=Argv(("./run", "--port", "{port}")),
        stop=Script('kill -INT "$DEPLOYGATE_PID"'),
        check=Argv(("./run", "--check")),
        secrets=("DATABASE_PASSWORD", "idbroker_token"),
        ssh=Ssh(),
    )
    assert read.balancer == Balancing(
        Nginx(
            file="/etc/nginx/conf.d/idbroker.conf",
            upstream="idbroker",
            test=Argv(("sudo", "-n", "nginx", "-t")),
            reload=Argv(("sudo", "-n", "nginx", "-s", "reload")),
            pid_file="/var/run/nginx.pid",
            hosts=("lb-1", "lb-2"),
            ssh=Ssh(user="deploy"),
        )
    )


def test_a_service_without_a_balancer_has_none() -> None:
    assert of("full", "AdCaster").balancer is None
    assert of("programs-of-your-own", "AdCaster").balancer == Balancing(
        BalancerPrograms(
            drain=Argv(("./lb/drain", "{instance}")),
            restore=Argv(("./lb/restore", "{instance}")),
            status=Argv(("./lb/status",)),
            timeout=30.0,
        ),
        drain=0.0,
        environments=(Environment("canary"), Environment("production")),
    )
