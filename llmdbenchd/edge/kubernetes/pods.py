"""One pod, asked for by its name."""

import msgspec

from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.edge.kubernetes.errors import NotFound
from llmdbenchd.edge.kubernetes.session import Session


async def pod_named(session: Session, namespace: str, name: str) -> Pod | None:
    """The pod as it is now; None when there is none."""
    try:
        answer = await session.ask("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")
    except NotFound:
        return None
    return msgspec.json.decode(answer, type=Pod)
