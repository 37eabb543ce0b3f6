"""After a rollback the inventory wants a version that does not run: the edit that puts it right is proposed."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploygate import report
from deploygate.account import Account
from deploygate.adapters.documents import read_document
from deploygate.adapters.github.dispatching import address
from deploygate.adapters.github.pulls import PutBack, open_put_back
from deploygate.adapters.github.trouble import GitHubTrouble
from deploygate.amending import amended
from deploygate.cli.acting.desk import Desk
from deploygate.findings import Where
from deploygate.names import Version
from deploygate.wording import plain

_BUDGET = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Proposal:
    """The pull request that was opened, or none; `point` tells of it in Markdown, `folded` shows the edit itself."""

    url: str
    point: str
    folded: tuple[str, ...] = ()


def put_back(desk: Desk, told: Account) -> Proposal | None:
    """Propose the inventory with the version that runs; None where it does not ask for the one that failed."""
    runs = {row.version for row in told.rows}
    occasion = desk.occasion
    deployed_as_wanted = occasion.ref == f"refs/heads/{occasion.default_branch}" and not desk.inputs.version
    if not deployed_as_wanted or len(runs) != 1 or told.version in runs:
        return None
    back = Version(runs.pop())
    document = read_document(desk.inputs.inventory).document
    if document is None:
        return None
    where = document.value("services", told.service, "version")
    try:
        path = Path(where.file)
        before = path.read_bytes().decode()  # with the ends of its lines as they are
        after = amended(before, where, Version(told.version), back)
    except (OSError, ValueError) as error:
        desk.note(f"the inventory can't be put back by an edit: {error}")
        return None
    shown = _shown(before, after, where)
    if not desk.inputs.put_back or not desk.online:
        return _by_hand(told, back, shown)
    title = f"Put {told.service} back to {back} in the inventory"
    body = _body(desk, told, back)
    branch = f"deploygate/put-back-{told.service}-{told.version}"
    name = desk.in_repository(path)
    change = PutBack(occasion.default_branch, branch, name, before, after, title, body)
    try:
        url = address(desk.ask(lambda hub: open_put_back(hub, change), _BUDGET))
    except GitHubTrouble as trouble:
        desk.note(f"the pull request that puts the inventory back: {trouble.says}")
        return _by_hand(told, back, shown)
    says = report.escaped(f"{told.service} {back}, which runs")
    shown_at = f"[a pull request]({url})" if url else "a pull request"
    return Proposal(url, f"- **inventory**: {shown_at} puts it back to {says}")


def _body(desk: Desk, told: Account, back: Version) -> str:
    said = report.escaped(f"{told.service} {told.version} failed and was taken back to {back}.")
    why = report.escaped(plain(told.why, 300))
    return (
        f"{said} The inventory still wants the version that failed; this edit makes it want the one that runs.\n\n"
        f"- **why**: {why}\n- **run**: {desk.occasion.run_url}\n"
    )


def _by_hand(told: Account, back: Version, shown: Sequence[str]) -> Proposal:
    says = report.escaped(f"it still wants {told.version}; make it want {back}, which runs (the edit is below)")
    title = report.escaped(f"The edit that puts {told.service} back to {back} in the inventory")
    folded = (f"<details><summary>{title}</summary>", "", "`````diff", *shown, "`````", "", "</details>")
    return Proposal("", f"- **inventory**: {says}", folded)


def _shown(before: str, after: str, where: Where) -> list[str]:
    """Return the edit as lines that can't end the block they stand in."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), where.file, where.file, n=2, lineterm="")
    whole = ["".join(letter if letter.isprintable() or letter == "\t" else "?" for letter in line) for line in lines]
    return [line.replace("`````", "") for line in whole]
