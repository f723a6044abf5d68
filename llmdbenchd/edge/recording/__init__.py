"""The recorder's room: launchers that the daemon carries out itself, to watch servers load."""
