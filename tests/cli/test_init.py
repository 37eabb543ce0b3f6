"""What `deploygate init` writes is sound, says what it was given, and never takes the place of another file."""

import importlib
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploygate.cli.beginning.spelling import scalar
from deploygate.cli.init import command
from deploygate.cli.loading import load_inventory
from deploygate.cli.main import VERBS
from deploygate.inventory import Inventory, Service
from deploygate.ways import Argv, killstart

ADDRESSES = ("--address", "http://10.0.0.1:80", "--address", "http://10.0.0.2:80")
ODD = ["yes", "No", "~", "null", "1.10", "0x1f", "1:30", "2001-01-01", "y", "@team", "- a", "a: b", "a #b", "*a", "&a"]


def init(folder: Path, *words: str) -> Result:
    place = () if "--output" in words else ("-o", str(folder / "services.yml"))
    return CliRunner().invoke(command, ["--workflows", "none", *words, *place])


def loaded(folder: Path) -> Inventory:
    found = load_inventory(folder / "services.yml")
    assert found.findings == ()
    assert found.inventory is not None
    return found.inventory


def only(folder: Path) -> Service:
    (service,) = loaded(folder).services.values()
    return service


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_options_the_file_is_sound_and_says_what_to_change(tmp_path: Path) -> None:
    result = init(tmp_path)
    assert result.exit_code == 0
    assert loaded(tmp_path).environments == ("parallel-chain", "production")
    assert [one.name for one in only(tmp_path).instances] == ["my-service-p1", "my-service-1", "my-service-2"]
    assert (tmp_path / "services.yml").read_text().count("# change: ") == 9
    assert written(tmp_path) == ["services.yml"]


def test_it_says_what_to_do_next(tmp_path: Path) -> None:
    result = init(tmp_path, "--service", "AdCaster")
    path = tmp_path / "services.yml"
    for line in (f"check -i {path}", f"plan AdCaster -i {path}", f"deploy AdCaster -i {path}"):
        assert f"    deploygate {line}\n" in result.stdout


def test_what_is_given_is_what_is_loaded(tmp_path: Path) -> None:
    words: tuple[str, ...] = ("--service", "AdCaster", "--version", "2.0")
    words += ("--purpose", 'Chooses: the "ad"\nfor a request.')
    words += ("--ops", "yes", "--dev", "cory", "--pm", "@example/pm", "--root", "/srv/my ads")
    words += ("--artifact", "out/{version}.zip", "--start", "python3 'a b.py' --port {port}", *ADDRESSES)
    words += ("--parallel-address", "http://10.0.1.1:80")
    assert init(tmp_path, *words).exit_code == 0
    service = only(tmp_path)
    assert (service.name, service.wanted, service.artifact) == ("AdCaster", "2.0", "out/{version}.zip")
    assert service.purpose == 'Chooses: the "ad" for a request.'
    assert (service.owners.ops, service.owners.dev, service.owners.pm) == ("yes", "cory", "@example/pm")
    assert killstart(service.deploy).root == "/srv/my ads"
    assert killstart(service.deploy).start == Argv(("python3", "a b.py", "--port", "{port}"))
    assert [one.address for one in service.instances] == [
        "http://10.0.1.1:80",
        "http://10.0.0.1:80",
        "http://10.0.0.2:80",
    ]
    assert "change: " not in re.sub("^#.*$", "", (tmp_path / "services.yml").read_text(), flags=re.MULTILINE)


def test_made_up_addresses_keep_off_the_given_ones(tmp_path: Path) -> None:
    init(tmp_path, "--address", "http://127.0.0.1:7101", "--address", "http://127.0.0.1:7102")
    assert [one.port for one in only(tmp_path).instances] == [7103, 7101, 7102]


@pytest.mark.parametrize("force", [False, True])
def test_a_file_that_exists_is_replaced_only_by_force(tmp_path: Path, *, force: bool) -> None:
    path = tmp_path / "services.yml"
    path.write_text("mine\n")
    result = init(tmp_path, *(["--force"] if force else []))
    assert result.exit_code == (0 if force else 2)
    assert (path.read_text() == "mine\n") is not force
    assert ("exists already; nothing was written" in result.stderr) is not force
    assert written(tmp_path) == ["services.yml"]


