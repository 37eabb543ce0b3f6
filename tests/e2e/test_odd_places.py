"""What a shell or ssh obeys, place by place: refused where the inventory is read, or given on to the letter."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from deploygate.cli.main import cli
from deploygate.endings import Goal
from deploygate.names import Environment, RunId, ServiceName
from deploygate.ports import Lease
from deploygate.ways import Argv, Script, Ssh

from .ssh_fleet import SshFleet, needs_hosts
from .test_odd_names import LINES, ODD, canaries

pytestmark = needs_hosts
WORDS = [
    "-oProxyCommand=touch owned1",
    "a b",
    "$(touch owned1)",
    "`touch owned1`",
    "a\nb",
    "; touch owned1 #",
    "'",
    "*/..",
]


def kill(**more: Any) -> dict[str, Any]:
    return {"deploy": {"killstart": {"root": "/srv/Svc", "start": ["./run"]} | more}}


def place(**more: Any) -> dict[str, Any]:
    return {"instances": {"production": [{"name": "i1", "address": "http://127.0.0.1:7101"} | more]}}


def haproxy(**more: Any) -> dict[str, Any]:
    return {"balancer": {"haproxy": {"sockets": ["/run/x.sock"], "backend": "b"} | more}}


def nginx(**more: Any) -> dict[str, Any]:
    return {"balancer": {"nginx": {"file": "/etc/nginx/x.conf", "upstream": "u"} | more}}


NEVER: dict[str, Callable[[str], dict[str, Any]]] = {
    "an ssh user": lambda odd: kill(ssh={"user": odd}),
    "a jump host": lambda odd: kill(ssh={"jump": odd}),
    "a host": lambda odd: place(host=odd),
    "an address": lambda odd: place(address=f"http://{odd}:7101"),
    "an instance": lambda odd: place(name=odd),
    "a secret": lambda odd: kill(secrets=[odd]),
    "a systemd unit": lambda odd: {
        "deploy": {"killstart": {"root": "/srv/Svc", "systemd": {"unit": f"{odd}@{{version}}"}}}
    },
    "a server of HAProxy": lambda odd: haproxy(server=f"{odd}{{instance}}"),
    "a backend of HAProxy": lambda odd: haproxy(backend=odd),
    "a socket of HAProxy": lambda odd: haproxy(sockets=[odd]),
    "an upstream of nginx": lambda odd: nginx(upstream=odd),
    "a host of nginx": lambda odd: nginx(hosts=[odd]),
    "an environment": lambda odd: {"instances": {odd: [{"name": "i1", "address": "http://127.0.0.1:7101"}]}},
    "a file of nginx": lambda odd: nginx(file=odd),
    "a pid file of nginx": lambda odd: nginx(pid_file=odd),
}


def test_a_name_that_could_be_taken_for_something_else_is_an_error_of_the_inventory_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "services.yml"
    sound = {
        "purpose": "Answers.", "owners": {"ops": "a", "dev": "b", "pm": "c"}, "version": "1.0",
        "waive": {"single-instance": "x", "no-twin": "x"},
    } | kill() | place()  # fmt: skip

    def refused(service: dict[str, Any], called: str = "Svc") -> bool:
        file.write_text(json.dumps({"schema": 1, "environments": ["production"], "services": {called: service}}))
        checked = CliRunner().invoke(cli, ["check", "-i", str(file)])
        assert checked.exit_code in {0, 3}, checked.output
        return checked.exit_code == 3

    assert not refused(sound)
    assert [(what, odd) for what, to in NEVER.items() for odd in WORDS if not refused(sound | to(odd))] == []
    assert [odd for odd in WORDS if not refused(sound, odd)] == []
    assert canaries(tmp_path) == []


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[SshFleet]:
    made = SshFleet(tmp_path, 1)
    yield made
    made.down()


@pytest.mark.parametrize("odd", WORDS)
def test_a_user_a_host_and_a_jump_host_that_ssh_could_take_for_an_option_are_never_given_to_it(
    fleet: SshFleet, odd: str
) -> None:
    host, port = fleet.sshd.hosts[0], fleet.sshd.port
    for at, way in ((host, Ssh(user=odd, port=port)), (host, Ssh(port=port, jump=odd)), (odd, Ssh(port=port))):
        with pytest.raises(ValueError, match="can't be the name of a "):
            fleet.shells.run(at, way, ":", {}, 20.0)
    assert canaries(fleet.folder) == []


def test_commands_of_a_host_get_odd_words_and_odd_values_to_the_letter(fleet: SshFleet) -> None:
    noted = fleet.folder / "noted"
    noted.mkdir()
    note = f'printf "%s|" "$@" >{noted}/'
    (fleet.folder / "dist/Svc-1.0/tell").write_text(f'#!/bin/sh\nverb=$1; shift; {note}"$verb"; echo 0\n')
    (fleet.folder / "dist/Svc-1.0/tell").chmod(0o755)
    fleet.service = replace(fleet.service, name=ServiceName(ODD))
    one = replace(fleet.service.instances[0], environment=Environment(LINES))
    fleet.service = replace(fleet.service, instances=(one,))
    words = {verb: Argv(("./tell", verb, ODD, LINES, "{service}", "{environment}")) for verb in ("start", "stop")}
    tell = f"{fleet.root}/1.0/tell"
    fleet.deployed(
        **words, pid=Argv((tell, "pid", ODD, LINES, "{service}")), check=Argv(("./tell", "check", LINES, ODD))
    )
    fleet.up()
    assert fleet.switch(None, "1.0") == ()
    whole = f"{ODD}|{LINES}|{ODD}|"
    assert {path.name: path.read_text() for path in noted.iterdir()} == {
        "start": f"{whole}{LINES}|", "stop": f"{whole}{LINES}|", "pid": whole, "check": f"{LINES}|{ODD}|",
    }  # fmt: skip
    told = f'printf "%s|" "$DEPLOYGATE_SERVICE" "$DEPLOYGATE_ENVIRONMENT" >{noted}/script'
    start = Script(f'{told}; exec ./run "$DEPLOYGATE_HOST" "$DEPLOYGATE_PORT"')
    fleet.deployed(start=start, stop=None, pid=None, check=None)
    assert fleet.switch("1.0") == ()
    assert fleet.answers() == "1.0"
    assert (noted / "script").read_text() == f"{ODD}|{LINES}|"
    pid = int(str(fleet.process().identity).split(":")[1])
    given = psutil.Process(pid).environ()
    assert (given["DEPLOYGATE_SERVICE"], given["DEPLOYGATE_ENVIRONMENT"]) == (ODD, LINES)
    assert canaries(fleet.folder) == []


def test_a_lease_is_one_line_whatever_its_run_its_gate_and_its_time_are_called(fleet: SshFleet) -> None:
    odd = Lease(RunId("a b\n$(touch owned1)"), Goal.DEPLOY, LINES, ODD, "`touch owned2`\n; touch owned3", 60.0)
    assert fleet.claim(odd) == ()
    text = fleet.lease_file().read_text()
    assert (text.count("\n"), len(text.split())) == (1, 8)
    (holder,) = fleet.claim(fleet.lease("run-2"))
    assert holder.rank is Goal.DEPLOY
    assert (holder.run, holder.gate) == ("a-b-$(touch-owned1)", "-".join(LINES.split()))
    assert fleet.claim(fleet.lease("run-2"), "$(touch owned4)", "*", holder.run) == ()
    assert canaries(fleet.folder) == []
