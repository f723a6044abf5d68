"""The only code that touches the world: files, processes, clocks, systemd."""
