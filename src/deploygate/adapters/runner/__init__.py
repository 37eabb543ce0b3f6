"""What an Actions runner is told: workflow commands on standard output, outputs, state and the summary as files."""

from deploygate.adapters.runner.runner import Runner

__all__ = ["Runner"]
