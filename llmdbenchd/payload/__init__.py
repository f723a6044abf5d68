"""Stand-alone scripts that run inside launchers: standard library only, Python 3.9 or newer."""
