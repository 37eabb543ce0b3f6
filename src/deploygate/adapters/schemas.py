"""The JSON Schemas that are shipped with deploygate."""

import json
from typing import Any

from deploygate.adapters.shipped import shipped

INVENTORY = "service-inventory.schema.json"
DRIVER_STATUS = "driver-status.schema.json"


def schema_text(name: str = INVENTORY) -> str:
    """Return a schema as the text that stands in its file."""
    return (shipped("schemas") / name).read_text(encoding="utf-8")


def schema(name: str = INVENTORY) -> dict[str, Any]:
    """Return a schema as a value."""
    parsed: dict[str, Any] = json.loads(schema_text(name))
    return parsed
