"""The one edit that the gate proposes: the version at its place, and not one character besides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploygate.amending import amended
from deploygate.findings import Where
from deploygate.names import Version

OLD, NEW = Version("2.0"), Version("1.2")


@pytest.mark.parametrize(
    ("line", "column", "after"),
    [
        ('    version: "2.0"  # wanted\n', 14, '    version: "1.2"  # wanted\n'),
        ("    version: '2.0'\r\n", 14, "    version: '1.2'\r\n"),
        ("    version: 2.0-rc\n", 14, None),
        ("  A: {version: 2.0, purpose: x}\n", 16, '  A: {version: "1.2", purpose: x}\n'),
        ('    version: "2.0"', 14, '    version: "1.2"'),
    ],
)
def test_only_the_version_is_changed(line: str, column: int, after: str | None) -> None:
    text = f"services:\n{line}"
    if after is None:
        with pytest.raises(ValueError, match=r'there is no "2\.0" at'):
            amended(text, Where("s.yml", 2, column), OLD, NEW)
    else:
        assert amended(text, Where("s.yml", 2, column), OLD, NEW) == f"services:\n{after}"


@given(st.text(), st.integers(-2, 9), st.integers(-2, 40))
def test_what_is_not_there_is_never_changed(text: str, line: int, column: int) -> None:
    where = Where("s.yml", line, column)
    try:
        after = amended(text, where, OLD, NEW)
    except ValueError:
        return
    assert len(text.splitlines()) == len(after.splitlines())
    assert text.splitlines()[: line - 1] == after.splitlines()[: line - 1]
