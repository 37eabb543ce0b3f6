"""The fake GitHub as a program of its own: `python -m deploygate.fake_github --repository acme/shop`."""

import signal
import sys
from pathlib import Path
from threading import Event

import click

from deploygate.fake_github.desk import CLOUD
from deploygate.fake_github.hub import FakeGitHub


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option("--port", default=0, help="Listen on this port; 0 takes a free one.")
@click.option("--server", default=CLOUD, show_default=True, help='Be this server; "ghes-3.20" knows less.')
@click.option("--repository", "names", multiple=True, default=("acme/shop",), show_default=True, help="Have it.")
@click.option(
    "--commit",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Commit the files of this folder to each repository.",
)
def main(*, host: str, port: int, server: str, names: tuple[str, ...], folder: Path | None) -> None:
    """Serve until a signal comes; then say what has broken GitHub's description, and fail if anything has."""
    over = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    try:
        with FakeGitHub(host=host, port=port, server=server) as hub:
            for name in names:
                repo = hub.repository(name)
                if folder is not None:
                    repo.commit(_files(folder), "Begin with these files")
            click.echo(f"GITHUB_API_URL={hub.url}\nGITHUB_SERVER_URL={hub.web}\nGITHUB_TOKEN={hub.token()}")
            over.wait()
    except AssertionError as broken:
        click.echo(str(broken), err=True)
        sys.exit(1)


def _files(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


if __name__ == "__main__":
    main()
