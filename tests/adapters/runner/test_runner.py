"""What a runner is told: nothing that is said can become another command, another output or another value."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from deploygate.adapters.runner import Runner
from deploygate.adapters.runner.runner import ANNOTATIONS, SUMMARY
from deploygate.adapters.runner.spelling import command, entry
from deploygate.findings import Finding, Severity, Where


def told(environ: dict[str, str] | None = None) -> tuple[Runner, list[str]]:
    out: list[str] = []
    return Runner(environ or {}, out.append), out


def finding(line: int, says: str = "wrong", severity: Severity = Severity.ERROR) -> Finding:
    return Finding("a-rule", Where("services.yml", line, 3), says, "Mend it.", severity)


def obeyed(printed: str) -> list[str]:
    """Return the commands that a runner obeys, as it decides: none between stop-commands and its token."""
    token, commands = "", []
    for line in printed.splitlines():
        name, _, rest = line.removeprefix("::").partition("::") if line.startswith("::") else ("", "", "")
        if token:
            token = "" if line == f"::{token}::" else token
        elif name == "stop-commands":
            token = rest
        elif name:
            commands.append(line)
    return commands


def test_an_annotation_names_the_file_the_line_and_the_column() -> None:
    runner, out = told()
    runner.annotate([finding(7)])
    assert out == ["::error file=services.yml,line=7,col=3,title=a-rule::wrong. Mend it.\n"]


def test_a_runner_shows_ten_annotations_of_a_kind_so_nine_are_findings_and_errors_come_first() -> None:
    runner, out = told()
    warning = finding(1, severity=Severity.WARNING)
    runner.annotate([warning, *(finding(line) for line in range(2, 20))])
    lines = "".join(out).splitlines()
    assert len(lines) == ANNOTATIONS + 1
    assert [line.split(" ")[0] for line in lines] == ["::error"] * ANNOTATIONS + ["::warning"]


def test_what_is_only_worth_knowing_is_a_notice() -> None:
    runner, out = told()
    runner.annotate([finding(7, severity=Severity.NOTE)])
    assert out == ["::notice file=services.yml,line=7,col=3,title=a-rule::wrong. Mend it.\n"]


@given(st.text(), st.text())
def test_no_text_becomes_a_second_command(says: str, title: str) -> None:
    line = command("error", says, {"title": title})
    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith("::error")


@given(st.text())
def test_no_value_ends_before_its_end(value: str) -> None:
    written = entry("decision", value)
    mark = written.partition("\n")[0].partition("<<")[2]
    assert mark not in value
    assert written == f"decision<<{mark}\n{value}\n{mark}\n"


def test_between_its_own_commands_a_runner_obeys_nothing_that_is_printed() -> None:
    runner, out = told()
    runner.mask("s3cret-value")
    runner.hush()
    out.append("::set-output name=decision::pass\n")
    runner.annotate([finding(1)])
    out.append("::add-mask::a\n::error::forged\n")
    runner.fail("title", "says")
    out.append("::warning::forged\n")
    kinds = [line.split("::")[1].split(" ")[0] for line in obeyed("".join(out))]
    assert kinds == ["add-mask", "error", "error"]


def test_the_token_that_stops_commands_is_another_one_each_time() -> None:
    runner, out = told()
    runner.hush()
    runner.annotate([finding(1)])
    tokens = [line.partition("::stop-commands::")[2] for line in "".join(out).splitlines() if "stop-commands" in line]
    assert len(set(tokens)) == 2


def test_each_line_of_a_secret_is_masked() -> None:
    runner, out = told()
    runner.mask("-----BEGIN\nabcdef\n\nx\n")
    assert "".join(out).splitlines() == ["::add-mask::-----BEGIN", "::add-mask::abcdef"]


def test_outputs_and_state_are_appended_to_their_files(tmp_path: Path) -> None:
    out, state = tmp_path / "out", tmp_path / "state"
    runner, _ = told({"GITHUB_OUTPUT": str(out), "GITHUB_STATE": str(state)})
    runner.output("decision", "pass")
    runner.output("result", "{\n}")
    runner.state("phase", "begun")
    lines = out.read_text().splitlines()
    assert lines[0].startswith("decision<<")
    assert lines[1] == "pass"
    assert lines[4:6] == ["{", "}"]
    assert state.read_text().splitlines()[1] == "begun"


def test_where_there_is_no_runner_nothing_is_written() -> None:
    runner, out = told()
    runner.output("a", "b")
    runner.state("a", "b")
    runner.summary("# c")
    assert out == []


def test_a_summary_is_cut_before_a_runner_would_drop_it_and_says_so(tmp_path: Path) -> None:
    runner, _ = told({"GITHUB_STEP_SUMMARY": str(tmp_path / "s")})
    runner.summary("### verdict\n<details>\n" + "| ä |\n" * 300_000)
    text = (tmp_path / "s").read_text()
    assert len(text.encode()) <= SUMMARY
    assert text.startswith("### verdict\n")
    assert text.count("<details>") == text.count("</details>")
    assert text.endswith("lines left out, see the run*\n")

    runner.summary("### verdict\n`````diff\n" + "+ one\n" * 300_000)
    assert "\n`````\n" in (tmp_path / "s").read_text()
