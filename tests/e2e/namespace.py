"""A namespace of one test: objects made, looked at and waited for by plain requests."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.cluster.api import Api
from tests.cluster.images.recipes import BUSYBOX

Object = dict[str, Any]
Objects = list[Object]
_PATIENCE_S = 90.0
_TICK_S = 0.1
_ENDED = ("Succeeded", "Failed")
_GROUPS = {  # where a collection is, unless it is in the core group
    "deployments": "/apis/apps/v1",
    "jobs": "/apis/batch/v1",
    "gateways": "/apis/gateway.networking.k8s.io/v1",
    "httproutes": "/apis/gateway.networking.k8s.io/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
}


@dataclass(slots=True)
class Namespace:
    """One namespace, and what was made for it outside of it.

    Attributes:
        volumes: folder in which volumes are seen from here; None on another machine's node.
        node_volumes: the node's folder for volumes if `volumes` is None.
    """

    name: str
    api: Api
    volumes: Path | None
    node_volumes: Path
    _volumes_made: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Make it; pods can be made when this returns."""
        labels = {"llmdbenchd-test": "e2e"}
        body = {"metadata": {"name": self.name, "labels": labels}}
        self.api.create("/api/v1/namespaces", body)
        self.wait("serviceaccounts", "default", lambda _: True)

    def close(self) -> None:
        """Remove everything; does not wait until it is gone."""
        self.api.delete(self.path("pods"), grace_s=0)
        self.api.delete(f"/api/v1/namespaces/{self.name}")
        for volume in self._volumes_made:
            self.api.delete(f"/api/v1/persistentvolumes/{volume}")

    def path(self, kind: str, name: str = "") -> str:
        """Of a collection such as `pods`, or of one object in it."""
        group = _GROUPS.get(kind, "/api/v1")
        return f"{group}/namespaces/{self.name}/{kind}" + (f"/{name}" if name else "")

    def create(self, kind: str, body: Mapping[str, object]) -> Object:
        return self.api.create(self.path(kind), body)

    def find(self, kind: str, name: str) -> Object | None:
        return self.api.find(self.path(kind, name))

    def list(self, kind: str, **query: str) -> Objects:
        """Objects of a collection; queries such as `labelSelector=`."""
        items: Objects = self.api.get(f"{self.path(kind)}?{urlencode(query)}")["items"]
        return items

    def delete(self, kind: str, name: str, *, grace_s: int | None = None) -> None:
        self.api.delete(self.path(kind, name), grace_s=grace_s)

    def wait(
        self,
        kind: str,
        name: str,
        is_so: Callable[[Object], bool],
        *,
        patience_s: float = _PATIENCE_S,
    ) -> Object:
        """The object as soon as it exists and is as it should be.

        Raises:
            AssertionError: it was not, for all the time; with its last status.
        """
        deadline = time.monotonic() + patience_s
        while (found := self.find(kind, name)) is None or not is_so(found):
            last = json.dumps((found or {}).get("status"), indent=1)
            assert time.monotonic() < deadline, f"{kind}/{name} is not as it should be: {last}"
            time.sleep(_TICK_S)
        return found

    def pod(
        self,
        name: str,
        command: Sequence[str],
        *,
        image: str = BUSYBOX,
        container: Mapping[str, object] | None = None,
        **spec: object,
    ) -> Object:
        """Make a pod of one container `main` that is never started again."""
        main = {"name": "main", "image": image, "command": [*command], **(container or {})}
        plain = {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "containers": [main],
        }
        return self.create("pods", {"metadata": {"name": name}, "spec": {**plain, **spec}})

    def ended(self, pod: str, *, patience_s: float = _PATIENCE_S) -> Object:
        """A pod when it Succeeded or Failed."""
        return self.wait("pods", pod, lambda found: phase(found) in _ENDED, patience_s=patience_s)

    def log(self, pod: str, container: str = "") -> str:
        query = f"?{urlencode({'container': container})}" if container else ""
        return self.api.text(f"{self.path('pods', pod)}/log{query}").decode(errors="replace")

    def run(self, name: str, command: Sequence[str], **more: Any) -> str:  # noqa: ANN401 - of `pod`
        """Run a pod to its good end; returns its log.

        Raises:
            AssertionError: it failed, with its log.
        """
        self.pod(name, command, **more)
        found = self.ended(name)
        log = self.log(name)
        assert phase(found) == "Succeeded", f"{name}: {found['status']}\n{log}"
        return log

    def events(self, name: str) -> Objects:
        """Events of an object, in any order."""
        return self.list("events", fieldSelector=f"involvedObject.name={name}")

    def volume(self, claim: str = "workload-pvc", *, size: str = "20Gi") -> Path | None:
        """Have a volume that only a claim of this name gets; all may write, on any node of one.

        Returns:
            Its folder as seen from here, None if it lies on another machine's node.
        """
        name = f"{self.name}-{claim}"
        folder = (self.volumes or self.node_volumes) / name
        if self.volumes is not None:
            folder.mkdir(parents=True)
            folder.chmod(0o777)
        spec = {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "hostPath": {"path": str(folder), "type": "DirectoryOrCreate"},
            "claimRef": {"namespace": self.name, "name": claim},
        }
        self._volumes_made.append(name)
        self.api.create("/api/v1/persistentvolumes", {"metadata": {"name": name}, "spec": spec})
        return folder if self.volumes is not None else None

    def unmountable(self, claim: str) -> None:
        """Have a volume for this claim whose folder is nowhere."""
        name = f"{self.name}-{claim}"
        spec = {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "hostPath": {"path": f"/nowhere/{name}", "type": "Directory"},
            "claimRef": {"namespace": self.name, "name": claim},
        }
        self._volumes_made.append(name)
        self.api.create("/api/v1/persistentvolumes", {"metadata": {"name": name}, "spec": spec})

    def claim(self, name: str = "workload-pvc", *, size: str = "20Gi") -> Path | None:
        """A claim that is bound to a volume of its own; returns as `volume`."""
        folder = self.volume(name, size=size)
        spec = {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "volumeName": f"{self.name}-{name}",
            "resources": {"requests": {"storage": size}},
        }
        self.create("persistentvolumeclaims", {"metadata": {"name": name}, "spec": spec})
        self.wait("persistentvolumeclaims", name, lambda claim: phase(claim) == "Bound")
        return folder

    def token(self, account: str) -> str:
        """A token of a service account, good for an hour."""
        path = f"{self.path('serviceaccounts', account)}/token"
        made = self.api.create(path, {"spec": {"expirationSeconds": 3600}})
        token: str = made["status"]["token"]
        return token


def phase(found: Object) -> str:
    """Of a pod, a claim, a namespace."""
    return str(found.get("status", {}).get("phase", ""))
