"""Implementations of the ports: the world, one door a library or a kind of thing."""
