"""The Kubernetes room's shelf: claims that take results, made where they are not there."""

from contextlib import suppress

from llmdbenchd.core.launch.labels import instance_labels
from llmdbenchd.core.launch.plan import Storage
from llmdbenchd.edge.kubernetes.errors import AlreadyExists, NotFound
from llmdbenchd.edge.kubernetes.session import Session


class Claims:
    """Claims in one namespace. One that is there is used as it is, and none is ever removed."""

    def __init__(self, session: Session, namespace: str, instance: str) -> None:
        self._session = session
        self._path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
        self._instance = instance
        self._there: set[str] = set()

    async def ensure(self, storage: Storage) -> None:
        """Make the claim, or find it made by whomever; does not wait until it is bound.

        A class that binds with the first pod would never be bound otherwise.

        Raises:
            Refused: the API server says no.
            Unavailable: try again.
        """
        if storage.claim in self._there:
            return
        try:
            await self._session.ask("GET", f"{self._path}/{storage.claim}")
        except NotFound:
            await self._make(storage)
        self._there.add(storage.claim)

    def doubt(self, claim: str) -> None:
        """It may have been deleted: the next `ensure` asks."""
        self._there.discard(claim)

    async def _make(self, storage: Storage) -> None:
        with suppress(AlreadyExists):  # somebody was faster
            await self._session.ask("POST", self._path, body=claim_body(storage, self._instance))


def claim_body(storage: Storage, instance: str) -> dict[str, object]:
    """The claim as it is asked for."""
    spec: dict[str, object] = {
        "accessModes": [storage.access],
        "resources": {"requests": {"storage": storage.size}},
    }
    if storage.storage_class is not None:
        spec["storageClassName"] = storage.storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": storage.claim, "labels": instance_labels(instance)},
        "spec": spec,
    }
