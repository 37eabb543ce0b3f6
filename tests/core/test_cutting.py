"""A text that is too long is cut at a line, closed, and says what is missing; its verdict stays on top."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploygate.report import cut

RUN = "https://github.com/acme/shop/actions/runs/1/attempts/1"
SEE = f"left out, see [the run]({RUN})*\n"


def test_what_fits_is_left_alone() -> None:
    assert cut("### ✅ deployed\n", len("### ✅ deployed\n".encode()), RUN) == "### ✅ deployed\n"


def test_lines_go_from_the_end_and_are_counted() -> None:
    text = "### verdict\n" + "line\n" * 100
    shown = cut(text, 150, RUN)
    kept = shown.count("line\n")
    assert shown == "### verdict\n" + "line\n" * kept + f"\n*{100 - kept} lines {SEE}"
    assert 150 - 2 * len("line\n") < len(shown) <= 150


def test_one_line_is_called_one() -> None:
    text = "a\n" * 60 + "b" * 200
    assert cut(text, 220, RUN).endswith(f"a\n\n*1 line {SEE}")


def test_a_run_without_an_address_is_named_all_the_same() -> None:
    shown = cut("### verdict\n" + "line\n" * 100, 60, "")
    assert shown == "### verdict\nline\nline\n\n*98 lines left out, see the run*\n"


def test_a_fence_is_closed_with_its_own_mark() -> None:
    text = "### verdict\n````text\n```\n" + "row\n" * 100 + "````\n"
    assert "row\n````\n\n*" in cut(text, 180, RUN)


def test_every_fold_is_closed_also_one_in_another() -> None:
    text = "### verdict\n<details><summary>a</summary>\n\n<details><summary>b</summary>\n\n" + "- line\n" * 100
    assert "\n- line\n\n</details>\n\n</details>\n\n*" in cut(text, 300, RUN)


def test_what_is_closed_already_is_not_closed_twice() -> None:
    text = "### verdict\n<details><summary>a</summary>\n\nx\n\n</details>\n```\n<details>\n```\n" + "line\n" * 100
    assert "line\n\n*" in cut(text, 250, RUN)


def test_a_table_keeps_whole_rows_and_no_head_without_a_row() -> None:
    table = "### verdict\n\n| instance | health |\n|---|:--|\n" + f"| {'a' * 100} | good |\n" * 50
    assert cut(table, 200, RUN) == f"### verdict\n\n\n*52 lines {SEE}"
    assert cut(table, 280, RUN).count("| good |") == 1


def test_a_verdict_that_is_itself_too_long_is_cut_and_stays() -> None:
    shown = cut("### ✅ " + "ü" * 500 + "\n- why\n", 200, RUN)
    assert shown.startswith("### ✅ üü")
    assert shown.endswith(f"ü…\n\n*1 line {SEE}")


LINES = st.sampled_from(["| a | b |", "|---|---|", "```", "~~~~", "<details><summary>s</summary>", "</details>", ""])


@pytest.mark.parametrize("limit", [200, 400, 1000])
@given(st.lists(LINES | st.text(max_size=30), max_size=60))
def test_whatever_it_is_it_fits_and_its_verdict_stays(limit: int, lines: list[str]) -> None:
    shown = cut("\n".join(["### ✅ deployed", *lines]), limit, RUN)
    assert len(shown.encode()) <= limit
    assert shown.startswith("### ✅ deployed")


@given(st.lists(st.sampled_from(["<details><summary>s</summary>", "- line"]), min_size=40, max_size=80))
def test_whatever_is_cut_has_as_many_ends_of_folds_as_beginnings(lines: list[str]) -> None:
    shown = cut("\n".join(["### verdict", *lines]), 260, RUN)
    assert shown.count("<details>") == shown.count("</details>")
