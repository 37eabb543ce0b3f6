"""What every driver and every balancer must keep, as pytest classes that their authors inherit; see docs/plugins.md."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.balancers", f"{__name__}.hosts", f"{__name__}.leases")

from deploygate.contract.balancers import BalancerContract  # noqa: E402 - only what is imported later is rewritten
from deploygate.contract.hosts import HostsContract  # noqa: E402
from deploygate.contract.leases import LeasesContract  # noqa: E402

__all__ = ["BalancerContract", "HostsContract", "LeasesContract"]
