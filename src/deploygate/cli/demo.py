"""`deploygate demo`: the gate's main job on a fleet of real processes, good days and bad ones."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from deploygate.cli.demo_fleet import DemoFleet
from deploygate.endings import EXIT_CODES, Ending

STORY: tuple[tuple[str, tuple[str, ...], Ending, int], ...] = (
    (
        "2.0 is good. It goes to the parallel chain, then to one production instance, then to the rest.",
        ("deploy", "AdCaster", "2.0"),
        Ending.DEPLOYED,
        0,
    ),
    (
        "2.1 answers healthy, but with the old version: the commonest false green. The parallel chain stops it.",
        ("deploy", "AdCaster", "2.1"),
        Ending.ROLLED_BACK,
        EXIT_CODES[Ending.ROLLED_BACK],
    ),
    (
        "2.2 falls ill on the second production instance, after three healthy answers: the raised rollback.",
        ("deploy", "AdCaster", "2.2"),
        Ending.ROLLED_BACK,
        EXIT_CODES[Ending.ROLLED_BACK],
    ),
    (
        "Any release that is still installed is seconds away: a rollback by hand.",
        ("rollback", "AdCaster", "--to", "1.2"),
        Ending.ROLLED_BACK,
        0,
    ),
)


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave the fleet up to play with, and say how.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Where; must not exist yet.  [default: temporary]",
)
@click.option(
    "--stop",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=None,
    help="Stop a fleet that was kept, and remove its folder.",
)
def command(*, keep: bool, folder: Path | None, stop: Path | None) -> None:
    """Show a good deploy, two bad ones and a rollback by hand, on the fleet of the talk.

    Five services, sixteen real processes on loopback ports that are free. Takes under a minute, and cleans up.
    """
    if stop is not None:
        if not DemoFleet(stop).is_one():
            raise click.BadParameter(f"{stop} is not a demo's folder, so nothing in it is touched", param_hint="--stop")
        DemoFleet(stop).stop()
        shutil.rmtree(stop)
        return
    where = Path(tempfile.mkdtemp(prefix="deploygate-demo-")) if folder is None else _new(folder)
    fleet = DemoFleet(where)
    kept = False
    began = time.monotonic()
    try:
        click.secho(f"The fleet of the talk, as real processes in {where}", bold=True)
        fleet.start()
        _run(where, ("observe",))
        told = [_chapter(where, *chapter) for chapter in STORY]
        good = all(told)
        kept = keep and good
        spent = time.monotonic() - began
        if good:
            click.secho(f"\n✔ all {len(told)} ended as they should, in {spent:.0f} s", fg="green", bold=True)
        else:
            click.secho(f"\n✘ {told.count(False)} of {len(told)} did not end as they should", fg="red", bold=True)
        if kept:
            _say_how(where)
        sys.exit(0 if good else EXIT_CODES[Ending.INTERNAL_ERROR])
    except KeyboardInterrupt:
        click.echo("\nstopped; cleaning up", err=True)
        sys.exit(EXIT_CODES[Ending.INTERRUPTED])
    finally:
        if not kept:
            fleet.stop()
            shutil.rmtree(where, ignore_errors=True)


def _new(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise click.BadParameter(f"{folder} exists already", param_hint="--folder") from None
    return folder.resolve()


def _chapter(where: Path, says: str, words: tuple[str, ...], ending: Ending, code: int) -> bool:
    click.echo()
    click.secho(says, bold=True)
    found = _run(where, words)
    if found != code:
        click.secho(f"✘ expected {ending} (exit code {code}), and it exited with {found}", fg="red", bold=True)
        return False
    return True


def _run(where: Path, words: tuple[str, ...]) -> int:
    click.secho(f"$ deploygate {' '.join(words)}", fg="cyan")
    child = subprocess.Popen([sys.executable, "-m", "deploygate", *words, "-i", str(where / "services.yml")])
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.wait()  # it was interrupted as well, and brings its own run to an end
        raise


def _say_how(where: Path) -> None:
    program = "deploygate" if shutil.which("deploygate") else f"{sys.executable} -m deploygate"
    click.echo(
        f"""
The fleet is still up. Play with it:
    cd {where}
    {program} observe
    {program} deploy AdCaster 2.0
    {program} rollback AdCaster
    {program} plan AdCaster 2.2 --waive bad-version="to see it again"
What each run did stands in .deploygate/runs, what it showed in .deploygate/forge.
When you are done:
    {program} demo --stop {where}"""
    )
