"""One object, taken away: the very one that was seen, and never another of its name."""

from collections.abc import Mapping
from contextlib import suppress

from llmdbenchd.edge.kubernetes.errors import Conflict, NotFound
from llmdbenchd.edge.kubernetes.session import Session


async def delete(session: Session, path: str, uid: str, how: Mapping[str, object]) -> None:
    """Ask for the object's end; gone already, or another by now, is fine.

    Args:
        session: where it is.
        path: of the object, by its name.
        uid: of the object that is meant.
        how: further options, such as `gracePeriodSeconds`.

    Raises:
        Refused, Unavailable: it could not be asked for.
    """
    with suppress(NotFound, Conflict):
        await session.ask("DELETE", path, body={**how, "preconditions": {"uid": uid}})
