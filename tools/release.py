"""What a release asks of this tree, and writes into action.yml: `python tools/release.py check|image ...`."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ACTION = ROOT / "action.yml"
SOURCE = "Dockerfile"
VERSION = re.compile(r"\d+\.\d+\.\d+")
IMAGE = re.compile(r"[a-z0-9.-]+(?:/[a-z0-9._-]+)+:v(?P<version>\d+\.\d+\.\d+)@sha256:[0-9a-f]{64}")
LINE = re.compile(r"^(  image: )(\S+)$", re.MULTILINE)


def version() -> str:
    """Return the version of the package."""
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return found


def complaint(image: str) -> str:
    """Say why action.yml may not name this image at the package's version; empty where it may."""
    if image == SOURCE:
        return ""
    match = IMAGE.fullmatch(image.removeprefix("docker://"))
    if not image.startswith("docker://") or match is None:
        return f"{image} is neither {SOURCE} nor docker://REGISTRY/NAME:vVERSION@sha256:DIGEST"
    return "" if match["version"] == version() else f"{image} is not of version {version()}"


def check(wanted: str) -> str:
    """Say why this tree is not the one to release as that version; empty where it is."""
    if not VERSION.fullmatch(wanted):
        return f"{wanted} is not of the form 1.2.3"
    if wanted != version():
        return f"pyproject.toml says {version()}, not {wanted}"
    if f"  image: {SOURCE}\n" not in ACTION.read_text():
        return f"action.yml is not built from the {SOURCE}: this is a released tree"
    return ""


def name(image: str) -> str:
    """Let action.yml name a released image, or say why not."""
    refused = complaint(f"docker://{image}")
    if not refused:
        ACTION.write_text(LINE.sub(rf"\g<1>docker://{image}", ACTION.read_text()))
    return refused


VERBS = {"check": check, "image": name}


def main(words: list[str]) -> int:
    """Do as asked; print what is wrong, and return 1 then."""
    match words:
        case ["check" | "image" as verb, word]:
            refused = VERBS[verb](word)
        case _:
            refused = "usage: release.py check VERSION | release.py image REGISTRY/NAME:vVERSION@sha256:DIGEST"
    if refused:
        print(refused, file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
