"""Twenty lines of Python with requests."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import requests

root, version = Path(os.environ["BENCH_ROOT"]), os.environ["BENCH_VERSION"]
start = [os.environ["BENCH_PYTHON"], "-I", "-S", "service.py"]
for name, host, port in (line.split() for line in (root / "fleet.tsv").read_text().splitlines()):
    pid = int((root / "run" / f"{name}.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            time.sleep(0.002)
    argv = [*start, "--host", host, "--port", port, "--instance", name]
    subprocess.Popen(argv, cwd=root / version, start_new_session=True, stdin=subprocess.DEVNULL)
    for _ in range(500):
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"http://{host}:{port}/health", timeout=5).ok:
                break
        time.sleep(0.005)
    seen = requests.get(f"http://{host}:{port}/version", timeout=5).json()["version"]
    if seen != version:
        raise SystemExit(f"{name}: expected {version}, saw {seen}")
