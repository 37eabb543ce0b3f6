"""Checks a file with little memory and little time: `bounded.py MEBIBYTES SECONDS FILE`; every report is written."""

import resource
import sys
from pathlib import Path

from deploygate import report
from deploygate.adapters.pages import rule_sections
from deploygate.cli.loading import load_inventory

memory, seconds = int(sys.argv[1]) << 20, int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
loaded = load_inventory(Path(sys.argv[3]))
for form in (report.findings_text, report.findings_json, report.findings_markdown):
    form(loaded.findings).encode()
report.findings_sarif(loaded.findings, rule_sections(), "0").encode()
sys.stdout.write(" ".join(sorted({finding.rule for finding in loaded.findings})))
