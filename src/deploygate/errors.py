"""What can go wrong so far that going on is impossible: an ending, a sentence, and what to do."""

from deploygate.endings import Ending
from deploygate.findings import Finding


class GateError(Exception):
    """Ends the run. `says` is one line of what went wrong, `help` what to do now."""

    def __init__(
        self,
        says: str,
        *,
        help: str = "",  # noqa: A002 - a finding's word
        ending: Ending = Ending.USAGE_ERROR,
    ) -> None:
        super().__init__(says)
        self.says = says
        self.help = help
        self.ending = ending


class InventoryError(GateError):
    """Carries every complaint about an inventory at once."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        count = len(findings)
        super().__init__(
            f"the inventory has {count} {'finding' if count == 1 else 'findings'}",
            help="Run `deploygate check` to see them all.",
            ending=Ending.INVENTORY_ERROR,
        )
        self.findings = findings
