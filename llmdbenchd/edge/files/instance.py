"""The daemon's own id, made once in its state folder; it is on every launcher's name."""

import secrets
from contextlib import suppress
from pathlib import Path

from llmdbenchd.edge.files.durable import (
    AlreadyThere,
    forget_unfinished,
    publish_new,
    translated,
)

NAME = "instance"


def instance_id(state: Path) -> str:
    """Eight hexadecimal digits, the same for as long as the state folder lives.

    Raises:
        Refused, Unavailable: the folder cannot be read or written.
    """
    path = state / NAME
    forget_unfinished(state)  # a kill in the middle of its making; the queue's lock makes us alone
    with translated(path):
        if not path.exists():
            with suppress(AlreadyThere):
                publish_new(path, f"{secrets.token_hex(4)}\n".encode(), mode=0o640)
        return path.read_text(encoding="ascii").strip()
