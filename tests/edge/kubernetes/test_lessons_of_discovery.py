"""What the field's tool taught about finding a stack, one lesson a test."""

import pytest

from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.kubernetes.discovering import ClusterScout
from llmdbenchd.ports import NotReady
from tests.edge.kubernetes.test_discovering import MODELS, PODS, SERVED, page, service, slices
from tests.fakes.api import ScriptedApi, failure

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword


@pytest.fixture
def stacks(api: ScriptedApi) -> ScriptedApi:
    """Two namespaces with a Service of one name, that serve the same model from other pods."""
    for namespace, pod in (("llm", "vllm-0"), ("other", "vllm-9")):
        services = f"/api/v1/namespaces/{namespace}/services"
        endpoints = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        api.give("GET", services, page(service()))
        api.give("GET", endpoints, page(slices(pod)))
        api.give("GET", f"{services}/vllm:80/proxy/v1/models", SERVED)
    return api


def asked(namespace: str = "llm") -> Asked:
    return Asked(method="vllm", namespace=namespace, near="llm", model="m")


async def test_the_same_model_in_several_namespaces_is_never_mixed_up(stacks: ScriptedApi) -> None:
    scout = ClusterScout(await stacks.session())

    here, there = await scout.find(asked()), await scout.find(asked("other"))

    assert here.servers == ("vllm.llm.svc.cluster.local:80", "llm/vllm-0")
    assert there.servers == ("vllm.other.svc.cluster.local:80", "other/vllm-9")
    looked = [one.path.split("/namespaces/")[1].split("/")[0] for one in stacks.requests]
    assert looked == ["llm"] * 3 + ["other"] * 3


async def test_a_stack_is_found_without_any_object_that_a_stand_up_would_have_left(
    stacks: ScriptedApi,
) -> None:
    """No label, no ConfigMap of parameters, no secret with a token: a part of a name is enough."""
    found = await ClusterScout(await stacks.session()).find(asked())

    assert found.endpoint == "http://vllm.llm.svc.cluster.local:80"
    assert not [one for one in stacks.requests if "configmaps" in one.path or "secret" in one.path]


async def test_a_model_is_checked_by_reading_and_no_pod_is_made_for_it(
    stacks: ScriptedApi,
) -> None:
    found = await ClusterScout(await stacks.session()).find(asked())

    assert found.note == "", "it was checked"
    assert {one.method for one in stacks.requests} == {"GET"}


def crashing(name: str, restarts: int) -> dict[str, object]:
    last = {"terminated": {"exitCode": 1, "reason": "Error", "message": "no GPU"}}
    status = {"name": "vllm", "restartCount": restarts, "lastState": last}
    return {"metadata": {"name": name}, "status": {"containerStatuses": [status]}}


async def test_a_server_that_does_not_serve_is_told_with_its_restarts(stacks: ScriptedApi) -> None:
    """#285: a crash loop looked like a server that takes its time."""
    stacks.give("GET", MODELS, failure(503, "no endpoints available"))
    stacks.give("GET", PODS, page(crashing("vllm-0", 3), crashing("somebody-else", 9)))

    with pytest.raises(NotReady, match=r"restarted 3 times, the last time Error .* no GPU") as told:
        await ClusterScout(await stacks.session()).find(asked())

    assert told.value.restarts == 3


async def test_without_the_right_to_see_pods_nothing_is_said_of_restarts(
    stacks: ScriptedApi,
) -> None:
    stacks.give("GET", MODELS, failure(503, "no endpoints available"))
    stacks.give("GET", PODS, failure(403, "forbidden"))

    with pytest.raises(NotReady, match=r"no endpoints available$") as told:
        await ClusterScout(await stacks.session()).find(asked())

    assert told.value.restarts is None
