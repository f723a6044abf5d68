"""A whole daemon beside a real cluster, with exactly the rights that we ship."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.images.recipes import LAUNCHER, LIGHT
from tests.daemon.household import Household
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace

RIGHTS = Path(__file__).parents[2] / "deploy" / "rbac.yaml"
STACK_RIGHTS = RIGHTS.with_name("rbac-stack.yaml")
NOP_RIGHTS = RIGHTS.with_name("rbac-stack-nop.yaml")
_KINDS = {"ServiceAccount": "serviceaccounts", "Role": "roles", "RoleBinding": "rolebindings"}
PATIENCE_S = 180.0  # a scheduler needs up to 70 s after its API server was killed
SMALL = {"cpu": "400m", "memory": "512Mi"}  # the default is for real loads


def grant_stack(stack: Namespace, launchers: Namespace, *, recording: bool = False) -> None:
    """Give the launchers' account the shipped rights to look at a stack, or to restart it too."""
    files = [STACK_RIGHTS, *([NOP_RIGHTS] if recording else [])]
    texts = [file.read_text(encoding="utf-8") for file in files]
    for document in (one for text in texts for one in yaml.safe_load_all(text)):
        for subject in document.get("subjects", ()):
            subject["namespace"] = launchers.name
        stack.create(_KINDS[document["kind"]], document)


def grant(namespace: Namespace, without: str = "") -> str:
    """Give the shipped rights in a namespace, perhaps without those on one resource.

    Returns the service account that has them.
    """
    account = ""
    for document in yaml.safe_load_all(RIGHTS.read_text(encoding="utf-8")):
        document["metadata"]["namespace"] = namespace.name
        if "rules" in document:
            rules = document["rules"]
            document["rules"] = [rule for rule in rules if without not in rule["resources"]]
        for subject in document.get("subjects", ()):
            subject["namespace"] = namespace.name
        namespace.create(_KINDS[document["kind"]], document)
        if document["kind"] == "ServiceAccount":
            account = document["metadata"]["name"]
    return account


@contextmanager
def serving(
    root: Path, cluster: Cluster, namespace: Namespace, without: str = "", **settings: str
) -> Iterator[Household]:
    """A daemon whose launchers go to this namespace, with a claim there; started, and ended."""
    root.mkdir(parents=True, exist_ok=True)
    kubeconfig = cluster.kubeconfig_of(namespace, grant(namespace, without), root / "kubeconfig")
    namespace.volume()
    house = Household(
        root,
        settings={
            "LLMDBENCHD_ENGINE": "kubernetes",
            "LLMDBENCHD_KUBECONFIG": str(kubeconfig),
            "LLMDBENCHD_NAMESPACE": namespace.name,
            "LLMDBENCHD_IMAGE": LAUNCHER,
            **settings,
        },
        patience_s=PATIENCE_S,
    )
    house.start()
    try:
        yield house
    finally:
        house.close()


def job(endpoint: str, **fields: Any) -> Mapping[str, Any]:  # noqa: ANN401 - fields of a job file
    """A small job against an endpoint; `harness` is completed, not replaced."""
    harness = {**SMALL, **fields.pop("harness", {})}
    return {"endpoint": endpoint, "harness": harness, **fields}


def light(*, seconds: float, lines: int = 3, each: int = 1, **fields: Any) -> Mapping[str, Any]:  # noqa: ANN401 - fields of a job file
    """A job for the fake harness, which needs no server and little of a machine."""
    told = {
        "FAKE_HARNESS_SECONDS": f"{seconds:.2f}",
        "FAKE_HARNESS_LINES": str(lines),
        "FAKE_HARNESS_REQUESTS": "5",
        **fields.pop("fake", {}),
    }
    harness = {
        "image": LIGHT,
        "parallelism": each,
        "env": told,
        "cpu": "150m",  # a limit too: a tenth of it makes Python start for seconds
        "memory": "64Mi",
        **fields.pop("harness", {}),
    }
    nowhere = "http://127.0.0.1:9"
    return job(nowhere, workload="sanity_fixed", share_target=True, harness=harness, **fields)
