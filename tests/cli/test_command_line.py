"""The command line: its verbs, its options, what it refuses and how it says so."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from deploygate.cli.main import VERBS, Verbs, cli
from deploygate.endings import EXIT_CODES, MEANINGS, Ending
from deploygate.wish import WAIVABLE

FUSE = 60.0
RUNNING = ("plan", "deploy", "rollback")
SERVICE: dict[str, Any] = {
    "purpose": "Answers.",
    "owners": {"ops": "nathan", "dev": "cory", "pm": "obaid"},
    "version": "1.0",
    "health": {"interval": "50ms", "timeout": "200ms", "min_healthy": "100ms", "deadline": "3s"},
    "rollout": {"bake": "100ms"},
    "deploy": {"killstart": {"root": "srv", "start": ["./run", "{port}"], "grace": "1s"}},
    "instances": {
        "parallel-chain": [{"name": "p-1", "address": "http://127.0.0.1:1"}],
        "production": [
            {"name": "s-1", "address": "http://127.0.0.1:2"},
            {"name": "s-2", "address": "http://127.0.0.1:3"},
        ],
    },
}


@pytest.fixture(name="inventory")
def _inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write an inventory whose instances don't answer."""
    for name in [name for name in os.environ if name.startswith("DEPLOYGATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return written(tmp_path / "services.yml")


def written(path: Path, **changed: Any) -> Path:
    whole = {
        "schema": 1,
        "environments": ["parallel-chain", "production"],
        "services": {"AdCaster": SERVICE | changed},
    }
    path.write_text(json.dumps(whole))
    return path


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, list(words), env=environment)


def told(result: Result) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(result.stdout)
    assert data["schema"] == 1
    return data


def loaded_by(code: str) -> set[str]:
    """Return the modules that are loaded after some code in a fresh Python."""
    script = f"import sys\n{code}\nprint('\\nMODULES', *sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=FUSE, text=True)
    return set(out.stdout.rsplit("MODULES", 1)[1].split())


def main_with(*words: str) -> str:
    return (
        f"sys.argv = ['deploygate', *{list(words)!r}]\nfrom deploygate.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )


HEAVY = {"jsonschema", "requests", "urllib3", "psutil", "rich", "yaml", "tabulate", "msgspec"}


def test_help_lists_every_verb_and_every_exit_code() -> None:
    shown = run("--help").output
    for verb, says in VERBS.items():
        assert f"  {verb} " in shown
        assert says in " ".join(shown.split())
    for ending, code in EXIT_CODES.items():
        assert f"{code}  {ending}" in shown
        assert MEANINGS[ending] in " ".join(shown.split())


def test_help_loads_no_library_but_click() -> None:
    assert loaded_by(main_with("--help")) & HEAVY == set()
    assert loaded_by(main_with("--version")) & HEAVY == set()


def test_a_check_loads_neither_network_nor_terminal_libraries(inventory: Path) -> None:
    assert loaded_by(main_with("check", "-i", str(inventory))) & {"requests", "urllib3", "psutil", "rich"} == set()


def test_every_verb_has_a_command_of_its_own_name() -> None:
    group = Verbs()
    with click.Context(group) as context:
        commands = [group.get_command(context, verb) for verb in group.list_commands(context)]
        assert [command.name for command in commands if command] == list(VERBS)
        assert group.get_command(context, "os") is None


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"Usage: cli {verb}" in result.output
    assert run(verb, "-h").output == result.output


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-verb",),
        ("deploy",),
        ("deploy", "A", "1", "2"),
        ("deploy", "A", "--no-such-option"),
        ("deploy", "A", "--baseline", "odd"),
        ("plan", "A", "--format", "xml"),
        ("check", "--format", ""),
        ("rollback",),
        ("deploy", "A", "--progress", "loud"),
    ],
)
@pytest.mark.usefixtures("inventory")
def test_a_wrong_command_line_exits_with_2(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


def test_without_a_verb_there_is_help_and_a_usage_error() -> None:
    assert run().exit_code == 2


@pytest.mark.parametrize("verb", [*RUNNING, "observe"])
@pytest.mark.usefixtures("inventory")
def test_an_unknown_service_is_met_with_the_nearest(verb: str) -> None:
    result = run(verb, "AdCatser")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "✘ usage_error  there is no service AdCatser in the inventory\n  now   Did you mean AdCaster?\n"
    )


@pytest.mark.usefixtures("inventory")
def test_a_service_unlike_any_is_met_with_the_list() -> None:
    assert run("deploy", "zzz").stderr.endswith("  now   There are: AdCaster.\n")


