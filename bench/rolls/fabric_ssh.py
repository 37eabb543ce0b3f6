"""fabric: the restart through a connection to each host, the rule in the same process."""

import contextlib
import json
import os
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from fabric import Connection  # type: ignore[import-not-found]  # a peer, in a venv of its own
from paramiko import RejectPolicy  # type: ignore[import-untyped]  # as above

root, version, there = Path(os.environ["BENCH_ROOT"]), os.environ["BENCH_VERSION"], os.environ["BENCH_THERE"]
key = {"key_filename": os.environ["BENCH_SSH_KEY"], "look_for_keys": False, "allow_agent": False}
for name, host, port in (line.split() for line in (root / "fleet.tsv").read_text().splitlines()):
    with Connection(host, port=int(os.environ["BENCH_SSH_PORT"]), connect_kwargs=key) as connection:
        connection.client.load_host_keys(os.environ["BENCH_SSH_KNOWN_HOSTS"])
        connection.client.set_missing_host_key_policy(RejectPolicy())
        connection.run(f"{there} && restart {name} {host} {port}", in_stream=False)
    for _ in range(500):
        with contextlib.suppress(URLError), urlopen(f"http://{host}:{port}/health", timeout=5) as answer:
            if answer.status == 200:
                break
        time.sleep(0.005)
    with urlopen(f"http://{host}:{port}/version", timeout=5) as answer:
        seen = json.load(answer)["version"]
    if seen != version:
        raise SystemExit(f"{name}: expected {version}, saw {seen}")
