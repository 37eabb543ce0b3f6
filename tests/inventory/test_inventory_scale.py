"""Fleets of any size: the generator makes sound ones, places stay exact in them, and a check imports little for it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploygate import report
from deploygate.cli.loading import Loaded, load_inventory
from deploygate.findings import errors

GENERATOR = Path(__file__).parents[2] / "bench" / "fleets.py"
NOT_NEEDED = ("jsonschema", "tabulate", "rich", "requests", "github", "psutil", "deploygate.account")


def generate(path: Path, services: int, instances: int, *more: str) -> Path:
    words = [sys.executable, str(GENERATOR), f"--services={services}", f"--instances={instances}", *more, str(path)]
    subprocess.run(words, check=True)
    return path


def sizes(loaded: Loaded) -> tuple[int, int]:
    assert errors(loaded.findings) == ()
    assert loaded.inventory is not None
    found = loaded.inventory.services
    return len(found), sum(len(one.instances) for one in found.values())


def test_the_fleet_of_the_talk_is_sound_and_has_its_services_and_instances(tmp_path: Path) -> None:
    loaded = load_inventory(generate(tmp_path / "talk.yml", 108, 3500))
    assert sizes(loaded) == (108, 3500)
    assert loaded.inventory is not None
    named = ["AdCaster", "AtlasDB", "ScheduledTaskRunner", "IDBroker", "DMLoadBalancer"]
    assert list(loaded.inventory.services)[:5] == named


@pytest.mark.parametrize(("services", "instances"), [(1, 3), (7, 100), (400, 1234)])
def test_a_fleet_of_any_size_is_sound(tmp_path: Path, services: int, instances: int) -> None:
    assert sizes(load_inventory(generate(tmp_path / "fleet.yml", services, instances))) == (services, instances)


def test_a_folder_holds_the_same_fleet_as_a_file(tmp_path: Path) -> None:
    file = load_inventory(generate(tmp_path / "fleet.yml", 20, 90)).inventory
    folder = load_inventory(generate(tmp_path / "fleet", 20, 90, "--folder")).inventory
    assert len(list((tmp_path / "fleet").iterdir())) == 21
    assert file is not None
    assert folder is not None
    for name, one in file.services.items():
        assert re.sub(r"Where\(.*?\)", "", repr(folder.services[name])) == re.sub(r"Where\(.*?\)", "", repr(one))


def test_the_same_size_is_the_same_bytes(tmp_path: Path) -> None:
    one, other = generate(tmp_path / "one.yml", 30, 200), generate(tmp_path / "other.yml", 30, 200)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("at", [50, 1500, 3400])
def test_the_place_of_a_finding_is_exact_in_a_large_fleet(tmp_path: Path, at: int) -> None:
    file = generate(tmp_path / "talk.yml", 108, 3500)
    lines = file.read_text().splitlines()
    number = next(index for index, line in enumerate(lines[at:], start=at) if line.startswith("        - {name: "))
    address = lines[number].index("address: ") + len("address: ")
    lines[number] = f'{lines[number][:address]}"http://10.0.0.300:8080"}}'
    file.write_text("\n".join(lines) + "\n")
    (finding,) = load_inventory(file).findings
    assert (finding.rule, finding.where.line, finding.where.column) == ("bad-address", number + 1, address + 1)


def test_a_check_of_a_sound_fleet_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    file = generate(tmp_path / "talk.yml", 20, 100)
    script = (
        "import sys; from deploygate.cli.main import cli; "
        f"cli.main(['check', '-i', {str(file)!r}], standalone_mode=False)"
    )
    words = (
        f"import atexit, sys; atexit.register(lambda: print(*[one for one in {NOT_NEEDED!r} if one in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", f"{words}; {script}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, ""), done.stderr


def test_every_report_is_found_where_it_is_said_to_be() -> None:
    assert all(callable(getattr(report, name)) for name in report.__all__)
