"""What the fake GitHub remembers: people, git objects, repositories, pull requests, deployments, runs."""
