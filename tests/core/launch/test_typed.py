"""What we create, against kubernetes-asyncio's models: nothing is lost, nothing renamed.

The models know every field of the API by its name. A field that is misspelt, or lies in the
wrong place, is not read into them, and is missing when they are written again.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from kubernetes_asyncio.client import ApiClient

from llmdbenchd.core.launch.config_maps import run_config_map
from llmdbenchd.core.launch.manifest import access_pod, launcher_pod
from llmdbenchd.core.launch.plan import LauncherPlan, PodTerms, SecretRef, Storage
from llmdbenchd.edge.kubernetes.session import PoolSizes
from llmdbenchd.edge.kubernetes.storage import Claims
from tests.core.launch.plans import INSTANCE, PAYLOAD, ephemeral, plan
from tests.fakes.api import ScriptedApi

ALL_TERMS = PodTerms(
    image="example.test/launcher:1",
    run_as_user=0,
    service_account="runner",
    image_pull_secrets=("one", "two"),
    node_selector={"pool": "load"},
    tolerations=(
        {
            "key": "load",
            "operator": "Equal",
            "value": "yes",
            "effect": "NoExecute",
            "tolerationSeconds": 5,
        },
    ),
    priority_class="high",
    hf_token=SecretRef(secret="hf", key="HF_TOKEN"),  # noqa: S106 - a secret's name
)
EVERY_TERM = replace(plan(), pod=ALL_TERMS)
PLANS = {
    "on a claim": plan(2, 3),
    "ephemeral": ephemeral(plan()),
    "every term": EVERY_TERM,
    "every term, ephemeral": ephemeral(EVERY_TERM),
}


def _answer(document: object) -> Any:  # noqa: ANN401 - the decoder wants a whole response
    """All of a response that the library's decoder looks at."""
    return SimpleNamespace(data=msgspec.json.encode(document).decode())


@pytest.fixture
async def client() -> AsyncIterator[ApiClient]:
    """The library's client, whose models know the API. It speaks to nobody."""
    async with ApiClient() as opened:
        yield opened


def _there_and_back(client: ApiClient, document: object, model: str) -> object:
    """The document read into its model and written again, as it would be sent."""
    return client.sanitize_for_serialization(client.deserialize(_answer(document), model))


@pytest.mark.parametrize("of", PLANS.values(), ids=PLANS)
async def test_a_launcher_is_a_pod_to_the_last_field(client: ApiClient, of: LauncherPlan) -> None:
    pod = launcher_pod(of, PAYLOAD, owner="uid-1", secret="a-secret")  # noqa: S106 - a test's

    assert _there_and_back(client, pod, "V1Pod") == pod


@pytest.mark.parametrize("node", ["", "node-1"])
async def test_a_data_access_pod_is_a_pod_to_the_last_field(client: ApiClient, node: str) -> None:
    names = {"name": "access", "image": "example.test/python:3", "instance": INSTANCE}
    pod = access_pod(EVERY_TERM, PAYLOAD, **names, secret="a-secret", node=node)  # noqa: S106 - a test's

    assert _there_and_back(client, pod, "V1Pod") == pod


async def test_config_maps_are_config_maps_to_the_last_field(client: ApiClient) -> None:
    for document in (run_config_map(plan(2, 3)), PAYLOAD.config_map()):
        assert _there_and_back(client, document, "V1ConfigMap") == document


@pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword
@pytest.mark.parametrize("storage", [Storage(), Storage(storage_class="fast", size="1Gi")])
async def test_a_claim_is_a_claim_to_the_last_field(client: ApiClient, storage: Storage) -> None:
    path = "/api/v1/namespaces/bench/persistentvolumeclaims"
    async with ScriptedApi() as api:
        api.give("POST", path, {})
        session = await api.session(sizes=PoolSizes())
        await Claims(session, "bench", INSTANCE).ensure(storage, "an-attempt")
        (made,) = api.asked("POST", path)

    assert _there_and_back(client, made.json, "V1PersistentVolumeClaim") == made.json


@pytest.mark.parametrize("misspelt", ["restartpolicy", "restart_policy", "securitycontext"])
async def test_a_misspelt_field_would_be_seen(client: ApiClient, misspelt: str) -> None:
    pod: Any = launcher_pod(plan(), PAYLOAD, owner="uid-1", secret="")
    wrong = pod | {"spec": pod["spec"] | {misspelt: "Never"}}

    assert _there_and_back(client, wrong, "V1Pod") == pod
