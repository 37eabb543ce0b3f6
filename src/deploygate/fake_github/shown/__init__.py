"""What GitHub shows of each thing: its JSON."""
