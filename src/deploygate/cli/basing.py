"""The inventory as it was at another commit: from the objects of git where there is a checkout, else from GitHub."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deploygate.adapters.git import fetch, has_git
from deploygate.cli.loading import load_inventory
from deploygate.errors import GateError
from deploygate.findings import errors
from deploygate.inventory import Inventory
from deploygate.names import Secret
from deploygate.wording import count, quoted


def at_base(path: Path, ref: str, environ: Mapping[str, str]) -> Inventory:
    """Return the inventory at `path` as it was where this branch left `ref`.

    Raises:
        GateError: It can't be had, or it was broken then.
    """
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / (path.resolve().name or "services")
        if has_git(path):
            fetch(path, ref, into)
        else:
            _from_github(path, ref, into, environ)
        loaded = load_inventory(into)
    if loaded.inventory is None:
        wrong = count(len(errors(loaded.findings)), "error")
        raise GateError(
            f"the inventory at {quoted(ref)} has {wrong}, so it can't be compared",
            help="Compare with a commit where it was sound, or check without --base.",
        )
    return loaded.inventory


def _from_github(path: Path, ref: str, into: Path, environ: Mapping[str, str]) -> None:
    token, repository = environ.get("GITHUB_TOKEN", ""), environ.get("GITHUB_REPOSITORY", "")
    if not (token and repository):
        raise GateError(
            "there is no checkout of git here to take the base from",
            help="Run it in one, with git installed; or set GITHUB_TOKEN and GITHUB_REPOSITORY.",
        )
    from deploygate.adapters.github.client import Hub  # noqa: PLC0415 - slow to be imported, and seldom needed
    from deploygate.adapters.github.contents import fetch as fetch_from_github  # noqa: PLC0415
    from deploygate.adapters.github.trouble import GitHubTrouble  # noqa: PLC0415

    api = environ.get("GITHUB_API_URL", "") or "https://api.github.com"
    try:
        hub = Hub(api.rstrip("/"), Secret(token), repository)
        fetch_from_github(hub, ref, Path(os.path.relpath(path)).as_posix(), path, into)
    except GitHubTrouble as trouble:
        raise GateError(f"the inventory at {quoted(ref)} can't be had: {trouble.says}", help=trouble.help) from trouble
