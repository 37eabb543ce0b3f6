"""The forms that all reports share: tables, JSON, and text that Markdown shows as it is."""

from collections.abc import Sequence
from typing import Any

SCHEMA = 1


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no mention, no link comes of it."""
    out = "".join(f"\\{char}" if char in "\\`*_{}[]()#+!|~$" else char for char in " ".join(text.splitlines()))
    out = out.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    out = out.replace("@", "@\u200b").replace("#", "#\u200b")  # people and issues are found after the markup is gone
    return out.replace("://", ":\u200b//").replace("www.", "www\u200b.")


def plain_table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    """Return a table for a terminal."""
    from tabulate import tabulate  # noqa: PLC0415 - costs start-up time

    return tabulate(rows, headers=head, disable_numparse=True)  # version 1.10 is not the number 1.1


def github_table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    """Return a table for Markdown; its cells must be escaped already."""
    from tabulate import tabulate  # noqa: PLC0415 - costs start-up time

    return tabulate(rows, headers=head, tablefmt="github", disable_numparse=True)


def json_text(data: dict[str, Any]) -> str:
    """Return data for a program."""
    import msgspec  # noqa: PLC0415 - costs start-up time

    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"
