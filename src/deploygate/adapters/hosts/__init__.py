"""Where releases are installed and processes run."""
