"""The post step of the Action: whatever happened to the main step, nothing stays pending, and what is said is true."""

import os
import sys


def main() -> None:
    """Close what the main step has left open; where it closed everything itself, end at once."""
    if os.environ.get("STATE_PHASE") == "closed":
        return
    # What is imported here costs time, and mostly there is nothing left to do.
    from deploygate.cli.acting.closing import last_word  # noqa: PLC0415
    from deploygate.cli.action import spell_out  # noqa: PLC0415

    spell_out()
    sys.exit(last_word(os.environ))
