"""One Service or one pod: found by label or name, or refused with the names of all that fit."""

import hashlib

import pytest

from llmdbenchd.core.target.asked import Answer, Backends, Chosen, Door, NotYet, Refusal, listed
from llmdbenchd.core.target.choosing import by_label, by_name, pod_by_name
from llmdbenchd.core.target.objects import Service
from tests.core.target.cases import MODEL, asked, pod, service

VIA = {"stood-up-via": "standalone"}


def chosen(answer: Answer | None) -> Chosen:
    assert isinstance(answer, Chosen), answer
    return answer


def refusal(answer: Answer | None) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.reason


def test_standalone_is_found_by_its_label_and_addressed_by_name_and_namespace() -> None:
    found = chosen(by_label([service("other"), service("vllm", labels=VIA)], asked()))

    assert found.endpoint == "http://vllm.llm.svc.cluster.local:80"
    assert found.door == Door("services", "llm", "vllm", "80")
    assert found.backends == Backends(services=("vllm",))
    assert found.what == "Service llm/vllm, port 80"


def test_todays_label_of_the_tool_will_do() -> None:
    labels = {"stood-up-from": "llm-d-benchmark"}

    assert "vllm" in chosen(by_label([service("vllm", labels=labels)], asked())).endpoint


def test_a_stack_that_was_stood_up_otherwise_is_refused_with_what_there_is() -> None:
    reason = refusal(by_label([service("beta"), service("alpha")], asked()))

    assert "stood-up-via=standalone" in reason
    assert reason.endswith("(Services there: alpha, beta)")


def test_several_with_the_label_are_refused_by_name() -> None:
    both = [service("vllm-b", labels=VIA), service("vllm-a", labels=VIA)]

    assert "2 Services" in (reason := refusal(by_label(both, asked())))
    assert "vllm-a, vllm-b" in reason


def test_of_several_the_one_that_is_named_after_the_model_is_meant() -> None:
    text = "llm/meta-llama-Llama-3-2-1B-Instruct"
    mine = f"vllm-meta-lla-{hashlib.sha256(text.encode()).hexdigest()[:8]}-instruct"

    found = chosen(by_label([service("vllm-x", labels=VIA), service(mine, labels=VIA)], asked()))

    assert mine in found.endpoint
    assert asked().model == MODEL


def test_any_other_text_is_part_of_a_services_name() -> None:
    found = chosen(by_name([service("my-vllm-1"), service("redis")], asked("vllm")))

    assert found.endpoint == "http://my-vllm-1.llm.svc.cluster.local:80"
    assert by_name([service("redis")], asked("vllm")) is None


def test_several_services_of_a_name_are_refused_not_glued_together() -> None:
    reason = refusal(by_name([service("vllm-a"), service("vllm-b")], asked("vllm")))

    assert "have `vllm` in their names: vllm-a, vllm-b" in reason


def test_a_service_that_is_called_exactly_so_goes_before_those_that_are_called_alike() -> None:
    found = chosen(by_name([service("vllm"), service("vllm-canary")], asked("vllm")))

    assert found.what.startswith("Service llm/vllm,")


@pytest.mark.parametrize(
    ("ports", "url"),
    [
        ([{"port": 9, "name": "metrics"}, {"port": 8000, "name": "default"}], "http://S:8000"),
        ([{"port": 9, "name": "metrics"}, {"port": 8200, "name": "http"}], "http://S:8200"),
        ([{"port": 8001, "name": "b"}, {"port": 80, "name": "a"}], "http://S:80"),
        ([{"port": 8001, "name": "b"}, {"port": 443, "name": "a"}], "https://S:443"),
        ([{"port": 8001}, {"port": 8443, "name": "https"}], "https://S:8443"),
        ([{"port": 8001}, {"port": 8443, "name": "a", "appProtocol": "https"}], "https://S:8443"),
        ([{"port": 8007, "name": "whatever"}], "http://S:8007"),
    ],
)
def test_the_port_of_the_service_itself_is_read(ports: list[dict[str, object]], url: str) -> None:
    found = chosen(by_name([service("vllm", *ports)], asked("vllm")))

    assert found.endpoint == url.replace("S", "vllm.llm.svc.cluster.local")


def test_a_service_of_several_strange_ports_is_refused_with_all_of_them() -> None:
    strange = service("vllm", {"port": 1, "name": "a"}, {"port": 2})

    assert "(no name) 2, a 1; write endpoint: http://vllm.llm" in refusal(
        by_name([strange], asked("vllm"))
    )


def test_a_service_without_an_address_of_its_own_is_asked_at_the_port_of_its_servers() -> None:
    def bare(target: int | str) -> Service:
        return service("vllm", {"port": 80, "targetPort": target}, clusterIP="None")

    found = chosen(by_name([bare(8000)], asked("vllm")))

    assert found.endpoint.endswith(":8000")
    assert found.door == Door("services", "llm", "vllm", "80")
    assert chosen(by_name([bare("named")], asked("vllm"))).endpoint.endswith(":80")


PROBED = {"livenessProbe": {"httpGet": {"port": 8200}}}


@pytest.mark.parametrize(
    ("container", "port"),
    [
        (PROBED, 8200),
        ({"readinessProbe": {"httpGet": {"port": 8201}}}, 8201),
        (
            {
                "readinessProbe": {"httpGet": {"port": "api"}},
                "ports": [{"name": "api", "containerPort": 8202}],
            },
            8202,
        ),
        ({"ports": [{"name": "metrics", "containerPort": 8203}, {"containerPort": 1}]}, 8203),
        ({"ports": [{"containerPort": 8204}]}, 8204),
    ],
)
def test_a_pod_is_addressed_where_its_probes_ask(container: dict[str, object], port: int) -> None:
    found = chosen(pod_by_name([pod("vllm-0", container)], [], asked("vllm")))

    assert found.endpoint == f"http://10.1.0.7:{port}"
    assert found.door == Door("pods", "llm", "vllm-0", str(port))
    assert [(str(one), one.node) for one in found.servers] == [("llm/vllm-0", "node-1")]


def test_a_pod_that_does_not_say_its_port_is_refused() -> None:
    assert "does not say its port" in refusal(pod_by_name([pod("vllm-0")], [], asked("vllm")))


def test_a_pod_without_an_address_is_not_ready_yet() -> None:
    waiting = pod("vllm-0", PROBED, ip="", phase="Pending")

    assert pod_by_name([waiting], [], asked("vllm")) == NotYet(
        "pod llm/vllm-0 has no address yet: its phase is Pending"
    )


def test_several_pods_of_a_name_are_refused_by_name() -> None:
    both = [pod("vllm-0", PROBED), pod("vllm-1", PROBED)]

    assert "2 pods in namespace llm have `vllm` in their names: vllm-0, vllm-1" in refusal(
        pod_by_name(both, [], asked("vllm"))
    )


def test_our_own_launchers_and_pods_that_ended_are_never_the_target() -> None:
    ours = {"app.kubernetes.io/managed-by": "llmdbenchd"}
    pods = [pod("vllm-launcher", PROBED, labels=ours), pod("vllm-old", PROBED, phase="Failed")]

    reason = refusal(pod_by_name([*pods, pod("redis")], [service("web")], asked("vllm")))

    assert reason == (
        "no Service and no pod in namespace llm has `vllm` in its name; "
        "Services there: web; pods: redis"
    )


def test_of_many_candidates_the_first_are_named() -> None:
    assert listed([]) == "none"
    assert (
        listed(f"s{number}" for number in range(10)) == "s0, s1, s2, s3, s4, s5, s6, s7 and 2 more"
    )
