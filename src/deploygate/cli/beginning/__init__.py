"""How an inventory begins: what a repository says of its services, what is made up, and the files that come of it."""
