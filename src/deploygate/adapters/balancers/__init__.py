"""What sends traffic to instances: HAProxy, nginx, or programs of the user's own."""

from deploygate.adapters.balancers.balancers import Balancers

__all__ = ["Balancers"]
