"""The JSON Schemas: package data in an installed deploygate, the repository's top folder in a checkout."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

INVENTORY = "service-inventory.schema.json"


def schema_text(name: str = INVENTORY) -> str:
    """Return a schema as the text that stands in its file."""
    packaged = files("deploygate") / "schemas" / name
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "schemas" / name).read_text(encoding="utf-8")


def schema(name: str = INVENTORY) -> dict[str, Any]:
    """Return a schema as a value."""
    parsed: dict[str, Any] = json.loads(schema_text(name))
    return parsed
