"""Drivers and balancers that other packages bring; see docs/plugins.md."""

from deploygate.adapters.plugins.found import balancer_named, driver_named

__all__ = ["balancer_named", "driver_named"]
