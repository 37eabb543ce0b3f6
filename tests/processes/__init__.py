"""The gate against real processes: nothing is faked, and what came of it is asked of the processes themselves."""
