"""The peers: other people's tools, in a virtual environment of their own beside this file."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / ".bench" / "peers"
PACKAGES = ("ansible-core", "fabric", "pyinfra")


def program(name: str) -> Path:
    """Return where a program of the peers' environment stands."""
    return FOLDER / "bin" / name


def installed() -> bool:
    """Tell whether the peers are there."""
    return (FOLDER / "complete").exists()


def install() -> bool:
    """Install the peers once; where that fails say so, and go on without them."""
    if installed():
        return True
    print(f"installing {', '.join(PACKAGES)} ...", file=sys.stderr)
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        subprocess.run([str(program("pip")), "install", "-qq", *PACKAGES], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"BENCH WITHOUT PEERS: they could not be installed: {error}", file=sys.stderr)
        return False
    (FOLDER / "complete").touch()
    return True


def versions() -> str:
    """Return the peers' names and versions, for the table's foot."""
    argv = [str(program("pip")), "list", "--format=freeze", "--disable-pip-version-check"]
    listed = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()
    return ", ".join(line.replace("==", " ") for line in listed if line.split("==")[0] in PACKAGES)
