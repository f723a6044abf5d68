"""The Kubernetes room's question to the API server: what may we do? Needs no right itself."""

import asyncio
from collections.abc import Iterable, Iterator

import msgspec

from llmdbenchd.core.rights import Right
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Unavailable

AT_ONCE = 8  # questions; the session's own pace holds them back further
_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def missing_rights(
    session: Session, namespace: str, rights: Iterable[Right]
) -> frozenset[Right]:
    """Those of the rights that we do not have in a namespace, which need not exist.

    Raises:
        Refused: nobody may ask here.
        Unavailable: the API server could not be asked, or not about every right.
    """
    line, missing = iter(rights), set[Right]()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(_ask(session, namespace, line, missing))
    except ExceptionGroup as errors:  # the first says enough: all of them were asked the same
        raise errors.exceptions[0] from errors
    return frozenset(missing)


async def _ask(session: Session, namespace: str, line: Iterator[Right], into: set[Right]) -> None:
    for right in line:
        body = {"spec": {"resourceAttributes": _attributes(right, namespace)}}
        if not _is_allowed(await session.ask("POST", _PATH, body=body)):
            into.add(right)


def _is_allowed(answer: bytes) -> bool:
    try:
        return msgspec.json.decode(answer, type=_Review).status.allowed
    except msgspec.MsgspecError as error:
        what = f"POST {_PATH}: this is not how an API server answers"
        raise Unavailable(f"{what}: {error}") from error


def _attributes(right: Right, namespace: str) -> dict[str, str]:
    resource, _, subresource = right.resource.partition("/")
    return {
        "namespace": namespace,
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        **({"name": right.name} if right.name else {}),
    }


class _Status(msgspec.Struct, frozen=True):
    allowed: bool


class _Review(msgspec.Struct, frozen=True):
    status: _Status
