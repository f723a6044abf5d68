"""What clients see over a real socket."""

from pathlib import Path

import pytest

from llmdbenchd.simulate.tokenizer import encode
from llmdbenchd.simulate.truth import read_truth
from tests.simulate.client import CHAT, COMPLETIONS, LONG_S, REAL_TIME, Simulators, fast

pytestmark = REAL_TIME


async def test_a_stream_brings_one_token_an_event_the_counts_and_the_end(
    simulators: Simulators,
) -> None:
    server = await simulators.start(fast())
    body = {"prompt": "baba bebe", "max_tokens": 20, "stream": True}
    reply = await server.post(COMPLETIONS, body | {"stream_options": {"include_usage": True}})
    texts = [chunk["choices"][0]["text"] for chunk in reply.chunks[:-1]]

    assert reply.content_type == "text/event-stream"
    assert len(texts) == len(encode("".join(texts))) == 20
    assert reply.chunks[-1]["usage"]["completion_tokens"] == 20
    assert reply.events[-1] == "[DONE]"


async def test_a_chat_streams_too(simulators: Simulators) -> None:
    server = await simulators.start(fast())
    body = {"messages": [{"role": "user", "content": "baba"}], "max_completion_tokens": 5}
    reply = await server.post(CHAT, body | {"stream": True})

    assert len(reply.chunks) == 5
    assert all(chunk["choices"][0]["delta"]["content"] for chunk in reply.chunks)


async def test_a_reply_at_once_has_the_same_words_as_its_stream(simulators: Simulators) -> None:
    first, second = await simulators.start(fast(seed=3)), await simulators.start(fast(seed=3))
    body = {"prompt": "baba", "max_tokens": 9}
    at_once = await first.post(COMPLETIONS, body)
    stream = await second.post(COMPLETIONS, body | {"stream": True})

    assert at_once.json["choices"][0]["text"] == "".join(
        chunk["choices"][0]["text"] for chunk in stream.chunks
    )
    assert at_once.json["usage"] == {
        "prompt_tokens": 1,
        "completion_tokens": 9,
        "total_tokens": 10,
    }


