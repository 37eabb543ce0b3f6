"""Rollouts in a simulated world, with faults: thousands a minute, each held against the promises."""
