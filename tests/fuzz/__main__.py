"""`make fuzz`: atheris looks for a file that makes `check` crash, hang or swell, beginning with the examples.

A file that it finds stays in `.fuzz/`; once what it shows is mended, it goes to tests/examples/inventory.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "tests" / "examples" / "inventory"
SCHEMA = ROOT / "schemas" / "service-inventory.schema.json"
PLACE = ROOT / ".fuzz"
PIECES = (
    *("&a ", "*a", "<<: ", "!!str ", "? ", "---\n", "...\n", "|\n", ">-\n", "'", '"', ": ", "- ", "{", "}", "[", "]"),
    *("\n  ", "\n    ", "null", "1.10", "0x_", "2024-01-02", "\ufeff", "\u2028", "\x85", "::error::", "http://[::"),
)
SECONDS = 10  # for one file
MEBIBYTES = 1024
LONGEST = 1 << 16  # bytes of a file


def words(schema: Any) -> set[str]:
    """Return every key and every example that the schema knows."""
    found: set[str] = set()
    match schema:
        case dict():
            found |= set(schema.get("properties", ()))
            found |= {one for one in schema.get("examples", ()) if isinstance(one, str)}
            found |= {one for one in schema.get("enum", ()) if isinstance(one, str)}
            for inner in schema.values():
                found |= words(inner)
        case list():
            for inner in schema:
                found |= words(inner)
    return found


def dictionary() -> str:
    """Return what is put in here and there, in libFuzzer's form."""
    every = [*PIECES, *sorted(words(json.loads(SCHEMA.read_text(encoding="utf-8"))))]
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in one.encode()) + '"\n' for one in every)


def missing() -> str:
    """Return why atheris can't be had, after an attempt to install it."""
    if importlib.util.find_spec("atheris"):
        return ""
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*install, "--only-binary=:all:", "atheris>=3"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["pip failed"])[-1]


def main() -> int:
    """Fuzz for as long as was asked for; what libFuzzer exits with tells whether it found something."""
    parser = argparse.ArgumentParser(description="Look for a file that makes `check` crash, hang or swell.")
    parser.add_argument("--time", type=int, default=600, help="seconds  [default: 600]")
    time = parser.parse_args().time
    if why := missing():
        print(f"\nNOT FUZZED: atheris can't be had for {sys.executable}: {why}\n", file=sys.stderr)
        return 0
    seeds, corpus = PLACE / "seeds", PLACE / "corpus"
    for folder in (seeds, corpus):
        folder.mkdir(parents=True, exist_ok=True)
    for example in EXAMPLES.glob("*/*.yml"):
        (seeds / f"{example.parent.name}-{example.name}").write_bytes(example.read_bytes())
    (PLACE / "words").write_text(dictionary(), encoding="ascii")
    options = {
        "max_total_time": time,
        "timeout": SECONDS,
        "rss_limit_mb": MEBIBYTES,
        "max_len": LONGEST,
        "dict": PLACE / "words",
        "artifact_prefix": f"{PLACE}/",
    }
    argv = [sys.executable, str(Path(__file__).with_name("check.py")), str(corpus), str(seeds)]
    done = subprocess.run([*argv, *(f"-{key}={value}" for key, value in options.items())], check=False)
    found = sorted(one.name for one in PLACE.iterdir() if one.name.startswith(("crash-", "timeout-", "oom-")))
    print(*(f"FOUND: .fuzz/{name}" for name in found), sep="\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
