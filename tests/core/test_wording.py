"""Words from outside come out as one harmless line."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deploygate.wording import count, dotted, plain, quoted, seconds

HOSTILE = ["::error::x", "##[error]x", "\x1b[31mred", "a\n::stop-commands::x", "\u202etxt", "\u2028::error::", ":::x"]
TEXTS = st.text() | st.sampled_from(HOSTILE) | st.text("#[:]\n\r\x1b\x00 a\u2028\ud800", max_size=400)


@given(TEXTS, st.integers(5, 300))
@example("\x00" * 400, 160)
@example("####[[[[x", 160)
def test_a_plain_text_is_one_printable_line_that_no_runner_obeys(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    assert "##[" not in shown
    assert not shown.startswith("::")
    assert shown == " ".join(shown.split())


@given(TEXTS)
def test_a_quoted_text_is_one_printable_line_that_no_runner_obeys(text: str) -> None:
    shown = quoted(text)
    assert shown.isprintable()
    assert len(shown) <= 62
    assert "##[" not in shown
    assert shown[0] == shown[-1] == '"'


@given(TEXTS)
def test_what_is_plain_stays_as_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)


def test_ordinary_words_are_left_alone() -> None:
    text = "answered 503 and says \u201cnicht bereit \u2013 später\u201d: a::b [x] # y"
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", ": :error::x"),
        ("  \n::error::x", ": :error::x"),
        ("##[group]x", "## [group]x"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\tb\r\nc", "a b c"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_or_a_runner_obeys_is_broken_up(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_long_text_is_cut_and_says_so() -> None:
    assert plain("abcdefgh", 5) == "abcd…"
    assert plain("abcde", 5) == "abcde"
    assert quoted("x" * 61) == f'"{"x" * 59}…"'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0 ms"), (0.4, "400 ms"), (1.0, "1 s"), (2.5, "2.5 s"), (9.96, "9.96 s"), (12.4, "12 s"),
        (119.4, "119 s"), (120.0, "2 min"), (180.0, "3 min"), (3600.0, "1 h"), (7500.0, "2 h 5 min"),
    ],
)  # fmt: skip
def test_durations_read_as_people_write_them(value: float, shown: str) -> None:
    assert seconds(value) == shown


def test_numbers_come_with_their_noun() -> None:
    assert [count(number, "instance") for number in (0, 1, 2)] == ["0 instances", "1 instance", "2 instances"]


def test_a_path_reads_as_people_write_it() -> None:
    assert dotted(("services", "AdCaster", "instances", 0)) == "services.AdCaster.instances[0]"
    assert dotted(()) == "the inventory"
    assert dotted(("a\nb",)) == "a b"
