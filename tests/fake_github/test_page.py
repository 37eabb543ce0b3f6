"""The page of the fake GitHub says what it does."""

import re
from pathlib import Path

from deploygate.fake_github import call
from deploygate.fake_github.endpoints import comments, deployments, statuses, workflows

PAGE = (Path(__file__).parents[2] / "docs" / "fake-github.md").read_text()


def test_the_first_example_is_a_test_that_passes() -> None:
    example = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    names: dict[str, object] = {}
    exec(compile(example, "fake-github.md", "exec"), names)
    test = names["test_the_bot_says_that_all_is_well"]
    assert callable(test)
    test()


def test_the_limits_are_those_that_are_kept() -> None:
    assert f"| {statuses.LONGEST} characters |" in PAGE
    assert statuses.LONGEST == deployments.LONGEST
    assert f"| {statuses.MOST:,}; capitals" in PAGE
    assert f"| {comments.MOST:,} characters |" in PAGE
    assert f"| {workflows.MOST:,} characters |" in PAGE
    assert f"up to {call.MOST} where" in PAGE
