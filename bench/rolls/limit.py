"""The lower limit: kill by pid, start, poll with raw sockets, in one process; prints what it took as JSON.

It has its own clock, which starts when the interpreter is up. `restart` is the part without which there is no
roll: from the signal to the first connection that the new process accepts.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

ROOT, VERSION = os.environ["BENCH_ROOT"], os.environ["BENCH_VERSION"]
WANTED = f'{{"version": "{VERSION}"}}'.encode()


def stop(name: str) -> None:
    """Send SIGTERM and wait until the process is gone."""
    with open(f"{ROOT}/run/{name}.pid") as file:  # noqa: PTH123 - pathlib has no place in a lower limit
        pid = int(file.read())
    watch = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    select.select([watch], [], [], 10)
    os.close(watch)


def start(name: str, host: str, port: str) -> None:
    """Start the release beside."""
    argv = [os.environ["BENCH_PYTHON"], "-I", "-S", "service.py", "--host", host, "--port", port, "--instance", name]
    subprocess.Popen(
        argv,
        cwd=f"{ROOT}/{VERSION}",
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def connected(host: str, port: int) -> socket.socket:
    """Return the first connection that is accepted."""
    fuse = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection((host, port), 5)
        except ConnectionRefusedError:
            if time.monotonic() > fuse:
                raise
            time.sleep(0.0005)


def ask(caller: socket.socket, path: str) -> tuple[bytes, bytes]:
    """Return the status and the body."""
    with caller:
        caller.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        answer = b""
        while part := caller.recv(4096):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b" ", 2)[1], body


def main() -> None:
    """Roll every instance, one after the other."""
    restart = 0.0
    wall, cpu = time.perf_counter(), time.process_time()
    with open(f"{ROOT}/fleet.tsv") as file:  # noqa: PTH123 - as above
        fleet = [line.split() for line in file]
    for name, host, port in fleet:
        begin = time.perf_counter()
        stop(name)
        start(name, host, port)
        caller = connected(host, int(port))
        restart += time.perf_counter() - begin
        if ask(caller, "/health")[0] != b"200" or ask(connected(host, int(port)), "/version")[1] != WANTED:
            sys.exit(f"{name} is ill or of another version")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"wall": wall, "cpu": cpu, "restart": restart}))


if __name__ == "__main__":
    main()
