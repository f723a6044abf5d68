"""What vLLM writes outside of CUDA, and with front ends, formats and executors that are rare."""

import pytest

from llmdbenchd.core.nop.phrases import read
from llmdbenchd.core.nop.sleeps import sleeps
from tests.core.nop.composing import CONFIG, ENGINE, followed, only, record, values


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "OpenVINO CPU: # device blocks: 1024; # swap blocks: 256",
            {"kv_cache_gpu_blocks": 1024, "kv_cache_cpu_blocks": 256},
        ),
        ("# CPU blocks: 4096", {"kv_cache_gpu_blocks": 4096}),
        ("Compilation for prefix prefill done in 31.25 s.", {"precompile_s": 31.25}),
        ("    -- Compilation for decode done in 8.50 [secs].", {"precompile_s": 8.5}),
        (
            "Multimodal image Encoder compilation finished in in 4.75 [secs].",
            {"precompile_s": 4.75},
        ),
        ("Loading model weights took 12.50 seconds", {"weights_load_s": 12.5}),
        ("Model runner load_model total time: 45.25 seconds", {"model_load_s": 45.25}),
        ("Loading drafter model weights took 0.7500 GB", {"drafter_size_gib": 0.75}),
        (
            "Total time to load model weights from storage to TPU: 21.50 seconds.",
            {"tpu_load_s": 21.5},
        ),
        (
            "Available KV cache memory: 6.25 GiB (halved for workspace)",
            {"kv_cache_available_gib": 6.25},
        ),
        (
            (
                "Initial free memory 60.75 GiB, reserved 20.50 GiB for KV Cache as specified by "
                "kv_cache_memory_bytes, skipping memory profiling. This does not respect more."
            ),
            {"initial_free_gib": 60.75, "kv_cache_reserved_gib": 20.5},
        ),
        (
            (
                "Memory profiling results: total_gpu_memory=79.10GiB initial_memory_usage=0.80GiB "
                "peak_torch_memory=16.20GiB memory_usage_post_profile=0.90Gib "
                "non_torch_memory=0.15GiB kv_cache_size=54.80GiB gpu_memory_utilization=0.90"
            ),
            {"memory_activation_gib": 16.2, "memory_other_gib": 0.15},
        ),
        (
            (
                "Memory profiling takes 2.25 seconds. Total non KV cache memory: 17.5GiB; torch "
                "peak memory increase: 1.5GiB; total consumed (from mem_get_info): 15.75GiB; "
                "weights memory: 14.25GiB."
            ),
            {
                "memory_profiling_s": 2.25,
                "memory_activation_gib": 1.5,
                "memory_consumed_gib": 15.75,
                "memory_weights_gib": 14.25,
            },
        ),
        ("Peak GPU memory after loading weights: 15.5 GiB", {"load_peak_gib": 15.5}),
        (
            (
                "CUDA graph pool memory: 0.75 GiB (actual), 0.5 GiB (estimated), "
                "difference: 0.25 GiB (33.3%)."
            ),
            {"graph_pool_gib": 0.75},
        ),
        (
            "Encoder graph capturing finished in 7 secs, took 0.25 GiB (12 graphs)",
            {"graph_capture_s": 7, "graph_capture_gib": 0.25},
        ),
        (
            "Sleep mode (level=2) freed 40.25 GiB memory, 1.50 GiB memory is still in use.",
            {"sleep_freed_gib": 40.25, "sleep_in_use_gib": 1.5},
        ),
    ],
)
def test_wordings_of_other_platforms_are_read(message: str, expected: dict[str, float]) -> None:
    found = read(message)

    assert found is not None
    assert found.readings == expected


def test_a_line_that_begins_with_blanks_is_read_through_the_whole_way() -> None:
    start = only(
        [
            record(f"Initializing a V1 LLM engine (v0.7.3) with config: {CONFIG}"),
            record("    -- Compilation for decode done in 8.50 [secs].", 9),
        ]
    )

    assert [one.value for one in start.readings["precompile_s"]] == [8.5]


def test_a_sleep_that_says_its_level_needs_no_guess() -> None:
    start = only(
        [
            record(f"Initializing a V1 LLM engine (v0.23.0) with config: {CONFIG}", process=ENGINE),
            record(
                "Sleep mode (level=2) freed 40.25 GiB memory, 1.50 GiB memory is still in use.",
                60,
                process=ENGINE,
            ),
            record("It took 3.250000 seconds to fall asleep.", 61, process=ENGINE),
        ]
    )

    (sleep,) = sleeps(start)
    assert (sleep.level, sleep.level_by) == (2, "asked for (line 2)")
    assert values(start)["sleep_freed_gib"] == [40.25]


GRPC = [
    record("vLLM server version 0.24.0, serving model a/b", process="MainProcess pid=7"),
    record("vLLM gRPC server args: Namespace(model='a/b')", process="MainProcess pid=7"),
    record(f"Initializing a V1 LLM engine (v0.24.0) with config: {CONFIG}", 5, process=ENGINE),
    record("init engine (profile, create kv cache, warmup model) took 9.50 s", 19, process=ENGINE),
]


def test_a_front_end_that_speaks_grpc_is_ready_when_it_says_so() -> None:
    start = only(
        [
            *GRPC,
            record("vLLM gRPC server started on 0.0.0.0:50051", 21, process="MainProcess pid=7"),
            record("Server is ready to accept requests", 21, process="MainProcess pid=7"),
        ]
    )

    assert start.ready
    assert (start.ready.line, start.ready.by) == (6, "Server is ready to accept requests")
    assert start.text["args"] == "(model='a/b')"


def test_another_server_that_is_ready_to_accept_requests_is_not_vllm() -> None:
    start = only([*GRPC, record("Server is ready to accept requests", 20)])

    assert start.ready is None


def test_a_script_of_batches_is_ready_with_its_engine() -> None:
    start = only(
        [
            record("vLLM batch processing API version 0.9.2"),
            record(f"Initializing a V1 LLM engine (v0.9.2) with config: {CONFIG}", 5),
            record("init engine (profile, create kv cache, warmup model) took 9.5 seconds", 19),
        ]
    )

    assert start.text["version"] == "0.9.2"
    assert start.ready
    assert start.ready.by == "init engine"


@pytest.mark.parametrize(
    "sign",
    [
        "[shutdown] MPClient: engine core exited unexpectedly; starting cleanup",
        "RayWorkerProc rank=3 died unexpectedly, shutting down executor.",
    ],
)
def test_a_process_that_died_while_loading_is_a_failure_and_no_stop(sign: str) -> None:
    recorder, _ = followed(
        [
            record("vLLM server version 0.24.0, serving model a/b", process="APIServer pid=7"),
            record("Starting to load model a/b...", 5, process=ENGINE),
            record(sign, 9, level="ERROR", process="APIServer pid=7"),
        ]
    )

    (start,) = recorder.journal.attempts
    assert start.failed
    assert start.failed.line == 3


def test_tags_that_sleep_already_are_a_call_without_an_entry() -> None:
    start = only(
        [
            record(f"Initializing a V1 LLM engine (v0.32.0) with config: {CONFIG}", process=ENGINE),
            record("Tags ['weights'] are already sleeping.", 9, level="WARNING", process=ENGINE),
        ]
    )

    assert start.has("asleep_already")
