"""The Kubernetes room's ear: what the API server noted about a pod."""

import asyncio

import msgspec

from llmdbenchd.core.pods.objects import Event, EventList
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused, Unavailable

WITHIN_S = 2.0  # they only make a sentence better

_lists = msgspec.json.Decoder(EventList)


async def events_of(session: Session, namespace: str, uid: str) -> tuple[Event, ...]:
    """The events of a pod; none when they cannot be had at once."""
    path = f"/api/v1/namespaces/{namespace}/events"
    query = {"fieldSelector": f"involvedObject.uid={uid}", "limit": "100"}
    try:
        async with asyncio.timeout(WITHIN_S):
            return _lists.decode(await session.ask("GET", path, query=query)).items
    except (Refused, Unavailable, TimeoutError, msgspec.MsgspecError, UnicodeDecodeError):
        return ()
