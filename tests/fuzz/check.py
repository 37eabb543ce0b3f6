"""What atheris calls: bytes become an inventory or findings, and those become every report."""

import gc
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # `make fuzz` installs it

with atheris.instrument_imports(include=["deploygate", "yaml", "jsonschema"]):
    from deploygate import report
    from deploygate.adapters.pages import rule_sections
    from deploygate.cli.loading import load_inventory
    from deploygate.findings import errors

FOLDER = Path(tempfile.mkdtemp(prefix="deploygate-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
FILE = FOLDER / "services.yml"
SECTIONS = rule_sections()


def one(data: bytes) -> None:
    """Check one file of bytes, and write of it what can be written."""
    FILE.write_bytes(data)
    loaded = load_inventory(FILE)
    gc.unfreeze()  # here many are loaded in one process
    assert (loaded.inventory is None) == bool(errors(loaded.findings))
    assert all(finding.says.isprintable() and finding.help for finding in loaded.findings)
    for form in (report.findings_text, report.findings_json, report.findings_markdown):
        form(loaded.findings).encode()
    report.findings_sarif(loaded.findings, SECTIONS, "0").encode()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
