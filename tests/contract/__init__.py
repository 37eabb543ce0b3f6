"""The contract of drivers and balancers, kept by our own and broken by bad ones."""
