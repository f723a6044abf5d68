"""Targets are found with few requests, and what nobody could say is not taken for a no."""

from collections.abc import Mapping
from typing import Any

import pytest

from llmdbenchd.core.run.record import Target
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.kubernetes.connecting import ConnectingScout, Connection
from llmdbenchd.edge.kubernetes.discovering import ClusterScout
from llmdbenchd.ports import NotReady, Refused, Unavailable
from tests.fakes.api import ScriptedApi, answer, failure

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

CORE = "/api/v1/namespaces/llm"
SERVICES, PODS = f"{CORE}/services", f"{CORE}/pods"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/llm/endpointslices"
GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces/llm/gateways"
ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/llm/httproutes"
MODELS = f"{SERVICES}/vllm:80/proxy/v1/models"
NAMED = "http://vllm.llm.svc.cluster.local:80"
SERVED = {"data": [{"id": "m"}, {"id": "lora", "parent": "m"}]}


def page(*items: object, more: str = "") -> Mapping[str, object]:
    return {"metadata": {"continue": more}, "items": items}


def service(name: str = "vllm", **labels: str) -> dict[str, Any]:
    spec = {"clusterIP": "10.0.0.9", "ports": [{"port": 80}]}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def slices(*pods: str, of: str = "vllm") -> dict[str, Any]:
    endpoints = [
        {
            "addresses": [f"10.1.0.{number}"],
            "nodeName": "node-1",
            "targetRef": {"kind": "Pod", "name": pod},
        }
        for number, pod in enumerate(pods, start=1)
    ]
    return {"metadata": {"labels": {"kubernetes.io/service-name": of}}, "endpoints": endpoints}


def asked(method: str = "vllm", *, model: str = "m", endpoint: str = "") -> Asked:
    return Asked(method=method, namespace="llm", near="llm", model=model, endpoint=endpoint)


@pytest.fixture
def stack(api: ScriptedApi) -> ScriptedApi:
    """A Service, two pods behind it, one of which is alone behind another; a served model."""
    via = {"stood-up-via": "standalone"}
    api.give("GET", SERVICES, page(service(**via), service("redis")))
    api.give("GET", f"{SERVICES}/vllm", service())
    api.give("GET", SLICES, page(slices("vllm-0", "vllm-1")))
    api.give("GET", MODELS, SERVED)
    return api


async def find(api: ScriptedApi, what: Asked) -> Target:
    return await ClusterScout(await api.session()).find(what)


FOUND = Target(
    NAMED,
    ("vllm.llm.svc.cluster.local:80", "llm/vllm-0", "llm/vllm-1"),
    found="Service llm/vllm, port 80",
    nodes=("node-1",),
)


@pytest.mark.parametrize("method", ["standalone", "vllm"])
async def test_a_service_its_pods_and_its_models_take_three_requests(
    stack: ScriptedApi, method: str
) -> None:
    assert await find(stack, asked(method)) == FOUND
    assert sorted(one.path for one in stack.requests) == sorted([SERVICES, SLICES, MODELS])


async def test_a_url_leads_to_the_pods_by_three_requests(stack: ScriptedApi) -> None:
    found = await find(stack, asked(endpoint=NAMED))

    assert found.servers == FOUND.servers
    assert found.found == "Service llm/vllm"
    assert sorted(one.path for one in stack.requests) == sorted(
        [f"{SERVICES}/vllm", SLICES, MODELS]
    )


async def test_two_urls_of_one_pod_share_its_name(stack: ScriptedApi) -> None:
    """Without it two loads would run on one server and neither would know."""
    by_name = await find(stack, asked(endpoint=NAMED))
    by_ip = await find(stack, asked(endpoint="http://10.0.0.9:80"))
    stack.give("GET", SERVICES, page(service("redis") | {"spec": {"clusterIP": "10.0.0.1"}}))
    by_pod = await find(stack, asked(endpoint="http://10.1.0.2:1"))

    assert set(by_name.servers) & set(by_ip.servers) == {"llm/vllm-0", "llm/vllm-1"}
    assert set(by_name.servers) & set(by_pod.servers) == {"llm/vllm-1"}


