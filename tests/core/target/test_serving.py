"""Who serves, what is served, and whether that is what the run asks for."""

import msgspec
import pytest

from llmdbenchd.core.run.record import Target
from llmdbenchd.core.target.asked import AUTO, Asked, Chosen, NotYet, Refusal, Server
from llmdbenchd.core.target.objects import Pool
from llmdbenchd.core.target.serving import (
    Heard,
    Silence,
    Why,
    found_target,
    read_models,
    said,
    server_at,
    servers_of,
)
from tests.core.target.cases import MODEL, asked, slices

URL = "http://vllm:80"
CHOSEN = Chosen(endpoint=URL, what="Service llm/vllm")
SERVERS = (Server("llm", "vllm-0", "node-1"), Server("llm", "vllm-1", ""))


def served(*names: str, **more: str) -> Heard:
    data = [{"id": name, **more} for name in names]
    return read_models(msgspec.json.encode({"object": "list", "data": data}))


def look(heard: Heard, asks: Asked | None = None) -> Target | Refusal | NotYet:
    return found_target(asks or asked(), CHOSEN, SERVERS, heard)


def target(heard: Heard, asks: Asked | None = None) -> Target:
    found = look(heard, asks)
    assert isinstance(found, Target), found
    return found


def test_the_lease_goes_by_the_url_and_by_every_pod() -> None:
    found = target(served(MODEL))

    assert found == Target(
        URL, ("vllm:80", "llm/vllm-0", "llm/vllm-1"), found="Service llm/vllm", nodes=("node-1",)
    )


def test_a_shared_target_takes_no_lease() -> None:
    shared = Asked(model=MODEL, shared=True)

    assert target(served(MODEL), shared).servers == ()


def test_a_server_with_adapters_serves_each_of_them() -> None:
    assert target(served("base", MODEL, "other")).model == ""


def test_a_name_without_a_size_is_a_model_like_any_other() -> None:
    assert target(served("gpt2"), asked(model="gpt2")).endpoint == URL


def test_another_model_is_refused_with_what_is_served() -> None:
    assert look(served("b", "a")) == Refusal(
        f"Service llm/vllm serves a, b, and not {MODEL}: write models: [b], "
        "or [auto] for what is served"
    )


def test_a_model_that_is_served_by_another_name_is_told_by_that_name() -> None:
    refused = look(served("short", root=MODEL))

    assert isinstance(refused, Refusal)
    assert "write models: [short]" in refused.reason


def test_auto_takes_the_model_and_not_an_adapter_of_it() -> None:
    answer = b'{"data": [{"id": "lora", "parent": "base"}, {"id": "base", "parent": null}]}'

    assert target(read_models(answer), asked(model=AUTO)).model == "base"
    assert target(served("x", parent="y"), asked(model=AUTO)).model == "x"


def test_a_server_without_models_is_not_ready_yet() -> None:
    assert look(served()) == NotYet("Service llm/vllm serves no model yet")


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("asks", [asked(), asked(endpoint=URL)])
def test_a_server_that_says_later_is_waited_for(status: int, asks: Asked) -> None:
    assert look(said(status, "loading"), asks) == NotYet("Service llm/vllm: loading")


@pytest.mark.parametrize("status", [401, 403])
def test_what_we_may_not_ask_is_noted_and_stops_nobody(status: int) -> None:
    found = target(said(status, "forbidden"))

    assert found.note == "the model was not checked: forbidden"
    assert look(said(status, "forbidden"), asked(model=AUTO)) == NotYet(
        "Service llm/vllm: forbidden"
    )


@pytest.mark.parametrize("status", [401, 403])
def test_what_is_served_behind_a_key_cannot_be_asked_and_waiting_does_not_help(
    status: int,
) -> None:
    locked = said(status, "who are you")
    keyed = Asked(model=AUTO, keyed=True)

    refused = look(locked, keyed)

    assert isinstance(refused, Refusal)
    assert "write models: [NAME]" in refused.reason
    assert target(locked, Asked(model=MODEL, keyed=True)).note
    assert target(locked, Asked(model=AUTO, keyed=True, loading=True)).note
    assert target(served("open"), keyed).model == "open"
    assert isinstance(look(Silence(Why.UNASKED, "no answer"), keyed), NotYet)


@pytest.mark.parametrize("answer", [b"<html>", b'{"data": 1}', b"\xff"])
def test_an_answer_that_is_no_list_of_models_is_waited_over_behind_a_look_up(answer: bytes) -> None:
    strange = read_models(answer)

    assert isinstance(strange, Silence)
    assert strange.kind is Why.STRANGE
    assert isinstance(look(strange), NotYet)
    assert target(strange, asked(endpoint=URL)).note.startswith("the model was not checked: ")
    assert said(404, "no such path").kind is Why.STRANGE


def test_a_url_that_was_given_is_run_against_with_a_note() -> None:
    found = target(served("other"), asked(endpoint=URL))

    assert "serves other, and not" in found.note


def test_servers_are_the_pods_of_the_services_that_are_meant_ready_or_not() -> None:
    given = [slices("vllm", "b", "a", ready=False), slices("redis", "r"), slices("vllm")]

    assert servers_of(given, ["vllm"], "llm") == (
        Server("llm", "a", "node-2"),
        Server("llm", "b", "node-1"),
    )


def test_a_pod_is_known_by_its_address() -> None:
    given = [slices("vllm"), slices("vllm", "a", "b"), slices("gw", "a")]

    assert server_at(given, "10.1.0.1", "llm") == (Server("llm", "a", "node-1"),)
    assert server_at(given, "10.9.9.9", "llm") == ()


def test_what_is_no_pod_is_no_server() -> None:
    given = slices("vllm", "a")
    outside = msgspec.convert(
        {
            "metadata": {"labels": {"kubernetes.io/service-name": "vllm"}},
            "endpoints": [{"addresses": ["9.9.9.9"]}],
        },
        type(given),
    )

    assert servers_of([outside], ["vllm"], "llm") == ()


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        (b'{"matchLabels": {"app": "vllm"}}', {"app": "vllm"}),
        (b'{"app": "vllm"}', {"app": "vllm"}),
        (b'{"matchExpressions": {}}', {}),
        (b"[1]", {}),
    ],
)
def test_a_pool_says_its_pods_in_two_versions(selector: bytes, labels: dict[str, str]) -> None:
    assert (
        msgspec.json.decode(b'{"spec": {"selector": %s}}' % selector, type=Pool).selector == labels
    )
    assert msgspec.json.decode(b'{"spec": {}}', type=Pool).selector == {}


@pytest.mark.parametrize(
    "heard", [Silence(Why.LATER, "503"), Silence(Why.STRANGE, "404"), read_models(b'{"data": []}')]
)
def test_a_server_whose_load_is_recorded_need_not_serve_yet(heard: Heard) -> None:
    for model in (MODEL, AUTO):
        assert isinstance(look(heard, Asked(model=model)), NotYet)
        assert target(heard, Asked(model=model, loading=True)).note
