"""What sends traffic to instances: HAProxy, nginx, or programs of the user's own."""

from deploygate.adapters.balancers.balancers import Balancers
from deploygate.adapters.balancers.kinds import Means, balancer_of

__all__ = ["Balancers", "Means", "balancer_of"]
