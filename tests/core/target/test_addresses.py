"""URLs, and the Services that they mean."""

import pytest

from llmdbenchd.core.target.addresses import address_of, door_of, named_service, service_at
from llmdbenchd.core.target.asked import Door
from tests.core.target.cases import service


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://h", "h:80"),
        ("https://h", "h:443"),
        ("http://h:8000/", "h:8000"),
        ("http://h:8000/v1", "h:8000"),
        ("http://h:8000/llama/v1/", "h:8000/llama"),
        ("http://localhost:1", "127.0.0.1:1"),
        ("http://[::1]:1", "127.0.0.1:1"),
    ],
)
def test_two_urls_of_one_server_have_one_address(url: str, address: str) -> None:
    assert address_of(url) == address


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://vllm.llm.svc.cluster.local:80", ("llm", "vllm")),
        ("http://vllm.llm.svc.cluster.local.:80", ("llm", "vllm")),
        ("http://vllm.llm.svc", ("llm", "vllm")),
        ("http://vllm.llm", ("llm", "vllm")),
        ("http://vllm", ("bench", "vllm")),
        ("http://api.example.com", None),
        ("http://10.0.0.9", None),
        ("http://[fd00::7]", None),
        ("http://localhost", None),
        ("http://a..b", None),
    ],
)
def test_the_name_of_a_service_is_seen_in_a_url(url: str, named: tuple[str, str] | None) -> None:
    assert named_service(url, "bench") == named


def test_a_service_answers_at_its_name_and_at_every_address() -> None:
    given = service("vllm", externalIPs=["1.2.3.4"])

    for host in ("vllm.llm.svc.cluster.local", "10.0.0.9", "1.2.3.4"):
        assert service_at(host, [service("other", clusterIP="None"), given], "llm") is given
    assert service_at("None", [service("other", clusterIP="None")], "llm") is None
    assert service_at("fd00::7", [given], "llm") is None


def test_a_door_is_a_port_that_the_service_has() -> None:
    given = service("vllm", {"port": 80, "targetPort": 8000})

    for url in ("http://vllm:80/llama/v1", "http://vllm:8000/llama"):
        assert door_of(given, url, "llm") == Door("services", "llm", "vllm", "80", path="/llama")
    assert door_of(given, "http://vllm:81", "llm") is None


def test_the_proxys_path_says_where_tls_is_spoken() -> None:
    door = Door("services", "llm", "vllm", "443", "https", "/llama")

    assert door.url("/v1/models") == (
        "/api/v1/namespaces/llm/services/https:vllm:443/proxy/llama/v1/models"
    )
