"""What a repository says of its services already: its compose file and its Backstage catalog, as one."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from deploygate.cli.beginning import catalog, compose
from deploygate.cli.beginning.catalog import read_catalog
from deploygate.cli.beginning.compose import read_compose
from deploygate.cli.beginning.sketch import Found, Sketch


def repository(output: Path) -> Path:
    """Return the folder of the repository that a file is to be in: the nearest with a `.git`, else the file's own."""
    own = output.absolute().parent
    return next((folder for folder in (own, *own.parents) if (folder / ".git").exists()), own)


def look(root: Path, compose_file: Path | None, catalog_file: Path | None) -> Found:
    """Read the files that were given, or else those that the repository has.

    Raises:
        ForeignError: One of them can't be read.
    """
    compose_file = compose_file or _first(root, compose.FILES)
    catalog_file = catalog_file or _first(root, catalog.FILES)
    composed = read_compose(compose_file) if compose_file else Found()
    cataloged = read_catalog(catalog_file) if catalog_file else Found()
    return Found(_united(composed.sketches, cataloged.sketches), (*composed.left_out, *cataloged.left_out))


def _first(root: Path, names: Sequence[str]) -> Path | None:
    here = Path.cwd()
    found = next((root / name for name in names if (root / name).is_file()), None)
    return found.relative_to(here) if found and found.is_relative_to(here) else found


def _united(first: Sequence[Sketch], second: Sequence[Sketch]) -> tuple[Sketch, ...]:
    """Return the services of both; of one that is in both, the second says who and why, and the first where."""
    known = {one.called.lower(): one for one in first}
    for one in second:
        low = one.called.lower()
        known[low] = _over(known[low], one) if low in known else one
    return _apart(tuple(known.values()))


def _over(one: Sketch, other: Sketch) -> Sketch:
    said = {field.name: value for field in fields(other) if (value := getattr(other, field.name))}
    return replace(one, **said | {"source": f"{one.source} and {other.source}"})


def _apart(sketches: tuple[Sketch, ...]) -> tuple[Sketch, ...]:
    """Take addresses out that another service has already: two profiles may share a port."""
    seen: set[str] = set()
    apart = []
    for one in sketches:
        apart.append(replace(one, parallel=tuple(address for address in one.parallel if address not in seen)))
        seen.update(one.parallel)
    return tuple(apart)
