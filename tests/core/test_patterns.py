"""Patterns of CODEOWNERS, held against git's own reading of them and against what GitHub's docs say is different."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploygate.patterns import matches, pattern, rule_of, writable

PATHS = (
    *("services.yml", "Services.yml", "services/a.yml", "services/b.yaml", "services/deep/a.yml", "x/services/a.yml"),
    *(
        "services/a b.yml",
        "services/a[1].yml",
        "services/a1.yml",
        "services/a*.yml",
        "services/a?.yml",
        "services/ab.yml",
    ),
    *("apps/github/x", "apps/x", "docs/apps/x", "build/logs/x/y", "a\\b.yml", "services/#a.yml", "services/a#.yml"),
)
RULES = (
    *("*", "*.yml", "*.y?ml", "services.yml", "/services.yml", "services/", "/services/", "services", "/services"),
    *("/services/a.yml", "/services/*.yml", "services/*.yml", "**/services", "/services/**", "/services/**/a.yml"),
    *(
        "**/a.yml",
        "apps/",
        "/apps/",
        "/apps/github",
        "/build/logs/",
        "s*/a.yml",
        "/*.yml",
        "*/apps/x",
        "/services/a\\ b.yml",
    ),
    *("/services/a\\[1\\].yml", "/services/a\\*.yml", "/services/a\\?.yml", "/services/a?.yml", "/a\\\\b.yml", "logs/"),
    *(pattern(path) for path in PATHS if writable(path)),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git, whose patterns these are, is not installed")
    folder = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


@pytest.mark.parametrize("rule", RULES)
def test_a_pattern_means_what_git_takes_it_to_mean(repository: Path, rule: str) -> None:
    (repository / ".gitignore").write_text(f"{rule}\n")
    words = ["git", "-C", str(repository), "check-ignore", "--no-index", "--stdin", "-z"]
    done = subprocess.run(words, input="\0".join(PATHS), capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    assert [path for path in PATHS if matches(rule, path)] == [one for one in PATHS if one in done.stdout.split("\0")]


def test_a_star_at_the_end_is_this_folder_only_unlike_with_git() -> None:
    paths = ("docs/getting-started.md", "docs/build-app/troubleshooting.md")
    assert [matches("docs/*", path) for path in paths] == [True, False]


@pytest.mark.parametrize("path", PATHS)
def test_the_pattern_of_a_path_matches_it_and_where_it_can_be_written_nothing_else(path: str) -> None:
    assert matches(pattern(path), path)
    if writable(path):
        assert [one for one in PATHS if matches(pattern(path), one)] == [path]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("services/a b.yml", "/services/a\\ b.yml"),
        ("services/#a.yml", "/services/?a.yml"),
        ("a#b.yml", "/a?b.yml"),
        ("!a.yml", "/!a.yml"),
        ("a[1].yml", "/a\\[1\\].yml"),
        ("a\tb\u200b.yml", "/a*b*.yml"),
        ("Ärger.yml", "/Ärger.yml"),
    ],
)
def test_what_has_a_meaning_in_a_pattern_is_escaped_and_a_hash_is_any_character(path: str, rule: str) -> None:
    assert pattern(path) == rule
    assert rule_of(f"{rule} @cory") == rule


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("*.js @a @b", "*.js"),
        ("  /x\t@a", "/x"),
        ("/path\\ with\\ spaces/ @a", "/path\\ with\\ spaces/"),
        ("/apps/github", "/apps/github"),
        ("# comment", ""),
        ("\\#file @a", "\\#file"),
        ("!a.yml @a", ""),
        ("[ab].yml @a", ""),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_line_has_a_pattern_or_none_that_github_takes(line: str, rule: str) -> None:
    assert rule_of(line) == rule


@given(st.text(alphabet="ab/*?\\ #[]!.", max_size=30), st.text(alphabet="ab/# []!.*?\\", min_size=1, max_size=30))
def test_no_pattern_and_no_path_break_it(rule: str, path: str) -> None:
    assert matches(rule, path) in {True, False}
    assert matches(pattern(path), path) or "//" in f"/{path}/"


def test_a_pattern_of_many_stars_costs_no_more_than_others() -> None:
    assert not matches("*a" * 2_000 + "b", "a" * 200)
