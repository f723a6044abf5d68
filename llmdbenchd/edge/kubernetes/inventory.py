"""The Kubernetes room's inventory: objects of our runs in a namespace, found and removed.

For the audit, which speaks to a cluster without a daemon. Only what carries our labels is
found, and only the very object that was found is removed.
"""

import msgspec

from llmdbenchd.core.fsck.accounts import Object, Thing
from llmdbenchd.core.launch import labels
from llmdbenchd.core.pods.objects import Metadata, PodStatus
from llmdbenchd.core.pods.sight import OVER
from llmdbenchd.edge.kubernetes.deleting import delete
from llmdbenchd.edge.kubernetes.reading import listed
from llmdbenchd.edge.kubernetes.session import Session

_PLURALS = {Object.LAUNCHER: "pods", Object.CONFIG_MAP: "configmaps"}
_PAGES = {Object.LAUNCHER: 500, Object.CONFIG_MAP: 50}  # a ConfigMap may have a megabyte


async def things_in(
    session: Session, place: str, namespace: str, instance: str
) -> tuple[Thing, ...]:
    """Every launcher and ConfigMap of our runs in a namespace.

    A pod has ended when all of its containers have: one that keeps results for us has not.

    Raises:
        Refused, Unavailable: not all of them could be listed.
    """
    things: list[Thing] = []
    for kind in Object:
        things += [
            Thing(
                place=place,
                kind=kind,
                name=found.metadata.name,
                uid=found.metadata.uid,
                has_ended=kind is Object.CONFIG_MAP or found.status.phase in OVER,
            )
            for found in await _listed(session, kind, namespace, instance)
        ]
    return tuple(things)


async def remove(session: Session, namespace: str, thing: Thing) -> None:
    """Take the object away, unless another has its name by now.

    Raises:
        Refused, Unavailable: it could not be done.
    """
    path = f"/api/v1/namespaces/{namespace}/{_PLURALS[thing.kind]}/{thing.name}"
    await delete(session, path, thing.uid, {"propagationPolicy": "Background"})


async def _listed(session: Session, kind: Object, namespace: str, instance: str) -> list["_Found"]:
    path = f"/api/v1/namespaces/{namespace}/{_PLURALS[kind]}"
    query = {"labelSelector": labels.launchers_of(instance)}
    return await listed(session, path, _Found, query=query, page=_PAGES[kind])


class _Found(msgspec.Struct, frozen=True):
    metadata: Metadata
    status: PodStatus = PodStatus()
