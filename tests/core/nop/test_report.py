"""The shape that `nop --json` prints."""

import json
from typing import Any

from llmdbenchd.core.nop.likeness import Likeness
from llmdbenchd.core.nop.report import told
from tests.core.nop.composing import ENGINE, followed, record, server


def report(lines: list[str]) -> Any:  # noqa: ANN401 - as JSON is, of any shape
    recorder, _ = followed(lines)
    return json.loads(json.dumps(told(recorder.journal, recorder.lines), allow_nan=False))


def test_the_shape_of_a_start() -> None:
    lines = [*server(), record("It took 1.500000 seconds to fall asleep.", process=ENGINE)]
    told_ = report(lines)
    (start,) = told_["attempts"]

    assert told_["headline_attempt"] == 1
    assert {key: start[key] for key in ("attempt", "first_line", "last_line", "vllm_version",
                                        "engine", "load_format", "sleep_mode", "args", "ready",
                                        "failed")} == {
        "attempt": 1, "first_line": 1, "last_line": 23, "vllm_version": "0.19.1", "engine": "V1",
        "load_format": "auto", "sleep_mode": False, "args": {"model": "a/b"},
        "ready": {"line": 22, "by": "Application startup complete."}, "failed": None,
    }  # fmt: skip
    assert start["values"]["graph_compile_s"] == [
        {"value": 11.25, "unit": "s", "line": 11, "process": "EngineCore_DP0", "pid": 70,
         "rank": None, "tag": "compile range (1, 2048)"}
    ]  # fmt: skip
    assert start["headline"]["kv_cache_tokens"] == 35648
    assert start["categories"][1]["title"] == "Model Loading"
    assert start["categories"][1]["source"] == "logged"
    assert start["sleeps"][0]["seconds"] == 1.5
    assert start["sleeps"][0]["sleep_freed_gib"] is None


def test_headlines_of_ranks_are_the_slowest_the_least_and_the_sum() -> None:
    lines = [
        record(words, process=f"VllmWorker rank={rank} pid={rank + 1}")
        for rank, seconds, free in ((0, "2.5", "35.75"), (1, "3.5", "35.66"))
        for words in (
            f"Model loading took 14.25 GiB and {seconds} seconds",
            f"Available KV cache memory: {free} GiB",
        )
    ]
    again = record(
        "Model loading took 15.25 GiB and 1.0 seconds", process="VllmWorker rank=1 pid=2"
    )
    head = report([*lines, again])["attempts"][0]["headline"]

    assert head == {"model_load_size_gib": 29.5, "model_load_s": 3.5,
                    "kv_cache_available_gib": 35.66}  # fmt: skip


def test_further_values_stand_apart() -> None:
    lines = [
        record("Initializing model took 0.500000 seconds"),
        record("Compilation finished in 1.50 [secs]."),
    ]
    start = report(lines)["attempts"][0]

    assert start["values"] == {}
    assert sorted(start["more"]) == ["model_init_s", "precompile_s"]
    assert start["more"]["model_init_s"][0]["process"] is None


def test_the_headline_start_is_the_last_that_became_ready() -> None:
    told_ = report([*server(), *server(begin=100), *server(begin=200)[:9]])

    assert [one["attempt"] for one in told_["attempts"]] == [1, 2, 3]
    assert told_["headline_attempt"] == 2
    assert report(server()[:9])["headline_attempt"] == 1
    assert report(["nothing"])["headline_attempt"] is None


def test_a_log_of_requests_alone_tells_of_no_start() -> None:
    line = record("Engine 000: Avg prompt throughput: 3.0 tokens/s", process=ENGINE)
    assert report([line, line, record("Shutting down FastAPI HTTP server.")])["attempts"] == []


def test_failures_and_troubles_have_their_process_and_lines() -> None:
    fails = [record("EngineCore failed to start.", level="ERROR", process=ENGINE)]
    trace = ["Traceback (most recent call last):", "RuntimeError: late"]
    failed, late = report([*server()[:9], *fails, *server(begin=99), *trace])["attempts"]

    assert failed["failed"] == {"line": 10, "process": "EngineCore_DP0", "reason_line": None,
                                "reason": "EngineCore failed to start."}  # fmt: skip
    assert late["after_ready"] == [{"line": 34, "process": None, "reason": "RuntimeError: late"}]
    silent = report([*server()[:9], *server(begin=99)])["attempts"][0]["failed"]
    assert silent["process"] is None


def test_what_is_no_log_of_vllms_is_described() -> None:
    def words(data: bytes) -> str:
        likeness = Likeness()
        likeness.feed(data[:3])
        likeness.feed(data[3:])
        return likeness.words(data.count(b"\n"))

    assert words(b"") == "it is empty"
    assert words(b"\x7fELF\0\0\xff\n") == "it is binary data (8 bytes)"
    assert words(b"\n[2026] sglang.srt: Load weight\n") == "it looks like SGLang's log"
    assert words(b"\n hello\x07 you\n") == ("2 lines of something else, beginning with 'hello you'")
    assert words(b"one\n").startswith("1 line of")
    assert words(b"\n\n").endswith("beginning with ''")