@pytest.mark.parametrize("verb", RUNNING)
@pytest.mark.usefixtures("inventory")
def test_an_unknown_environment_is_met_with_the_list(verb: str) -> None:
    result = run(verb, "AdCaster", "--environment", "staging")
    assert result.exit_code == 2
    assert result.stderr == (
        "✘ usage_error  there is no environment staging\n  now   The inventory has: parallel-chain, production.\n"
    )


@pytest.mark.parametrize(
    "version", ["../../tmp/x", "/tmp/x", "..", ".deploygate", "a b", "-x", "1\n", "1..2", "x" * 129]
)
@pytest.mark.parametrize("verb", RUNNING)
def test_what_cannot_be_a_releases_folder_is_no_version(inventory: Path, verb: str, version: str) -> None:
    words = ("--to", version) if verb == "rollback" else ("--", version)
    result = run(verb, "AdCaster", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert " is not a version\n" in result.stderr
    assert not (inventory.parent / ".deploygate").exists()


@pytest.mark.parametrize("verb", RUNNING)
@pytest.mark.parametrize(
    ("waiver", "says", "help_"),
    [
        ("baseline", "--waive baseline has no reason", 'Write why: --waive baseline="…".'),
        ("baseline= ", "--waive baseline has no reason", 'Write why: --waive baseline="…".'),
        (
            "identity=x",
            "--waive identity: there is no such rule to waive",
            f"These can be waived: {', '.join(WAIVABLE)}.",
        ),
        ("=x", "--waive : there is no such rule to waive", f"These can be waived: {', '.join(WAIVABLE)}."),
    ],
)
@pytest.mark.usefixtures("inventory")
def test_a_waiver_needs_a_known_rule_and_a_reason(verb: str, waiver: str, says: str, help_: str) -> None:
    result = run(verb, "AdCaster", "--waive", waiver)
    assert (result.exit_code, result.stderr) == (2, f"✘ usage_error  {says}\n  now   {help_}\n")


@pytest.mark.usefixtures("inventory")
def test_what_was_typed_cannot_forge_a_command_of_the_runner() -> None:
    result = run("deploy", "x\n::error::y\n##[error]z")
    assert not [line for line in result.stderr.splitlines() if line.startswith("::") or "##[" in line]


ERRORS: list[tuple[tuple[str, ...], str, int]] = [
    *(((verb, "Nobody"), "usage_error", 2) for verb in RUNNING),
    *(((verb, "AdCaster", "--environment", "x"), "usage_error", 2) for verb in RUNNING),
    *(((verb, "AdCaster", "--waive", "x"), "usage_error", 2) for verb in RUNNING),
    (("deploy", "AdCaster", "a/b"), "usage_error", 2),
    (("observe", "Nobody"), "usage_error", 2),
]


@pytest.mark.parametrize(("words", "ending", "code"), ERRORS, ids=str)
@pytest.mark.usefixtures("inventory")
def test_an_error_as_json_is_json(words: tuple[str, ...], ending: str, code: int) -> None:
    result = run(*words, "--format", "json")
    data = told(result)
    assert (result.exit_code, data["exit_code"]) == (code, code)
    assert (data["ending"], data["reason_code"], data["findings"]) == (ending, ending, [])
    assert data["says"]


@pytest.mark.parametrize("verb", [*RUNNING, "observe"])
def test_a_broken_inventory_ends_every_verb_with_its_findings(inventory: Path, verb: str) -> None:
    written(inventory, purpouse="x")
    result = run(verb, "AdCaster", "--format", "json")
    data = told(result)
    assert (result.exit_code, data["ending"]) == (3, "inventory_error")
    assert [(one["rule"], one["file"]) for one in data["findings"]] == [("unknown-key", "services.yml")]
    text = run(verb, "AdCaster")
    assert text.stdout == ""
    assert "[unknown-key]" in text.stderr
    assert "✘ inventory_error  the inventory has 1 finding\n" in text.stderr


@pytest.mark.parametrize("verb", ["plan", "deploy"])
@pytest.mark.usefixtures("inventory")
def test_a_refusal_as_json_is_json_with_its_reasons(verb: str) -> None:
    result = run(verb, "AdCaster", "2.0", "--format", "json")
    data = told(result)
    assert (result.exit_code, data["ending"], data["decision"], data["exit_code"]) == (4, "refused", "fail", 4)
    assert {one["rule"] for one in data["reasons"]} == {"baseline", "way-back"}


@pytest.mark.usefixtures("inventory")
def test_a_rollback_without_a_deploy_is_refused() -> None:
    data = told(run("rollback", "AdCaster", "--format", "json"))
    assert [one["rule"] for one in data["reasons"]] == ["nothing-to-undo"]


@pytest.mark.usefixtures("inventory")
def test_an_observation_as_json_says_what_is_not_as_wanted() -> None:
    result = run("observe", "--format", "json")
    assert result.exit_code == EXIT_CODES[next(ending for ending in EXIT_CODES if ending == "cannot_tell")] == 9
    assert [(one["instance"], one["health"], one["as_wanted"]) for one in told(result)["instances"]] == [
        ("p-1", "ill", False), ("s-1", "ill", False), ("s-2", "ill", False),
    ]  # fmt: skip


def test_an_observation_touches_nothing(inventory: Path) -> None:
    run("observe")
    assert sorted(path.name for path in inventory.parent.iterdir()) == ["services.yml"]


def test_a_plan_touches_nothing(inventory: Path) -> None:
    run("plan", "AdCaster", "2.0")
    assert sorted(path.name for path in inventory.parent.iterdir()) == ["services.yml"]


def test_a_dry_run_touches_nothing(inventory: Path) -> None:
    waived = ("--baseline", "broken", "--waive", "way-back=nothing runs yet")
    result = run("deploy", "AdCaster", "2.0", "--dry-run", *waived, "--format", "json")
    assert result.exit_code == 0
    assert told(result)["actions"][0] == "take the lock, as a deploy"
    assert run("deploy", "AdCaster", "2.0", "--dry-run").exit_code == 4
    assert sorted(path.name for path in inventory.parent.iterdir()) == ["services.yml"]


def test_options_may_be_given_by_the_environment(inventory: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.yml"
    inventory.rename(elsewhere)
    assert run("check").exit_code == 3
    result = run("check", DEPLOYGATE_INVENTORY=str(elsewhere), DEPLOYGATE_FORMAT="json")
    assert (result.exit_code, told(result)["findings"]) == (0, [])
    state = tmp_path / "kept"
    result = run(
        "deploy", "AdCaster", "2.0",
        DEPLOYGATE_INVENTORY=str(elsewhere), DEPLOYGATE_STATE=str(state), DEPLOYGATE_PROGRESS="none",
    )  # fmt: skip
    assert result.exit_code == 4
    assert (state / "forge" / "summary.md").read_text().startswith("### ❌ `refused`")
    assert not (tmp_path / ".deploygate").exists()


def test_an_option_outweighs_the_environment(inventory: Path) -> None:
    result = run("check", "--format", "text", "-i", str(inventory), DEPLOYGATE_FORMAT="json", DEPLOYGATE_INVENTORY="x")
    assert result.stdout == f"✔ {inventory}: 1 service, 3 instances\n"


@pytest.mark.usefixtures("inventory")
def test_a_wrong_value_in_the_environment_is_a_usage_error() -> None:
    assert run("check", DEPLOYGATE_FORMAT="xml").exit_code == 2


@pytest.mark.usefixtures("inventory")
def test_a_sound_inventory_is_checked_in_every_format() -> None:
    assert run("check").stdout == "✔ services.yml: 1 service, 3 instances\n"
    assert told(run("check", "--format", "json")) == {"schema": 1, "findings": []}
    assert run("check", "--format", "markdown").exit_code == 0


def test_a_broken_inventory_is_checked_in_every_format(inventory: Path) -> None:
    written(inventory, version="1 0")
    text, markdown, data = (run("check", "--format", form) for form in ("text", "markdown", "json"))
    assert (text.exit_code, markdown.exit_code, data.exit_code) == (3, 3, 3)
    assert text.stdout.endswith("✘ services.yml: 1 error\n")
    assert markdown.stdout.startswith("| where ")
    (finding,) = told(data)["findings"]
    assert (finding["severity"], finding["file"], finding["line"]) == ("error", "services.yml", 1)
    assert text.stdout.startswith(f"services.yml:1:{finding['column']}: error: ")


@pytest.mark.usefixtures("inventory")
def test_an_inventory_that_is_not_there_is_an_inventory_error() -> None:
    result = run("check", "-i", "nowhere.yml", "--format", "json")
    assert (result.exit_code, [one["rule"] for one in told(result)["findings"]]) == (3, ["missing-file"])


def test_the_schema_is_printed_as_it_stands() -> None:
    result = run("schema")
    shipped = Path(__file__).parents[2] / "schemas" / "service-inventory.schema.json"
    assert (result.exit_code, result.stdout) == (0, shipped.read_text(encoding="utf-8"))
    assert json.loads(result.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.usefixtures("inventory")
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_refused_plan_twice_gives_the_same_bytes(form: str) -> None:
    first, second = (run("plan", "AdCaster", "2.0", "--format", form) for _ in range(2))
    assert (first.exit_code, first.stdout) == (EXIT_CODES[Ending.REFUSED], second.stdout)


def test_only_a_demos_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    assert run("demo", "--stop", str(tmp_path)).exit_code == EXIT_CODES[Ending.USAGE_ERROR]
    assert (tmp_path / "mine.txt").read_text() == "precious"
