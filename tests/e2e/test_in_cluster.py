"""The daemon in a pod of the cluster that it loads, by the manifest that we ship."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cluster.images.recipes import LAUNCHER, SIMULATOR
from tests.e2e import daemon
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180)]
DEPLOYMENT = Path(__file__).parents[2] / "deploy" / "deployment.yaml"
NAME = "llmdbenchd"


def test_a_job_that_is_dropped_into_its_volume_comes_back_as_an_archive(
    namespace: Namespace,
) -> None:
    daemon.grant(namespace)
    namespace.volume()
    own = namespace.claim(NAME)
    if own is None:
        pytest.skip("the volumes of another cluster's node cannot be seen from here")
    deploy(namespace)
    namespace.wait("deployments", NAME, lambda found: found["status"].get("readyReplicas") == 1)

    job = {"id": "inside", **daemon.light(seconds=1)}
    (own / "inside.yaml").write_text(yaml.safe_dump(job))
    (own / "inside.yaml").rename(own / "queue" / "inside.yaml")

    archive = own / "archive" / "inside" / "r001" / "run.json"
    wait_for(namespace, archive)
    assert json.loads(archive.read_bytes())["phase"] == "SUCCEEDED"


def deploy(namespace: Namespace) -> None:
    """Apply the manifest with our images; the volume is there already."""
    for document in yaml.safe_load_all(DEPLOYMENT.read_text(encoding="utf-8")):
        if document["kind"] == "Deployment":
            [container] = document["spec"]["template"]["spec"]["containers"]
            container["image"] = SIMULATOR  # holds the project, as its own image would
            container["env"].append({"name": "LLMDBENCHD_IMAGE", "value": LAUNCHER})
            container["env"].append({"name": "LLMDBENCHD_MIN_FREE", "value": "1MiB"})
            container.pop("resources", None)
            namespace.create("deployments", document)


def wait_for(namespace: Namespace, archive: Path) -> None:
    """Until the archive is there; the daemon's log tells why it is not."""
    [pod] = namespace.list("pods", labelSelector=f"app.kubernetes.io/name={NAME}")
    name = pod["metadata"]["name"]
    try:
        namespace.wait("pods", name, lambda _: archive.exists(), patience_s=60)
    except AssertionError:
        pytest.fail(namespace.log(name)[-3000:])
