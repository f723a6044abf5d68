"""The Kubernetes room's plain reading: one object by its path, or every one of a list."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from llmdbenchd.core.pods.objects import Page
from llmdbenchd.edge.kubernetes.errors import NotFound
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Unavailable

PAGE = 500
NOTHING: Mapping[str, str] = MappingProxyType({})
T = TypeVar("T")


async def read(session: Session, path: str, kind: type[T]) -> T:
    """The object as it is now.

    Raises:
        NotFound: there is none. Refused, Unavailable: the API server did not say.
    """
    return decoded(await session.ask("GET", path), kind, path)


async def found(session: Session, path: str, kind: type[T]) -> T | None:
    """The object as it is now; None when there is none. Raises as `read` otherwise."""
    try:
        return await read(session, path, kind)
    except NotFound:
        return None


async def listed(
    session: Session,
    path: str,
    kind: type[T],
    *,
    query: Mapping[str, str] = NOTHING,
    page: int = PAGE,
) -> list[T]:
    """Every object of a list, asked for in pages of so many.

    Raises:
        NotFound: the API server knows no such list. Refused, Unavailable: not all of it came.
    """
    items = list[T]()
    asked = {**query, "limit": str(page)}
    while True:
        part = decoded(await session.ask("GET", path, query=asked), Page[kind], path)  # type: ignore[valid-type] # mypy - a type that is a value
        items += part.items
        if not part.metadata.continue_:
            return items
        asked = {**asked, "continue": part.metadata.continue_}


def decoded(answer: bytes, kind: type[T], path: str) -> T:
    """What an API server answered at a path.

    Raises:
        Unavailable: that is not how one answers.
    """
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unavailable(f"GET {path}: this is not how an API server answers: {error}") from error
