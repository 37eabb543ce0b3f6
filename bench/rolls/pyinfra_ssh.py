"""pyinfra with `--serial`: two operations a host, restart and rule, both on the host."""

import os

from pyinfra import host  # type: ignore[import-not-found]  # a peer, in a venv of its own
from pyinfra.operations import server  # type: ignore[import-not-found]  # as above

there = os.environ["BENCH_THERE"]
address, port = host.data.bench_host, host.data.bench_port
server.shell(name="restart", commands=[f"{there} && restart {host.name} {address} {port}"])
server.shell(name="verify", commands=[f"{there} && verify {address} {port}"])