async def test_of_a_url_that_is_not_of_the_cluster_nothing_is_looked_up(
    stack: ScriptedApi,
) -> None:
    found = await find(stack, asked(endpoint="http://host.example.invalid:1/x"))

    assert found.servers == ("host.example.invalid:1/x",)
    assert found.note.startswith("the model was not checked: GET http://host.example.invalid:1/x")
    assert stack.requests == []


@pytest.mark.parametrize("status", [403, 404])
async def test_a_url_is_run_against_without_any_right_to_look(
    stack: ScriptedApi, status: int
) -> None:
    stack.give("GET", f"{SERVICES}/vllm", failure(status))

    found = await find(stack, asked(endpoint="http://vllm.llm.svc.invalid:80"))

    assert found.servers == ("vllm.llm.svc.invalid:80",)
    assert found.note


async def test_without_the_right_to_see_pods_the_lease_goes_by_the_url(
    stack: ScriptedApi,
) -> None:
    stack.give("GET", SLICES, failure(403))

    assert (await find(stack, asked())).servers == ("vllm.llm.svc.cluster.local:80",)


async def test_a_pod_without_a_service_is_found_by_its_name(stack: ScriptedApi) -> None:
    container = {"ports": [{"containerPort": 8000}]}
    spec = {"nodeName": "node-2", "containers": [container]}
    status = {"phase": "Running", "podIP": "10.1.0.9"}
    alone = {"metadata": {"name": "alone-0"}, "spec": spec, "status": status}
    stack.give("GET", PODS, page(more="2"), page(alone))
    stack.give("GET", f"{PODS}/alone-0:8000/proxy/v1/models", SERVED)

    found = await find(stack, asked("alone"))

    assert found.endpoint == "http://10.1.0.9:8000"
    assert found.servers == ("10.1.0.9:8000", "llm/alone-0")


async def test_several_are_refused_by_name(stack: ScriptedApi) -> None:
    stack.give("GET", SERVICES, page(service("vllm-a"), service("vllm-b")))

    with pytest.raises(Refused, match="vllm-a, vllm-b"):
        await find(stack, asked())


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_server_that_is_still_loading_is_not_ready(stack: ScriptedApi, status: int) -> None:
    stack.give("GET", MODELS, failure(status, "no endpoints available for service"))

    with pytest.raises(NotReady, match="Service llm/vllm"):
        await find(stack, asked())


async def test_another_model_is_refused(stack: ScriptedApi) -> None:
    with pytest.raises(Refused, match="serves lora, m, and not gpt2"):
        await find(stack, asked(model="gpt2"))


async def test_auto_is_what_is_served(stack: ScriptedApi) -> None:
    assert (await find(stack, asked(model="auto"))).model == "m"


async def test_without_the_right_to_ask_the_model_is_not_checked(stack: ScriptedApi) -> None:
    stack.give("GET", MODELS, failure(403, "forbidden"))

    assert (await find(stack, asked())).note.startswith("the model was not checked: ")


async def test_without_the_right_to_look_the_file_that_grants_it_is_named(
    stack: ScriptedApi,
) -> None:
    """It may come with time: right after its start the API server itself does not know."""
    stack.give("GET", SERVICES, failure(403, "services is forbidden"))

    with pytest.raises(NotReady, match=r"apply --namespace llm --filename deploy/rbac-stack\.yaml"):
        await find(stack, asked())


async def test_an_api_server_that_does_not_answer_says_nothing_about_the_target(
    stack: ScriptedApi,
) -> None:
    stack.give("GET", SERVICES, answer("<html>", status=200))

    with pytest.raises(Unavailable, match="not how an API server answers") as told:
        await find(stack, asked())
    assert not isinstance(told.value, NotReady)


async def test_no_gateway_api_in_the_cluster_is_said_in_clear_words(stack: ScriptedApi) -> None:
    with pytest.raises(Refused, match="the cluster has no Gateway API"):
        await find(stack, asked("modelservice"))


