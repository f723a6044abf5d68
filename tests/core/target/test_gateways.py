"""One Gateway: its address is read from its status, its listener and path from its routes."""

import hashlib

import pytest

from llmdbenchd.core.target.asked import Answer, Backends, Chosen, Door, NotYet, Refusal
from llmdbenchd.core.target.gateways import by_gateway
from llmdbenchd.core.target.objects import Gateway, HTTPRoute
from tests.core.target.cases import asked, gateway, route, service

LABELS = {"stood-up-via": "modelservice"}
IP, TLS = ("web", "HTTP", 8080), ("tls", "HTTPS", 443)


def look(*gateways: Gateway, routes: tuple[HTTPRoute, ...] = (), **services: str) -> Answer:
    """Look among these; each service has this address."""
    made = [service(name, {"port": 80}, clusterIP=ip) for name, ip in services.items()]
    return by_gateway(gateways, routes, made, asked("modelservice"))


def chosen(answer: Answer) -> Chosen:
    assert isinstance(answer, Chosen), answer
    return answer


def refusal(answer: Answer) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.reason


def test_the_address_is_what_the_status_says_and_never_made_of_the_name() -> None:
    """A name that is made up misses what controllers append to it (`-istio`)."""
    found = chosen(look(gateway("gw", addresses=("gw-istio.llm.svc.cluster.local",))))

    assert found.endpoint == "http://gw-istio.llm.svc.cluster.local:80"
    assert found.what == "Gateway llm/gw, listener default 80"


def test_an_address_of_ip_numbers_is_as_good() -> None:
    assert chosen(look(gateway("gw", addresses=("", "fd00::7")))).endpoint == "http://[fd00::7]:80"


def test_a_gateway_without_an_address_is_not_ready_and_says_why() -> None:
    bad = {"type": "Programmed", "status": "False", "reason": "Pending", "message": "no pool"}
    good = {"type": "Accepted", "status": "True"}

    told = look(gateway("gw", addresses=(), conditions=(good, bad)))

    assert told == NotYet("Gateway llm/gw has no address yet: Programmed: no pool")
    assert look(gateway("gw", addresses=())) == NotYet(
        "Gateway llm/gw has no address yet: its status names none"
    )


@pytest.mark.parametrize(
    ("listeners", "section", "url"),
    [
        ([IP], "", "http://10.0.0.9:8080"),
        ([TLS], "", "https://10.0.0.9:443"),
        ([TLS, IP], "", "http://10.0.0.9:8080"),
        ([IP, TLS], "tls", "https://10.0.0.9:443"),
        ([IP, ("raw", "TCP", 9)], "raw", "http://10.0.0.9:8080"),
    ],
)
def test_the_listener_is_the_one_that_the_routes_hang_on(
    listeners: list[tuple[str, str, int]], section: str, url: str
) -> None:
    routes = (route("/", section=section), route("/else", at="another"))

    assert chosen(look(gateway("gw", *listeners), routes=routes)).endpoint == url


def test_a_gateway_that_speaks_no_http_is_refused() -> None:
    assert "(raw TCP 9)" in refusal(look(gateway("gw", ("raw", "TCP", 9))))


@pytest.mark.parametrize(
    ("prefixes", "base"),
    [
        (("/",), ""),
        ((), ""),
        (("/llama",), "/llama"),
        (("/llama/",), "/llama"),
        (("/llama/v1/completions", "/llama/v1/models"), "/llama"),
        (("/v1", "/v1/models"), ""),
        (("/v1beta",), "/v1beta"),
        (("/", "/other"), ""),
    ],
)
def test_the_path_of_a_route_stands_before_the_apis_own(
    prefixes: tuple[str, ...], base: str
) -> None:
    found = chosen(look(gateway("gw"), routes=(route(*prefixes),)))

    assert found.endpoint == f"http://10.0.0.9:80{base}"


def test_several_paths_are_refused_with_all_of_them() -> None:
    reason = refusal(look(gateway("gw"), routes=(route("/a"), route("/b"))))

    assert reason.startswith("Gateway llm/gw leads to 2 places: /a, /b; write endpoint: ")


def test_of_several_paths_the_one_that_is_named_after_the_model_is_meant() -> None:
    digest = hashlib.sha256(b"llm/meta-llama-Llama-3-2-1B-Instruct").hexdigest()[:8]
    routes = (route("/a"), route(f"/meta-{digest}-x"))

    assert chosen(look(gateway("gw"), routes=routes)).endpoint.endswith(f"/meta-{digest}-x")


def test_of_several_gateways_the_labelled_one_is_meant() -> None:
    both = (gateway("web"), gateway("gw", labels=LABELS))

    assert chosen(look(*both)).what.startswith("Gateway llm/gw,")


def test_several_gateways_are_refused_by_name_and_none_with_what_there_is() -> None:
    assert "2 Gateways in namespace llm: a, b;" in refusal(look(gateway("b"), gateway("a")))
    assert "(Services there: vllm)" in refusal(look(vllm="10.0.0.1"))


def test_its_own_service_is_the_door_for_the_model_check() -> None:
    found = chosen(look(gateway("gw"), routes=(route("/llama"),), gw="10.0.0.9", vllm="10.0.0.1"))

    assert found.door == Door("services", "llm", "gw", "80", path="/llama")
    assert chosen(look(gateway("gw", addresses=("1.2.3.4",)), gw="10.0.0.9")).door is None


def test_the_servers_are_those_that_the_chosen_path_leads_to() -> None:
    pool = {"kind": "InferencePool", "group": "inference.networking.k8s.io", "name": "pool"}
    off = {"name": "old", "weight": 0}
    odd = {"kind": "Backend", "name": "odd"}
    routes = (route("/", to=({"name": "vllm"}, {"name": "vllm"}, pool, off, odd)),)

    found = chosen(look(gateway("gw"), routes=routes))

    assert found.backends == Backends(
        services=("vllm",), pools=(("inference.networking.k8s.io", "pool"),)
    )
