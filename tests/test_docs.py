"""The docs say what the code does: generated parts, examples, links, and a line for each thing that needs one."""

import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploygate.cli.loading import load_inventory
from deploygate.cli.main import VERBS
from deploygate.endings import EXIT_CODES
from deploygate.rollout import Phase
from deploygate.rules import RULES
from deploygate.wish import WAIVABLE

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def inventories() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for number, (_, block) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
            if block.startswith("schema:"):
                yield f"{name(page)}-{number}", block


def test_the_generated_parts_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_marker_is_closed(page: Path) -> None:
    markers = re.findall(r"^<!-- (generated|end)\b", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert markers == ["generated", "end"] * (len(markers) // 2)


def test_the_readme_and_the_inventory_s_page_show_a_whole_inventory() -> None:
    shown = {where.rpartition("-")[0] for where, _ in inventories()}
    assert {"README.md", "docs/inventory.md"} <= shown


@pytest.mark.parametrize("block", [pytest.param(block, id=where) for where, block in inventories()])
def test_every_inventory_that_is_shown_is_sound(block: str, tmp_path: Path) -> None:
    path = tmp_path / "services.yml"
    path.write_text(block)
    assert load_inventory(path).findings == ()


def test_the_readme_s_inventory_is_short() -> None:
    (block,) = (block for where, block in inventories() if where.startswith("README.md"))
    assert len(block.splitlines()) <= 20


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=name)
def test_every_page_is_in_the_index(page: Path) -> None:
    assert page.name == "README.md" or f"({page.name})" in text("docs/README.md")


def test_every_decision_is_in_the_index() -> None:
    pages = [page.name for page in sorted((DOCS / "decisions").glob("0*.md"))]
    assert re.findall(r"\((0.*?\.md)\)", text("docs/decisions/README.md")) == pages


def test_every_dependency_has_its_reason_and_no_other_package_has() -> None:
    found = tomllib.loads(text("pyproject.toml"))
    wanted = [*found["build-system"]["requires"], *found["project"]["dependencies"]]
    wanted += [one for extra in found["project"]["optional-dependencies"].values() for one in extra]
    packages = {re.split(r"[<>=\[;~! ]", one)[0] for one in wanted}
    reasons = re.findall(r"^\| `(.+?)` \| \w.+ \|$", text("docs/decisions/0002-dependencies.md"), re.MULTILINE)
    assert sorted(reasons) == sorted(packages)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_the_command_that_its_module_explains(verb: str) -> None:
    module = importlib.import_module(f"deploygate.cli.{verb}")
    command = module.command
    assert command.name == verb
    assert (module.__doc__ or "").startswith(f"`deploygate {verb}`: ")
    first = (command.help or "").split("\n\n")[0]
    assert first.endswith(".")
    assert VERBS[verb].endswith(".")
    assert f"## {verb}\n" in text("docs/cli.md")
    assert VERBS[verb] in text("README.md")


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_anchor(rule: str) -> None:
    assert rule in anchors(DOCS / "rules.md")


@pytest.mark.parametrize("rule", WAIVABLE)
def test_every_rule_that_a_run_may_waive_is_explained(rule: str) -> None:
    assert f"| `{rule}` |" in text("docs/plan.md")


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_is_explained(phase: Phase) -> None:
    assert f"\n| {phase} | " in text("docs/machine.md")


def test_every_ending_is_in_the_readme_and_on_its_page() -> None:
    for page in ("README.md", "docs/endings.md"):
        assert [ending for ending in EXIT_CODES if f"| `{ending}` |" not in text(page)] == []


def test_every_target_of_make_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", text("Makefile"), re.MULTILINE))
    named = {word for page in PAGES for word in re.findall(r"^`?make ([a-z0-9]+)", page.read_text(), re.MULTILINE)}
    assert named
    assert named <= targets
