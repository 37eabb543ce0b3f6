"""Kill-start on other machines over ssh, and through supervisors: the host does the work, in its own shell."""

from deploygate.adapters.hosts.remote.killstart import RemoteKillStart

__all__ = ["RemoteKillStart"]
