"""The five scenarios of the Action without containers: its entry points are processes, the fleet is on this machine."""

from scenarios.five import Five


class TestAsProcesses(Five):
    """Each job is two processes of this machine."""
