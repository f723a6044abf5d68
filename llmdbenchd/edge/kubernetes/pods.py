"""One pod, asked for by its name."""

from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.edge.kubernetes.reading import found
from llmdbenchd.edge.kubernetes.session import Session


async def pod_named(session: Session, namespace: str, name: str) -> Pod | None:
    """The pod as it is now; None when there is none."""
    return await found(session, f"/api/v1/namespaces/{namespace}/pods/{name}", Pod)
