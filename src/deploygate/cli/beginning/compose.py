"""A docker-compose file: the services that are built here or asked for their health over HTTP, with their ports."""

import re
from pathlib import Path

from deploygate.cli.beginning.foreign import Foreign
from deploygate.cli.beginning.probing import Asked, asked
from deploygate.cli.beginning.sketch import Found, Sketch
from deploygate.document import Row, Table
from deploygate.findings import Where
from deploygate.names import NAME, VERSION
from deploygate.wording import quoted

FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")

_VARIABLE = re.compile(r"\$\{\w+:?-([^${}]*)\}")
_PORT = re.compile(r"(?:(?P<first>\d{1,5})(?:-\d{1,5})?)(?:/(?P<protocol>\w+))?")
_LAST = 65535


def read_compose(path: Path) -> Found:
    """Return the services of a compose file.

    Raises:
        ForeignError: It can't be read, or is not one.
    """
    file = Foreign(path)
    root = file.roots()[0]
    services = file.inner(root, "services", Table)
    if services is None:
        file.complain(Where(str(path), 1, 1), "there are no `services` in this file", "Is it a compose file?")
    sketches: list[Sketch] = []
    left_out: list[str] = []
    for name in services or ():
        service = file.inner(services, name, Table) if services else None
        where = Where(*services.keys_at[name]) if services else Where()
        if service is None:
            continue
        if not NAME.fullmatch(name):
            file.complain(where, f"{quoted(name)} can't be the name of a service", "Rename it, or begin with --alone.")
            continue
        probe, ports = asked(file, service), _ports(file, service)
        if "build" not in service and probe.path is None:
            left_out.append(f"{name} ({where}): it is not built here, and has no health check over HTTP")
        elif not ports and probe.port is None:
            left_out.append(f"{name} ({where}): it has no port at which it could be asked")
        else:
            sketches.append(_sketch(file, service, Sketch(name, f"{path.name}:{where.line}"), probe, ports))
    file.end()
    return Found(tuple(sketches), tuple(left_out))


def _sketch(file: Foreign, service: Table, begun: Sketch, probe: Asked, ports: dict[int, int]) -> Sketch:
    """Fill in what is known; `ports` are those of this machine by those of the container."""
    here = next(iter(ports.values())) if probe.port is None else ports.get(probe.port, probe.port)
    return Sketch(
        name=begun.name,
        source=begun.source,
        version=_tag(file.inner(service, "image", str) or ""),
        health=probe.health,
        parallel=(f"http://127.0.0.1:{here}",),
    )


def _tag(image: str) -> str | None:
    """Return the version that an image's name ends in."""
    tag = plain(image).partition("@")[0].rpartition("/")[2].partition(":")[2]
    return tag if tag != "latest" and VERSION.fullmatch(tag) else None


def plain(text: str) -> str:
    """Return a text with the defaults of its variables in their place."""
    return _VARIABLE.sub(r"\1", text)


def _ports(file: Foreign, service: Table) -> dict[int, int]:
    found: dict[int, int] = {}
    for key in ("ports", "expose"):
        row = file.inner(service, key, Row)
        for index, one in enumerate(row if row is not None else ()):
            written = row.written.get(index) if row is not None else None  # 22:22 is a number to YAML
            where = Where(*row.values_at[index]) if row is not None else Where()
            for inside, outside in _port(file, where, one if isinstance(one, Table) else written or one).items():
                found.setdefault(inside, outside)
    return found


def _port(file: Foreign, where: Where, written: object) -> dict[int, int]:
    """Return the port of this machine by the container's; nothing where it is not TCP, or not known yet."""
    if isinstance(written, Table):
        protocol = str(written.get("protocol", "tcp"))
        inside = plain(str(written.get("target", "")))
        outside = plain(str(written.get("published", "") or inside))
        parts = [outside, f"{inside}/{protocol}"]
    else:
        parts = plain(str(written)).split(":")
    if any("$" in part for part in parts):
        return {}
    inner = _PORT.fullmatch(parts[-1])
    outer = _PORT.fullmatch(parts[-2]) if len(parts) > 1 and parts[-2] else inner
    if inner is None or outer is None or not all(0 < int(one["first"]) <= _LAST for one in (inner, outer)):
        file.complain(where, "this is not a port", 'Write the ports as compose has them: "8080:80".')
        return {}
    return {} if (inner["protocol"] or "tcp").lower() != "tcp" else {int(inner["first"]): int(outer["first"])}
