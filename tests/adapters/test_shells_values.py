"""Whatever a value is, it reaches a shell to the letter, and no shell ever reads it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploygate.adapters.shells import Shells, SshInputs, assigned, words
from deploygate.adapters.shells.quoting import one_line

SHELLS = [
    command for command in (["dash"], ["bash", "--posix"], ["busybox", "sh"], ["/bin/sh"]) if shutil.which(command[0])
]
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80)
HOSTILE = "$(touch owned) `touch owned` '\"; touch owned; \\ \n-n ${HOME} %s !! \t é€ "


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@given(texts=st.lists(TEXTS, max_size=4), line=st.booleans())
@example(texts=[HOSTILE, "-e", "", "\n\n", "a\\", "'", "\r"], line=True)
@example(texts=[HOSTILE, "-e", "", "\n\n", "a\\", "'", "\r"], line=False)
@settings(max_examples=40)
def test_values_come_through_every_shell_unchanged(shell: list[str], texts: list[str], line: bool) -> None:  # noqa: FBT001
    if line:
        text = "nl=$(printf '\\nx'); nl=${nl%x}; " + "; ".join(f"v{n}={one_line(one)}" for n, one in enumerate(texts))
        assert "\n" not in text
        text += "\n"
    else:
        text = assigned({f"v{number}": one for number, one in enumerate(texts)})
    text += "".join(f"printf '%s\\0' \"$v{number}\"\n" for number in range(len(texts)))
    ran = subprocess.run(shell, input=text.encode(), capture_output=True, check=True, timeout=20)
    assert ran.stdout.decode().split("\0")[:-1] == texts
    assert not Path("owned").exists()


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
@example(texts=[HOSTILE, "--", "*", "~", "", "\n"])
@settings(max_examples=25)
def test_words_come_through_every_shell_unchanged(shell: list[str], texts: list[str]) -> None:
    text = assigned({"given": words(texts)}) + 'eval "set -- $given"\nprintf "%s\\0" "$@"\n'
    ran = subprocess.run(shell, input=text.encode(), capture_output=True, check=True, timeout=20)
    assert ran.stdout.decode().split("\0")[:-1] == texts


def test_a_nul_or_an_odd_name_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        assigned({"a": "x\0y"})
    with pytest.raises(ValueError, match="name of a value"):
        assigned({"a;b": "x"})


def test_standard_input_and_values_reach_a_program_of_a_kept_shell() -> None:
    shells = Shells(SshInputs())
    try:
        program = 'cat; printf "|%s" "$value"; echo complaint >&2; exit 7'
        for _ in range(3):
            ran = shells.run("", None, program, {"value": HOSTILE}, 20.0, stdin=HOSTILE)
            assert ran == (7, f"{HOSTILE}|{HOSTILE}", "complaint\n")
    finally:
        shells.close()


def test_what_a_forgotten_child_prints_later_is_in_no_other_answer() -> None:
    shells = Shells(SshInputs())
    try:
        shells.run("", None, "(sleep 0.05; echo late; echo late >&2) &", {}, 20.0)
        shells.run("", None, "sleep 0.1", {}, 20.0)
        assert shells.run("", None, "echo mine", {}, 20.0).out == "mine\n"
    finally:
        shells.close()
