"""GitHub: what called the gate, where its outcome is shown, and what it remembers; the one door to PyGithub."""
