"""The Kubernetes room's list of everything that daemons of our kind made in a namespace."""

import msgspec

from llmdbenchd.core.fsck.leftovers import CLAIM, CONFIG_MAP, POD, Owned
from llmdbenchd.core.launch.labels import MANAGED_BY, OURS, selector
from llmdbenchd.core.pods.objects import Metadata
from llmdbenchd.edge.kubernetes.deleting import delete
from llmdbenchd.edge.kubernetes.errors import Forbidden
from llmdbenchd.edge.kubernetes.reading import listed
from llmdbenchd.edge.kubernetes.session import Session

_PLURALS = {POD: "pods", CONFIG_MAP: "configmaps", CLAIM: "persistentvolumeclaims"}
_PAGES = {POD: 500, CONFIG_MAP: 50, CLAIM: 500}  # a ConfigMap may have a megabyte


class _Found(msgspec.Struct, frozen=True):
    metadata: Metadata


async def owned_in(session: Session, namespace: str) -> tuple[Owned, ...]:
    """All of it. Claims are told where we may list them, which nothing else needs.

    Raises:
        Refused, Unavailable: not all of it could be listed.
    """
    found: list[Owned] = []
    for kind in _PLURALS:
        try:
            found += await _listed(session, namespace, kind)
        except Forbidden:
            if kind != CLAIM:
                raise
    return tuple(found)


async def remove(session: Session, one: Owned) -> None:
    """Take it away, unless another has its name by now.

    Raises:
        Refused, Unavailable: it could not be done.
    """
    path = f"/api/v1/namespaces/{one.namespace}/{_PLURALS[one.kind]}/{one.name}"
    await delete(session, path, one.uid, {"propagationPolicy": "Background"})


async def _listed(session: Session, namespace: str, kind: str) -> list[Owned]:
    path = f"/api/v1/namespaces/{namespace}/{_PLURALS[kind]}"
    query = {"labelSelector": selector({MANAGED_BY: OURS})}
    things = await listed(session, path, _Found, query=query, page=_PAGES[kind])
    found = [one.metadata for one in things]
    return [Owned(namespace, kind, one.name, one.uid, one.labels) for one in found]
