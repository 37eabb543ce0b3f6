"""action.yml, the workflows and the examples, as they stand in the tree, for the tests that compare them."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CALLED = [ROOT / ".github" / "workflows" / f"{name}.yml" for name in ("check", "deploy", "rollback")]
OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXAMPLES = sorted((ROOT / "examples" / "workflows").glob("*/*.yml"))


def text(page: str) -> str:
    return (ROOT / page).read_text()


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def workflow(path: Path) -> dict[str, Any]:
    """Return a workflow; YAML 1.1 reads its key `on` as true."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in found.items()}


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in workflow(path)["jobs"].values():
        yield from job.get("steps", ())