def test_a_link_to_nowhere_counts_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "services.yml").symlink_to(tmp_path / "gone")
    assert init(tmp_path).exit_code == 2
    assert written(tmp_path) == ["services.yml"]


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    assert init(tmp_path, "--output", str(tmp_path), "--force").exit_code == 2


def test_a_place_that_can_t_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = init(tmp_path, "--output", str(tmp_path / "file" / "services.yml"))
    assert (result.exit_code, "can't be written" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (ADDRESSES[:2], "single-instance"),
        ((*ADDRESSES[:2], *ADDRESSES[:2]), "same-address"),
        (("--address", "ftp://10.0.0.1", "--address", "http://10.0.0.1:80/x"), "bad-address"),
        (("--service", "two words"), "bad-name"),
        (("--version", "../up"), "bad-version"),
        (("--purpose", " "), "no-purpose"),
        (("--ops", ""), "three-owners"),
        (("--artifact", "dist/AdCaster"), "bad-value"),
        (("--start", ""), "bad-value"),
    ],
)
def test_what_is_not_sound_is_not_written(tmp_path: Path, words: tuple[str, ...], rule: str) -> None:
    result = init(tmp_path, *words)
    assert result.exit_code == 2
    assert f"[{rule}]" in result.stderr
    assert written(tmp_path) == []


def test_what_is_only_doubtful_is_written_and_told(tmp_path: Path) -> None:
    result = init(tmp_path, "--address", "http://10.0.0.1:80", "--address", "http://10.0.0.1:81")
    assert result.exit_code == 0
    assert "are on the host 10.0.0.1 [shared-host]" in result.stdout
    assert written(tmp_path) == ["services.yml"]


@pytest.mark.parametrize("words", [("--start", "'open"), ("--ops", "\udcff")])
def test_what_is_no_text_is_not_written(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert init(tmp_path, *words).exit_code == 2
    assert written(tmp_path) == []


@settings(max_examples=60)
@given(
    st.sampled_from(["--purpose", "--ops", "--dev", "--pm", "--root"]),
    st.one_of(st.sampled_from(ODD), st.text(max_size=30)),
)
@example("--purpose", "\u2028 a \x85 b\ufeff")
@example("--ops", "a\nb")
def test_any_text_is_kept_to_the_letter_or_refused(
    tmp_path_factory: pytest.TempPathFactory, option: str, text: str
) -> None:
    folder = tmp_path_factory.mktemp("init")
    result = init(folder, f"{option}={text}")
    if result.exit_code == 2:
        assert written(folder) == []
        return
    assert result.exit_code == 0, result.output
    service = only(folder)
    kept = {
        "--purpose": service.purpose,
        "--ops": service.owners.ops,
        "--dev": service.owners.dev,
        "--pm": service.owners.pm,
        "--root": killstart(service.deploy).root,
    }
    wanted = {"--purpose": " ".join(text.split()), "--root": text}
    assert kept[option] == wanted.get(option, text.strip())


@given(st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_scalar_reads_as_its_text_in_other_readers_too(text: str) -> None:
    assert yaml.safe_load(f"[{scalar(text)}]") == [text]
    assert yaml.safe_load(f"{scalar(text)}: 1") == {text: 1}


@pytest.mark.parametrize("odd", ODD)
def test_odd_but_good_owners_are_written(tmp_path: Path, odd: str) -> None:
    assert init(tmp_path, f"--ops={odd}").exit_code == 0
    assert only(tmp_path).owners.ops == odd


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    found = importlib.import_module(f"deploygate.cli.{verb}").command
    result = CliRunner().invoke(found, ["--help"], prog_name=f"deploygate {verb}")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: deploygate {verb} ")
    assert all(option.help for option in found.params if option.param_type_name == "option")
