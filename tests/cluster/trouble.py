"""The test cluster's one error: what went wrong, where, and what to do."""


class Trouble(Exception):
    """Shown to people without a traceback."""
