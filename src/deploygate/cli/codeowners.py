"""`deploygate codeowners`: who is asked to review which file of the inventory, written where GitHub reads it."""

import sys
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import click

from deploygate import report
from deploygate.adapters.files import write_whole
from deploygate.cli.loading import load_inventory
from deploygate.cli.options import format_option, inventory_option, reported
from deploygate.cli.repository import inside, top_of
from deploygate.codeowners import LARGEST, PLACES, Entry, entries, overridden, placed, section, shared, unmapped
from deploygate.endings import EXIT_CODES, Ending
from deploygate.errors import GateError, InventoryError
from deploygate.findings import Finding, Where
from deploygate.inventory import Inventory
from deploygate.wording import count


class UnmappedError(InventoryError):
    """Names the owners who can't be written down, since nobody says who they are on GitHub."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(findings)
        self.says = (
            f"{count(len(findings), 'owner')} can't be written into CODEOWNERS: nobody says who that is on GitHub"
        )
        self.help = "Map each name to a login or a team: `people: {nathan: nathan-d, obaid: acme/product}`."


@dataclass(frozen=True, slots=True)
class Section:
    """The file with the section in it, as it is and as it is to be."""

    file: Path
    old: bytes
    new: bytes
    lines: tuple[Entry, ...]
    findings: tuple[Finding, ...]


@click.command("codeowners")
@inventory_option
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The CODEOWNERS file.  [default: the one that GitHub reads, else .github/CODEOWNERS]",
)
@click.option("--check", "only", is_flag=True, help="Write nothing; fail, with a diff, where the file is out of date.")
@format_option
@reported
def command(inventory: Path, file: Path | None, *, only: bool, form: str) -> None:
    """Write the owners of the inventory into CODEOWNERS, so that GitHub asks them for reviews.

    An inventory that is a folder gives each of its files the owners of the services in it. What stands outside of the
    two lines that mark the section is left as it is. Owners are found on GitHub through `people` in the inventory.
    """
    made = _section(inventory, file)
    stale = made.new != made.old
    if stale and not only:
        _write(made)
    _tell(made, form, stale=stale, only=only)
    sys.exit(EXIT_CODES[Ending.INVENTORY_ERROR] if stale and only else 0)


def _section(path: Path, given: Path | None) -> Section:
    loaded = load_inventory(path)
    if loaded.inventory is None:
        raise InventoryError(loaded.findings)
    if missing := unmapped(loaded.inventory):
        raise UnmappedError(missing)
    top, place = top_of(path), inside(path)
    lines = entries(loaded.inventory, place, folder=path.is_dir())
    file = given or next((top / one for one in PLACES if (top / one).is_file()), top / PLACES[0])
    old = _read(file)
    try:
        new = placed(old, section(lines))
    except ValueError as error:
        raise GateError(
            f"{file} can't be written: {error}",
            help="Put the two lines right, or take both out: the section is then added at the end.",
            ending=Ending.INVENTORY_ERROR,
        ) from error
    if len(new) >= LARGEST:
        raise GateError(
            f"{file} would have {len(new):,} bytes, and GitHub reads none of {LARGEST:,} or more",
            help="Put several services into one file of the folder, or name teams instead of people.",
            ending=Ending.INVENTORY_ERROR,
        )
    return Section(file, old, new, lines, _doubts(loaded.inventory, path, place, file, new, lines))


def _doubts(
    inventory: Inventory, path: Path, place: str, file: Path, new: bytes, lines: tuple[Entry, ...]
) -> tuple[Finding, ...]:
    below = "" if place == "." else f"{place}/"
    files = sorted({one.where.file.rpartition("/")[2] for one in inventory.services.values()})
    paths = [f"{below}{one}" for one in files] if path.is_dir() else [place]
    return (*shared(lines, inventory, Where(str(path))), *overridden(new, paths, str(file)))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise GateError(f"{file} can't be read: {error.strerror}", help="Name another file with --file.") from error


def _write(made: Section) -> None:
    try:
        write_whole(made.file.resolve(), made.new)
    except OSError as error:
        raise GateError(f"{made.file} can't be written: {error.strerror}", help="Look at its rights.") from error


def _tell(made: Section, form: str, *, stale: bool, only: bool) -> None:
    diff = "".join(_diff(made)) if stale and only else ""
    owners = len({one for line in made.lines for one in line.owners})
    what = f"{count(len(made.lines), 'line')}, {count(owners, 'owner')}"
    if form == "json":
        data = {"file": str(made.file), "current": not stale or not only, "changed": stale and not only, "diff": diff}
        click.echo(report.codeowners_json(data, made.findings), nl=False)
        return
    if form == "markdown":
        click.echo(report.findings_markdown(made.findings) if made.findings else "", nl=False)
        click.echo(f"```diff\n{diff}```\n" if diff else "", nl=False)
        return
    click.echo(report.findings_text(made.findings), nl=False)
    click.echo(diff, nl=False)
    if stale and only:
        click.echo(f"✘ {made.file} is out of date: run `deploygate codeowners`")
    elif stale:
        click.echo(f"✔ wrote {made.file}: {what}")
    else:
        click.echo(f"✔ {made.file} is as the inventory has it: {what}")


def _diff(made: Section) -> list[str]:
    old, new = (one.decode(errors="replace").split("\n") for one in (made.old, made.new))
    return [f"{line}\n" for line in unified_diff(old, new, str(made.file), "as the inventory has it", lineterm="")]
