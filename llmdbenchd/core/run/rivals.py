"""What launchers of other daemons load: their targets are as taken as those of our own runs.

A launcher carries a mark for each server of its target. A mark says of a server that one
knows whether it is meant, and nothing to anybody else.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache

Rivals = Mapping[str, str]  # who loads a server, by its mark
NOBODY: Rivals = {}
_LENGTH = 16


@lru_cache(maxsize=4096)
def mark(server: str) -> str:
    """What stands for one server."""
    return hashlib.sha256(server.encode()).hexdigest()[:_LENGTH]


def marks(servers: Iterable[str]) -> str:
    """What stands for all servers of a target, as one text."""
    return ",".join(sorted({mark(server) for server in servers}))


def marked(text: str) -> tuple[str, ...]:
    """The marks in such a text."""
    return tuple(one for one in text.split(",") if one)


def rival(servers: Iterable[str], rivals: Rivals) -> tuple[str, str] | None:
    """The first of the servers that another daemon's launcher loads, and who does."""
    if not rivals:
        return None
    return next(((one, rivals[mark(one)]) for one in servers if mark(one) in rivals), None)
