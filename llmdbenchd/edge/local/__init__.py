"""Launchers as processes on this machine, outliving the daemon."""
