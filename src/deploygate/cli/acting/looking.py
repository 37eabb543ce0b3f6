"""An observation by an event: what runs where, as asked now."""

from contextlib import closing

from deploygate import report
from deploygate.cli.acting.desk import Desk
from deploygate.cli.acting.gates import Gates
from deploygate.cli.acting.outcome import Outcome
from deploygate.cli.finding_out import service_named
from deploygate.cli.observing import observe
from deploygate.endings import EXIT_CODES, Ending


def look(desk: Desk, gates: Gates) -> Outcome:
    """Observe one service, or all of them."""
    with closing(gates.open()) as gate:
        every = list(gate.inventory.services.values())
        services = [service_named(gate.inventory, desk.inputs.service)] if desk.inputs.service else every
        for service in services:
            desk.conceal(gates.secrets(service))
        rows = observe(gate, services)
    good = all(row.as_wanted for row in rows)
    desk.say(report.observed_text(rows))
    ending = Ending.ALREADY_THERE if good else Ending.CANNOT_TELL
    says = report.observed_text(rows).partition("\n")[0]
    return Outcome(
        decision="pass" if good else "cannot_tell",
        reason_code=ending,
        exit_code=0 if good else EXIT_CODES[ending],
        says=says,
        markdown=f"### {report.escaped(says)}\n\n{report.observed_markdown(rows)}",
        data=report.observed_data(rows),
        service=services[0].name if len(services) == 1 else "",
    )
