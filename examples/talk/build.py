"""Builds the releases of the example fleet into a folder: one folder a release, named with its version."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

RELEASES: list[dict[str, Any]] = [
    {"service": "AdCaster", "version": "1.2"},
    {"service": "AdCaster", "version": "2.0"},
    # Answers healthy, but names the old version: the commonest false green.
    {"service": "AdCaster", "version": "2.1", "says": "1.2"},
    # Falls ill after its third healthy answer, and only on the second production instance.
    {"service": "AdCaster", "version": "2.2", "falls_ill": {"on": "adcaster-2", "after": 3}},
    {"service": "AtlasDB", "version": "7.0"},
    {"service": "ScheduledTaskRunner", "version": "3.4"},
    {"service": "IDBroker", "version": "1.9"},
    {"service": "DMLoadBalancer", "version": "5.1"},
]


def build(into: Path) -> None:
    """Write every release to `into/<service>-<version>/`."""
    for release in RELEASES:
        folder = into / f"{release['service']}-{release['version']}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "service.py", folder)
        (folder / "release.json").write_text(json.dumps(release, indent=2) + "\n")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "dist")
