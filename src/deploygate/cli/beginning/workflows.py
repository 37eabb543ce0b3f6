"""The workflows that go with an inventory: those of docs/setups.md, told where the inventory is."""

import re
from pathlib import Path

from deploygate.adapters.shipped import shipped
from deploygate.cli.beginning.spelling import scalar

KINDS = ("one-repository", "none")

_STEP = re.compile(r"^(?P<margin> +)- uses: OWNER/deploygate@v0\n(?P<given> +with:\n)?", re.MULTILINE)


def workflows(kind: str, inventory: str) -> dict[str, bytes]:
    """Return the workflows of a kind by their path in the repository; `inventory` is the inventory's."""
    if kind == "none":
        return {}
    folder = shipped("examples") / "workflows" / kind
    return {
        f".github/workflows/{file.name}": _told(file.read_text(encoding="utf-8"), inventory).encode()
        for file in sorted(folder.glob("*.yml"))
    }


def left(paths: list[Path]) -> list[str]:
    """Return what a person still has to do for workflows to work."""
    if not paths:
        return []
    return [
        f"`OWNER` in {', '.join(map(str, paths))}: the account that keeps deploygate",
        "`make dist` in them: how your releases are built",
        "the variable KNOWN_HOSTS and the secret DEPLOY_KEY in the repository's settings: docs/setups.md",
    ]


def _told(text: str, inventory: str) -> str:
    """Return a workflow whose steps know the inventory, where it is not the usual one."""
    if inventory == "services.yml":
        return text

    def step(found: re.Match[str]) -> str:
        margin = found["margin"] + "  "
        given = "" if found["given"] else f"{margin}with:\n"
        return f"{found[0]}{given}{margin}  inventory: {scalar(inventory)}\n"

    return _STEP.sub(step, text)
