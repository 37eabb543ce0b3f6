"""Whatever a shell obeys, in every place where a name or a text can stand: it arrives to the letter, or is refused."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes.fleet import WATCH, Gate, Told

from .ssh_fleet import SshFleet, needs_hosts

pytestmark = needs_hosts
ODD = '-x $(touch owned1) `touch owned2` it\'s "q" \\; touch owned3 #| <b>@ops</b> &'
LINES = f"{ODD}\n touch owned4 \n"


def canaries(*places: Path) -> list[Path]:
    """Return what exists only because a value became shell; the odd names themselves are longer."""
    found = [path for place in places for path in place.rglob("owned[0-9]")]
    return found + [path for place in (Path.home(), Path.cwd()) for path in place.glob("owned[0-9]")]


class Odd:
    """One instance on a host, in an inventory in which all that may be odd is so, and the command line."""

    def __init__(self, folder: Path) -> None:
        self.fleet = SshFleet(folder / "plain", 1, root=f"srv/{ODD.replace('/', '')}")
        self.folder = folder / "in $(touch owned5) 'ventory' \"x\""
        self.folder.mkdir()
        fleet = self.fleet
        for version in ("1.0", "2.0"):
            built = fleet.release(version)
            (built / "-link $(touch owned6)").symlink_to("a folder/it's; a $(file)")
            started = (built / "run").read_text().splitlines()[-1]
            (built / "run").write_text(f'#!/bin/sh\nprintf %s "$3" >"$DEPLOYGATE_ROOT/word"\n{started}\n')
            shutil.copytree(built, self.folder / "-di st $(touch owned7)" / f"Svc-{version}", symlinks=True)
        (self.folder / "lb").write_text('#!/bin/sh\nprintf "%s|" "$@" >>words\n')
        (self.folder / "lb").chmod(0o755)
        (self.folder / "services.yml").write_text(json.dumps(self.document()))
        self.given = self.environment()

    def document(self, **changed: Any) -> dict[str, Any]:
        fleet = self.fleet
        one = fleet.service.instances[0]
        service: dict[str, Any] = {
            "purpose": LINES,
            "owners": {"ops": ODD, "dev": "-n $HOME", "pm": 'o\'b "a"'},
            "version": "1.0",
            "artifact": "-di st $(touch owned7)/Svc-{version}",
            "health": WATCH | {"passes": 1, "min_healthy": "0ms"},
            "version_probe": {"path": "/version", "json": "/version"},
            "rollout": {"bake": "0ms"},
            "deploy": {
                "killstart": {
                    "root": fleet.root,
                    "start": ["./run", "{host}", "{port}", LINES],
                    "stop": 'kill "$DEPLOYGATE_PID"',
                    "grace": "500ms",
                    "ssh": {"port": fleet.sshd.port},
                }
            },
            "balancer": {"command": {"drain": ["./lb", "out", LINES], "restore": ["./lb", "in", ODD]}, "drain": "1s"},
            "instances": {"production": [{"name": "i1", "address": one.address}]},
            "waive": {"single-instance": LINES, "no-twin": ODD},
        }
        return {"schema": 1, "environments": ["production"], "services": {"Svc": service | changed}}

    def environment(self) -> dict[str, str]:
        """Return the environment of a gate whose folders, and whose files for ssh, have odd names."""
        inputs, given = self.fleet.sshd.inputs, {}
        for name in ("TMPDIR", "RUNNER_TEMP", "HOME"):
            folder = self.folder / f"{name} $(touch owned8) 'x' #"
            folder.mkdir()
            given[name] = str(folder)
        for name, path in (("KNOWN_HOSTS", inputs.known_hosts), ("KEY", inputs.key), ("CONFIG", inputs.config)):
            assert path is not None
            odd = self.folder / f"-{name} `touch owned9` %h ~ \"q\" 'x'"
            shutil.copy(path, odd)
            odd.chmod(0o600)
            given[f"DEPLOYGATE_SSH_{name}"] = str(odd)
        return given

    def run(self, *words: str, form: str = "json", inventory: dict[str, Any] | None = None) -> Told:
        where = self.fleet.folder / "gates" / str(len(list(self.fleet.folder.glob("gates/*"))))
        where.mkdir(parents=True)
        file = self.folder / "services.yml"
        if inventory:
            file = where / "services.yml"
            file.write_text(json.dumps(inventory))
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "DEPLOYGATE_"))}
        return Gate(where, [*words, "-i", str(file), "--format", form], clean | self.given).told()


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Odd]:
    made = Odd(tmp_path)
    yield made
    made.fleet.down()


def test_the_whole_gate_takes_every_odd_name_and_text_to_the_letter(odd: Odd) -> None:
    fleet = odd.fleet
    told = odd.run("deploy", "Svc", "1.0", "--baseline", "broken", "--waive", f"way-back={ODD}")
    assert told.end == (0, "deployed"), told
    assert fleet.answers() == "1.0"
    assert (fleet.disk() / "word").read_text() == LINES
    assert (fleet.disk() / "1.0" / "-link $(touch owned6)").readlink() == Path("a folder/it's; a $(file)")
    assert odd.run("deploy", "Svc", "2.0").end == (0, "deployed")
    assert odd.run("rollback", "Svc").end == (0, "rolled_back")
    assert fleet.answers() == "1.0"
    said = (odd.folder / "words").read_text()
    assert said.replace(f"out|{LINES}|", "").replace(f"in|{ODD}|", "") == ""
    assert (f"out|{LINES}|" in said, f"in|{ODD}|" in said) == (True, True)
    assert [path for place in ("TMPDIR", "RUNNER_TEMP") for path in Path(odd.given[place]).iterdir()] == []
    assert canaries(fleet.folder, odd.folder) == []


def test_reports_show_odd_texts_as_texts(odd: Odd) -> None:
    odd.run("deploy", "Svc", "1.0", "--baseline", "broken", "--waive", "way-back=nothing ran yet")
    ill = odd.folder / "-di st $(touch owned7)/Svc-2.0/release.json"
    ill.write_text(json.dumps({"version": "2.0", "moans": ODD, "ill_after": 0}))
    told = odd.run("deploy", "Svc", "2.0")
    assert told.end == (6, "rolled_back"), told
    assert told.data["concerns"] == {"role": "ops", "who": ODD}
    for form in ("text", "markdown"):
        shown = odd.run("deploy", "Svc", "2.0", "--waive", f"bad-version={LINES}", form=form)
        assert shown.code == 6, shown
        assert "touch owned3" in shown.out
        assert "\x1b" not in shown.out
        if form == "markdown":
            assert "<b>" not in shown.out
            assert "@ops" not in shown.out.replace("\\@", "").replace("&#64;", "")
    assert canaries(odd.fleet.folder, odd.folder) == []
