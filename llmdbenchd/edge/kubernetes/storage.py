"""The Kubernetes room's shelf: claims that take results, made where they are not there."""

from contextlib import suppress

import msgspec

from llmdbenchd.core.launch.labels import instance_labels
from llmdbenchd.core.launch.plan import Storage
from llmdbenchd.core.pods.objects import Metadata
from llmdbenchd.edge.kubernetes.errors import AlreadyExists
from llmdbenchd.edge.kubernetes.reading import found
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Unavailable

SHARED = frozenset({"ReadWriteMany", "ReadOnlyMany"})  # any number of nodes may mount it


class ClaimSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What was asked for."""

    access_modes: tuple[str, ...] = ()


class ClaimStatus(msgspec.Struct, frozen=True, rename="camel"):
    """How it is."""

    phase: str = "Pending"


class Claim(msgspec.Struct, frozen=True, rename="camel"):
    """A claim as it is."""

    metadata: Metadata = Metadata()
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()

    @property
    def is_shared(self) -> bool:
        """Whether pods on any node may mount it at one time."""
        return not SHARED.isdisjoint(self.spec.access_modes)


async def claim_named(session: Session, namespace: str, name: str) -> Claim | None:
    """The claim as it is now; None when there is none."""
    return await found(session, f"{_path(namespace)}/{name}", Claim)


class Claims:
    """Claims in one namespace. One that is there is used as it is, and none is ever removed."""

    def __init__(self, session: Session, namespace: str, instance: str) -> None:
        self._session = session
        self._namespace = namespace
        self._instance = instance
        self._seen_for: dict[str, str] = {}  # claim: the attempt that found it there

    async def ensure(self, storage: Storage, attempt: str) -> None:
        """Make the claim, or find it made by whomever; does not wait until it is bound.

        A class that binds with the first pod would never be bound otherwise. It is asked for
        once for all launchers of an attempt: somebody may delete it before the next one.

        Args:
            storage: which claim, and how it is made.
            attempt: names the attempt that needs it.

        Raises:
            Refused: the API server says no.
            Unavailable: try again.
        """
        if self._seen_for.get(storage.claim) == attempt:
            return
        claim = await claim_named(self._session, self._namespace, storage.claim)
        if claim is None:
            await self._make(storage)
        elif claim.metadata.deletion_timestamp:
            gone = "no pod can use it until it is gone and was made anew"
            raise Unavailable(f"claim {storage.claim} is being deleted: {gone}")
        self._seen_for[storage.claim] = attempt

    async def _make(self, storage: Storage) -> None:
        with suppress(AlreadyExists):  # somebody was faster
            body = claim_body(storage, self._instance)
            await self._session.ask("POST", _path(self._namespace), body=body)


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


def _path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
