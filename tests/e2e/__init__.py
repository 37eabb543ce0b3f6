"""The gate on real servers: sshd, systemd, a supervisor, HAProxy, nginx. `make e2e` finds or installs them."""
