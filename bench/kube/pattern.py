"""A launcher of the daemon's, and any number of others that are like it but nobody's."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmdbenchd.core.launch import labels
from llmdbenchd.core.launch.plan import IMAGE
from tests.e2e.namespace import Namespace

Object = dict[str, Any]
LABEL = "bench"
SHELF = "shelf"  # a pod that shows a claim, for those who copy without our data-access pod
SHELF_PORT = 8080
_FOLDER = "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR"
_FROM_THE_CLUSTER = ("nodeName", "serviceAccount", "serviceAccountName", "tolerations", "priority")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One launcher: its pod, and the ConfigMaps that the pod reads."""

    pod: Object
    config_maps: tuple[Object, ...]

    @classmethod
    def of(cls, namespace: Namespace, pod: Object) -> "Pattern":
        """Take it from a namespace while it is there."""
        names = [one["configMap"]["name"] for one in pod["spec"]["volumes"] if "configMap" in one]
        found = [namespace.find("configmaps", name) for name in names]
        return cls(pod, tuple(one for one in found if one is not None))

    def named(self, name: str, **env: str) -> list[Object]:
        """Another one: its ConfigMaps, and last its pod, which writes to a folder of its own.

        Args:
            name: eight characters; in the name of everything, and its label.
            env: other values for variables of the harness.
        """
        run8 = labels.attempt_name(self.pod["metadata"]["name"]).split("-")[-2]
        spec = {key: one for key, one in self.pod["spec"].items() if key not in _FROM_THE_CLUSTER}
        plain: list[Object] = [
            {"kind": "ConfigMap", "metadata": one["metadata"], "data": one["data"]}
            for one in self.config_maps
        ]
        plain.append({"kind": "Pod", "metadata": self.pod["metadata"], "spec": spec})
        made: list[Object] = json.loads(json.dumps(plain).replace(run8, name))
        for one in made:
            one |= {"apiVersion": "v1"}
            one["metadata"] = {"name": one["metadata"]["name"], "labels": {LABEL: name}}
        for variable in made[-1]["spec"]["containers"][0]["env"]:
            if variable["name"] in env:
                variable["value"] = env[variable["name"]]
        return made


def folder_of(pod: Object) -> str:
    """Where a launcher writes, below its claim."""
    told = {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0]["env"]}
    return Path(told[_FOLDER]).name


def as_list(objects: list[Object]) -> str:
    """For `kubectl apply`."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def shelf(claim: str, image: str, **labels_: str) -> Object:
    """A pod with `tar` and a plain web server on a claim."""
    words = ["python3", "-m", "http.server", str(SHELF_PORT), "--directory", IMAGE.results_prefix]
    container = {
        "name": "main",
        "image": image,
        "command": [*words, "--protocol", "HTTP/1.1"],
        "volumeMounts": [{"name": "results", "mountPath": IMAGE.results_prefix}],
        "readinessProbe": {"tcpSocket": {"port": SHELF_PORT}, "periodSeconds": 1},
    }
    spec = {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
        "volumes": [{"name": "results", "persistentVolumeClaim": {"claimName": claim}}],
    }
    metadata = {"name": SHELF, "labels": labels_}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
