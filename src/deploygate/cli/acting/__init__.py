"""The Action: what a step of a workflow does with the same code as the command line, and where it tells of it."""
