"""pyinfra's inventory of the fleet: each host by its address, its key checked."""

import os
from pathlib import Path

_ACCESS = {
    "ssh_port": int(os.environ["BENCH_SSH_PORT"]),
    "ssh_key": os.environ["BENCH_SSH_KEY"],
    "ssh_known_hosts_file": os.environ["BENCH_SSH_KNOWN_HOSTS"],
    "ssh_strict_host_key_checking": "yes",
    "ssh_look_for_keys": False,
    "ssh_allow_agent": False,
}
_LINES = [line.split() for line in (Path(os.environ["BENCH_ROOT"]) / "fleet.tsv").read_text().splitlines()]
bench = [
    (name, {"ssh_hostname": address, "bench_host": address, "bench_port": port} | _ACCESS)
    for name, address, port in _LINES
]
