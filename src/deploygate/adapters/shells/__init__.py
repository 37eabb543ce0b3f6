"""Shells on this machine and on others: constant programs, whose values can never become shell."""

from deploygate.adapters.shells.client import found_by_path
from deploygate.adapters.shells.inputs import SshInputs, ssh_inputs
from deploygate.adapters.shells.quoting import assigned, words
from deploygate.adapters.shells.session import Ran, UnreachableError
from deploygate.adapters.shells.shells import Shells

__all__ = ["Ran", "Shells", "SshInputs", "UnreachableError", "assigned", "found_by_path", "ssh_inputs", "words"]