@pytest.fixture
def gateway(stack: ScriptedApi) -> ScriptedApi:
    """The same stack behind a Gateway, whose route leads to the Service and to a pool."""
    at = {"addresses": [{"type": "IPAddress", "value": "10.0.0.7"}]}
    spec = {"listeners": [{"name": "web", "port": 80, "protocol": "HTTP"}]}
    made = {"metadata": {"name": "gw", "namespace": "llm"}, "spec": spec, "status": at}
    front = service("gw") | {"spec": {"clusterIP": "10.0.0.7", "ports": [{"port": 80}]}}
    pool = {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "pool"}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/llama"}}],
        "backendRefs": [{"name": "vllm"}, pool],
    }
    route = {"metadata": {"name": "r"}, "spec": {"parentRefs": [{"name": "gw"}], "rules": [rule]}}
    stack.give("GET", GATEWAYS, page(made))
    stack.give("GET", ROUTES, page(route))
    stack.give("GET", SERVICES, page(service(), front))
    stack.give("GET", f"{SERVICES}/gw:80/proxy/llama/v1/models", SERVED)
    pools = "/apis/inference.networking.k8s.io/v1/namespaces/llm/inferencepools"
    selector = {"selector": {"matchLabels": {"app": "vllm", "role": "decode"}}}
    stack.give("GET", f"{pools}/pool", {"spec": selector})
    decode = {"metadata": {"name": "decode-0"}, "spec": {"nodeName": "node-3", "containers": [{}]}}
    stack.give("GET", PODS, page(decode))
    return stack


async def test_a_gateway_leads_to_every_pod_behind_its_routes(gateway: ScriptedApi) -> None:
    found = await find(gateway, asked("modelservice"))

    assert found == Target(
        "http://10.0.0.7:80/llama",
        ("10.0.0.7:80/llama", "llm/vllm-0", "llm/vllm-1", "llm/decode-0"),
        found="Gateway llm/gw, listener web 80/llama",
        nodes=("node-1", "node-3"),
    )
    [pods] = gateway.asked("GET", PODS)
    assert pods.query["labelSelector"] == "app=vllm,role=decode"
    assert len(gateway.requests) == 7


async def test_a_pool_that_says_no_pods_has_none(gateway: ScriptedApi) -> None:
    pools = "/apis/inference.networking.k8s.io/v1/namespaces/llm/inferencepools"
    gateway.give("GET", f"{pools}/pool", {"spec": {}})

    found = await find(gateway, asked("modelservice"))

    assert found.servers[1:] == ("llm/vllm-0", "llm/vllm-1")


async def test_a_gateway_without_an_address_is_not_ready(gateway: ScriptedApi) -> None:
    gateway.give("GET", GATEWAYS, page({"metadata": {"name": "gw"}, "spec": {"listeners": [
        {"name": "web", "port": 80, "protocol": "HTTP"}]}}))  # fmt: skip

    with pytest.raises(NotReady, match="has no address yet"):
        await find(gateway, asked("modelservice"))


async def test_a_cluster_that_cannot_be_reached_is_unavailable_not_a_no() -> None:
    async def closed() -> Any:  # noqa: ANN401 - it gives nothing
        raise Refused("no kubeconfig")

    with pytest.raises(Unavailable, match="no kubeconfig"):
        await ConnectingScout(Connection(closed)).find(asked())


async def test_who_is_known_by_name_is_known_under_the_next_name_too(stack: ScriptedApi) -> None:
    set_of = {"ownerReferences": [{"kind": "ReplicaSet", "name": "s", "uid": "set"}]}
    made = {"metadata": {"name": "server-x", "namespace": "llm", **set_of}}
    stack.give("GET", SERVICES, page())
    spec = {"containers": [{"ports": [{"containerPort": 8000}]}]}
    stack.give("GET", PODS, page(made | {"spec": spec, "status": {"podIP": "10.1.0.1"}}))
    what = Asked(method="server", namespace="llm", near="llm", model="m", loading=True)

    behind = await ClusterScout(await stack.session()).behind(what)

    assert (behind.names, behind.owners) == (("server-x",), ("set",))
