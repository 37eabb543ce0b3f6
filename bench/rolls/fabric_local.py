"""fabric: the restart through `connection.local`, the rule in the same process."""

import contextlib
import json
import os
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from fabric import Connection  # type: ignore[import-not-found]  # a peer, in a venv of its own

root, version = Path(os.environ["BENCH_ROOT"]), os.environ["BENCH_VERSION"]
connection = Connection("localhost")
for name, host, port in (line.split() for line in (root / "fleet.tsv").read_text().splitlines()):
    connection.local(f'. "$BENCH_ROLLS/steps.sh" && restart {name} {host} {port}')
    for _ in range(500):
        with contextlib.suppress(URLError), urlopen(f"http://{host}:{port}/health", timeout=5) as answer:
            if answer.status == 200:
                break
        time.sleep(0.005)
    with urlopen(f"http://{host}:{port}/version", timeout=5) as answer:
        seen = json.load(answer)["version"]
    if seen != version:
        raise SystemExit(f"{name}: expected {version}, saw {seen}")
