"""Only those who talk to GitHub pay for PyGithub."""

import subprocess
import sys


def loaded(*modules: str) -> bool:
    words = f"import sys, {', '.join(modules)}; print('github' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    return done.stdout == "True\n"


def test_no_other_verb_and_not_even_the_event_imports_pygithub() -> None:
    assert not loaded("deploygate.cli.main", "deploygate.cli.deploy", "deploygate.adapters.github.events")


def test_the_client_does() -> None:
    assert loaded("deploygate.adapters.github.client")
