"""A Backstage catalog: its components of type service, with owner, purpose and the interfaces between them."""

from pathlib import Path

from deploygate.cli.beginning.foreign import Foreign
from deploygate.cli.beginning.sketch import Found, Sketch
from deploygate.document import Table
from deploygate.findings import Where
from deploygate.names import NAME
from deploygate.wording import quoted

FILES = ("catalog-info.yaml", "catalog-info.yml")


def read_catalog(path: Path) -> Found:
    """Return the services of a catalog file, whose documents are entities.

    Raises:
        ForeignError: It can't be read, or is not one.
    """
    file = Foreign(path)
    sketches: list[Sketch] = []
    left_out: list[str] = []
    entities = file.roots()
    owners = _owners_of_systems(file, entities)
    for entity in entities:
        kind = file.inner(entity, "kind", str)
        metadata = file.inner(entity, "metadata", Table)
        name = file.inner(metadata, "name", str) if metadata is not None else None
        if kind is None or metadata is None or name is None:
            where = Where(*next(iter(entity.keys_at.values()), (str(path), 1, 1)))
            file.complain(where, "an entity has a `kind` and a `metadata.name`", "Is it a Backstage catalog?")
            continue
        if kind.lower() != "component":
            continue
        where, spec = Where(*metadata.values_at["name"]), file.inner(entity, "spec", Table) or Table()
        sort = file.inner(spec, "type", str) or ""
        if sort.lower() != "service":
            left_out.append(f"{name} ({where}): its type is {quoted(sort)}, and not service")
        elif not NAME.fullmatch(name):
            file.complain(where, f"{quoted(name)} can't be the name of a service", "Rename it, or begin with --alone.")
        else:
            system = bare(file.inner(spec, "system", str) or "")
            sketches.append(
                Sketch(
                    name=name,
                    source=f"{path.name}:{where.line}",
                    purpose=file.inner(metadata, "description", str),
                    dev=bare(file.inner(spec, "owner", str) or "") or owners.get(system),
                    provides=_apis(file, spec, "providesApis"),
                    consumes=_apis(file, spec, "consumesApis"),
                )
            )
    file.end()
    return Found(tuple(sketches), tuple(left_out))


def bare(reference: str) -> str:
    """Return the name in a reference to an entity: `group:default/ads` is `ads`."""
    return reference.rpartition("/")[2].rpartition(":")[2]


def _owners_of_systems(file: Foreign, entities: list[Table]) -> dict[str, str]:
    """Return who answers for a system, for components of it that do not say."""
    owners: dict[str, str] = {}
    for entity in entities:
        if str(entity.get("kind", "")).lower() == "system":
            metadata, spec = file.inner(entity, "metadata", Table), file.inner(entity, "spec", Table)
            if metadata is not None and spec is not None and (owner := file.inner(spec, "owner", str)):
                owners[str(metadata.get("name", ""))] = bare(owner)
    return owners


def _apis(file: Foreign, spec: Table, key: str) -> tuple[str, ...]:
    return tuple(one for one in dict.fromkeys(map(bare, file.texts(spec, key))) if NAME.fullmatch(one))
