"""The Kubernetes room's rehearsal: what the API server would say, with nothing made.

A dry run goes through every check of the real thing: quota, limits, policies of security.
It needs the right to make what it does not make, and no other.
"""

from collections.abc import Mapping
from typing import Any

from llmdbenchd.core.launch.config_maps import Payload
from llmdbenchd.core.launch.manifest import launcher_pod
from llmdbenchd.core.launch.plan import LauncherPlan, Storage
from llmdbenchd.edge.kubernetes.errors import AlreadyExists
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.kubernetes.storage import claim_body, claim_named
from llmdbenchd.ports import Refused

_NOBODY = "00000000-0000-0000-0000-000000000000"
_DRY: Mapping[str, str] = {"dryRun": "All"}


async def would_launch(
    session: Session, namespace: str, plan: LauncherPlan, payload: Payload, *, together: int
) -> str:
    """Why so many launchers of this kind at once would be refused, or empty.

    All of them are rehearsed as one pod: quotas count its containers together.

    Raises:
        Unavailable: the API server could not say.
    """
    try:
        pod: dict[str, Any] = launcher_pod(plan, payload, owner=_NOBODY, secret="")
        containers = [
            container | {"name": f"{container['name']}-{number}" if number else container["name"]}
            for number in range(together)
            for container in pod["spec"]["containers"]
        ]
        body = pod | {"spec": pod["spec"] | {"containers": containers}}
        await session.ask("POST", f"/api/v1/namespaces/{namespace}/pods", query=_DRY, body=body)
    except AlreadyExists:
        return ""
    except (ValueError, Refused) as error:
        return str(error)
    return ""


async def claim_phase(session: Session, namespace: str, storage: Storage) -> str:
    """The phase of the claim that takes results; empty where there is none.

    Raises:
        Refused, Unavailable: the API server did not say.
    """
    claim = await claim_named(session, namespace, storage.claim)
    return claim.status.phase if claim is not None else ""


async def would_claim(session: Session, namespace: str, storage: Storage, instance: str) -> str:
    """Why the claim would not be made, or empty.

    Raises:
        Unavailable: the API server could not say.
    """
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    try:
        await session.ask("POST", path, query=_DRY, body=claim_body(storage, instance))
    except AlreadyExists:
        return ""
    except Refused as error:
        return str(error)
    return ""
