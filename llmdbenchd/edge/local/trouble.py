"""The local room's translator: trouble of the system becomes `Unavailable`, cause attached."""

from collections.abc import Iterator
from contextlib import contextmanager

from llmdbenchd.ports import Unavailable


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise `Unavailable` for an OSError inside; `doing` says what was tried, with whom."""
    try:
        yield
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise Unavailable(f"{doing}: {error.strerror or error}{where}") from error
