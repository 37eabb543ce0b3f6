"""pyinfra `@local`: two operations an instance, restart and rule."""

import os
from pathlib import Path

from pyinfra.operations import server  # type: ignore[import-not-found]  # a peer, in a venv of its own

for line in (Path(os.environ["BENCH_ROOT"]) / "fleet.tsv").read_text().splitlines():
    name, host, port = line.split()
    server.shell(
        name=f"restart {name}",
        commands=[f'. "$BENCH_ROLLS/steps.sh" && restart {name} {host} {port}'],
    )
    server.shell(name=f"verify {name}", commands=[f'. "$BENCH_ROLLS/steps.sh" && verify {host} {port}'])
