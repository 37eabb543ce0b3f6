"""Asks instances over HTTP, each at its own address."""

from deploygate.adapters.prober.looking import HttpProber

__all__ = ["HttpProber"]