async def test_the_set_times_are_kept_and_written_down(
    simulators: Simulators, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    server = await simulators.start(fast(ttft_s=0.2, itl_s=0.02, truth=truth))
    await server.post(COMPLETIONS, {"prompt": "baba", "max_tokens": 20, "stream": True})
    summary = read_truth(truth.read_text())

    # Deadlines are never early; how late they are is the machine's affair.
    assert summary.ttft_ms is not None
    assert summary.latency_ms is not None
    assert summary.ttft_ms >= 199
    assert summary.latency_ms >= 199 + 19 * 20


async def test_the_truth_has_a_line_for_each_request_as_soon_as_its_reply_is_whole(
    simulators: Simulators, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    server = await simulators.start(fast(truth=truth, fail_every=4, models=("m",)))
    bodies = [
        {"prompt": ["baba", "bebe bebe"], "max_tokens": 3, "stream": True},
        {"prompt": "baba", "max_tokens": 2},
        {"prompt": "baba", "model": "other"},
        {"prompt": "fails on purpose"},
    ]
    for count, body in enumerate(bodies, start=1):
        await server.post(COMPLETIONS, body, {"User-Agent": "tester/1"})
        assert read_truth(truth.read_text()).requests == count
    summary = read_truth(truth.read_text())

    assert summary.failures == 2
    assert summary.output_tokens == 3 * 2 + 2
    assert summary.prompt_tokens == 3 + 1
    assert '"status":404' in truth.read_text()
    assert '"user_agent":"tester/1"' in truth.read_text()


async def test_a_header_that_is_no_text_does_not_spoil_the_truth(
    simulators: Simulators, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    server = await simulators.start(fast(truth=truth))
    reader, writer = await server.connect()
    head = f"POST {COMPLETIONS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 14\r\n"
    writer.write(head.encode() + b'User-Agent: odd \xff\r\n\r\n{"prompt": ""}')
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert '"user_agent":"odd ' in truth.read_text()


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        (COMPLETIONS, b"{", 400, "BadRequestError"),
        (CHAT, {"messages": "hello"}, 400, "BadRequestError"),
        (COMPLETIONS, {"prompt": "", "model": "x"}, 404, "NotFoundError"),
        ("/tokenize", {}, 400, "BadRequestError"),
        ("/v1/nothing", {}, 404, "NotFoundError"),
        ("/health", {}, 405, "MethodNotAllowedError"),
        (COMPLETIONS, b" " * (64 * 1024 * 1024 + 1), 413, "RequestTooLargeError"),
    ],
)
async def test_an_error_has_the_shape_that_clients_read(
    simulators: Simulators, path: str, body: object, status: int, kind: str
) -> None:
    reply = await (await simulators.start(fast())).post(path, body)

    assert reply.status == reply.json["error"]["code"] == status
    assert reply.json["error"]["type"] == kind
    assert reply.message


async def test_failures_come_as_planned(simulators: Simulators) -> None:
    server = await simulators.start(fast(fail_every=2, refuse_after=3))
    statuses = [(await server.post(COMPLETIONS, {"prompt": ""})).status for _ in range(5)]

    assert statuses == [200, 500, 200, 503, 503]


async def test_a_server_that_starts_up_serves_nothing_and_says_so(simulators: Simulators) -> None:
    server = await simulators.start(fast(startup_s=LONG_S))

    assert (await server.get("/health")).status == 503
    assert (await server.get("/v1/models")).status == 503
    assert "starting" in (await server.post(COMPLETIONS, {"prompt": ""})).message
    assert (await server.get("/metrics")).status == 200


async def test_a_server_is_ready_when_its_start_up_time_is_over(simulators: Simulators) -> None:
    server = await simulators.start(fast(startup_s=0.01))
    while (await server.get("/health")).status != 200:
        pass

    assert (await server.post(COMPLETIONS, {"prompt": ""})).status == 200


async def test_all_served_models_are_listed_and_answer(simulators: Simulators) -> None:
    server = await simulators.start(fast(models=("a", "org/b"), max_model_len=512))
    listed = (await server.get("/v1/models")).json
    reply = await server.post(COMPLETIONS, {"prompt": "", "model": "org/b"})

    assert [model["id"] for model in listed["data"]] == ["a", "org/b"]
    assert {model["max_model_len"] for model in listed["data"]} == {512}
    assert reply.json["model"] == "org/b"


async def test_text_is_tokenized_by_the_rules_that_count_prompts(simulators: Simulators) -> None:
    server = await simulators.start(fast(max_model_len=512))
    reply = await server.post("/tokenize", {"model": "llmdbench/tiny", "prompt": "Baba, hello"})

    assert reply.json == {"count": 2, "max_model_len": 512, "tokens": [2, 1]}


async def test_the_metrics_count_what_was_made(simulators: Simulators) -> None:
    server = await simulators.start(fast(fail_every=3))
    for body in ({"prompt": "baba bebe", "stream": True}, {"prompt": "baba"}, {"prompt": ""}):
        await server.post(COMPLETIONS, body | {"max_tokens": 4})
    samples = await server.metrics()

    assert samples["vllm:prompt_tokens_total"] == 3
    assert samples["vllm:generation_tokens_total"] == 8
    assert samples["vllm:request_success_total"] == 2
    assert samples["vllm:time_to_first_token_seconds_count"] == 2
    assert samples["vllm:inter_token_latency_seconds_count"] == 6
    assert samples["vllm:e2e_request_latency_seconds_count"] == 2
    assert samples["vllm:num_requests_running"] == 0


async def test_the_version_tells_a_stand_in_from_the_real_thing(simulators: Simulators) -> None:
    version = (await (await simulators.start(fast())).get("/version")).json["version"]

    assert version.endswith("+simulate")


async def test_below_v1_only_who_has_the_key_is_answered(simulators: Simulators) -> None:
    server = await simulators.start(fast(api_key="k"))
    body = {"prompt": "baba", "max_tokens": 1}
    wrong = await server.post(COMPLETIONS, body, {"Authorization": "Bearer other"})
    right = await server.post(COMPLETIONS, body, {"Authorization": "Bearer k"})

    assert (wrong.status, right.status) == (401, 200)
    assert (await server.get("/v1/models")).status == 401
    assert (await server.get("/health")).status == 200
