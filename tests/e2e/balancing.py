"""Real balancers and instances on loopback, as this user, each in a folder of its own, stopped by process."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Self
from urllib.request import urlopen

from made import service

from deploygate.inventory import Instance, Service
from deploygate.names import PRODUCTION, InstanceName
from deploygate.ways import Balancing

FUSE = 20.0
BACKEND = Path(__file__).parent / "backend.py"
SBIN = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
NO_HAPROXY = "HAProxy is missing: apt-get install haproxy" if shutil.which("haproxy", path=SBIN) is None else ""
NO_NGINX = "nginx is missing: apt-get install nginx-light" if shutil.which("nginx", path=SBIN) is None else ""


def free_port() -> int:
    """Return a port of loopback that nobody has, and that no connection going out will take."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def at(place: int | str) -> str:
    """Return an address: of this machine, where only a port is given."""
    return place if isinstance(place, str) else f"127.0.0.1:{place}"


def until(good: Callable[[], bool], what: str) -> None:
    """Wait for something, with a fuse."""
    end = time.monotonic() + FUSE
    while not good():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.01)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def made_whole(path: Path) -> bool:
    """Tell whether a socket is there, or a file with something in it."""
    return path.is_socket() or (path.exists() and path.stat().st_size > 0)


class Started:
    """A process with a short folder of its own; `stop` ends both."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dg-"))  # a path to a socket has room for 107 characters
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, words: Sequence[str]) -> None:
        """Start the process; its words go into a file."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def wait_for(self, port: int, *files: Path) -> None:
        """Wait until it listens, and has made the files that it makes after that."""
        process = self.process
        assert process is not None
        try:
            until(
                lambda: process.poll() is not None or (listens(port) and all(made_whole(one) for one in files)),
                f"{process.args!r} to listen at {port}",
            )
            assert process.poll() is None, (self.folder / "log").read_text()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End the process, for sure."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(how)
        try:
            self.process.wait(FUSE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(FUSE)
        self.process = None


class Backend(Started):
    """One instance, which can be killed and started again, under another version."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.port = free_port()
        self.start(name)

    def start(self, says: str) -> None:
        self.says = says
        files = (str(self.folder / "begun"), str(self.folder / "let-go"))
        self.run([sys.executable, "-I", "-S", str(BACKEND), says, str(self.port), *files])
        self.wait_for(self.port)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def as_new(self) -> Self:
        """Be as at the beginning, whatever another test has done."""
        for name in ("begun", "let-go"):
            (self.folder / name).unlink(missing_ok=True)
        if self.process is None or self.says != self.name:
            self.kill()
            self.start(self.name)
        return self

    @property
    def begun(self) -> bool:
        """Whether a request has arrived that is held."""
        return (self.folder / "begun").exists()

    def let_go(self) -> None:
        """Let what is held be answered."""
        (self.folder / "let-go").touch()


class HAProxyServer(Started):
    """A HAProxy before backends, without retries that would hide a loss."""

    def __init__(self, places: Mapping[str, int | str], more: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__()
        self.port, self.tcp = free_port(), f"127.0.0.1:{free_port()}"
        self.unix, self.operator = str(self.folder / "admin.sock"), str(self.folder / "operator.sock")
        servers = "".join(f"  server {name} {at(place)} {more.get(name, '')}\n" for name, place in places.items())
        (self.folder / "haproxy.cfg").write_text(
            f"global\n  stats socket {self.unix} mode 600 level admin\n  stats socket {self.tcp} level admin\n"
            f"  stats socket {self.operator} mode 600 level operator\n"
            "defaults\n  mode http\n  retries 0\n"
            "  timeout connect 2s\n  timeout client 30s\n  timeout server 30s\n  timeout check 2s\n"
            f"frontend front\n  bind 127.0.0.1:{self.port}\n  default_backend adcaster\n"
            f"backend adcaster\n  balance roundrobin\n{servers}"
        )
        self.run([shutil.which("haproxy", path=SBIN) or "haproxy", "-db", "-f", str(self.folder / "haproxy.cfg")])
        self.wait_for(self.port, Path(self.unix), Path(self.operator))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def told(self, command: str) -> str:
        """Say something to it behind the gate's back, and return its answer."""
        with socket.socket(socket.AF_UNIX) as api:
            api.settimeout(FUSE)
            api.connect(self.unix)
            api.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: api.recv(65536), b"")).decode()


class NginxServer(Started):
    """An nginx before one upstream, in a file that the gate writes, without retries that would hide a loss."""

    def __init__(self, places: Mapping[str, int | str], *, workers: int = 2, called: str = "adcaster.conf") -> None:
        super().__init__()
        self.port = free_port()
        self.file, self.conf = self.folder / "conf.d" / called, self.folder / "nginx.conf"
        self.file.parent.mkdir()
        self.pid_file = self.folder / "nginx.pid"
        temporary = "".join(
            f"  {kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.conf.write_text(
            f"daemon off;\npid {self.pid_file};\nerror_log {self.folder}/error.log;\nworker_processes {workers};\n"
            f"events {{ }}\nhttp {{\n  access_log off;\n{temporary}  include '{self.file.parent}/*';\n"
            f"  server {{\n    listen 127.0.0.1:{self.port};\n"
            "    location / { proxy_pass http://adcaster; proxy_next_upstream off; proxy_read_timeout 30s; }\n  }\n}\n"
        )
        servers = "".join(f"    server {at(place)};\n" for place in places.values())
        self.file.write_text(f"# written by deploygate\nupstream adcaster {{\n{servers}}}\n")
        self.program = shutil.which("nginx", path=SBIN) or "nginx"
        self.run([*self.words])
        self.wait_for(self.port, self.pid_file)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def words(self) -> tuple[str, ...]:
        """How this nginx is called."""
        return (self.program, "-c", str(self.conf), "-e", str(self.folder / "error.log"))


def held(url: str) -> tuple[threading.Thread, list[str]]:
    """Ask for something that is held; what is answered is put into the list."""
    said: list[str] = []

    def ask() -> None:
        with urlopen(f"{url}held", timeout=2 * FUSE) as answer:
            said.append(answer.read().decode())

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    return thread, said


def behind(balancing: Balancing, ports: Mapping[str, int]) -> Service:
    """Return a service with an instance in production at each port, behind a balancer."""
    instances = tuple(
        Instance(InstanceName(one), PRODUCTION, f"http://127.0.0.1:{port}") for one, port in ports.items()
    )
    return service(instances=instances, balancer=balancing)
