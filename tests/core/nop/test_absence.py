"""Zero is a value; what is absent has a reason."""

import pytest

from llmdbenchd.core.nop.absence import absences
from llmdbenchd.core.nop.facts import facts_of
from llmdbenchd.core.nop.names import NAMES
from tests.core.nop.composing import CONFIG, ENGINE, TRUE, only, record, server


def why(lines: list[str]) -> dict[str, str]:
    attempt = only(lines)
    return absences(attempt, facts_of(attempt))


def test_every_name_of_the_contract_has_a_value_or_a_reason() -> None:
    told = why(server())

    assert told.keys() | TRUE.keys() == {name for name, one in NAMES.items() if not one.further}
    assert not told.keys() & TRUE.keys()
    assert told["graph_cache_load_s"] == "the graphs were compiled, not loaded from the cache"
    assert told["memory_profiling_s"] == "logged at level DEBUG only, and this log has none"
    assert told["stream_s"] == "load format auto does not stream"
    assert told["kv_cache_gpu_blocks"] == "this version tells tokens instead of blocks"
    assert told["engine_init_compilation_s"] == "not logged by vLLM 0.19.1 (since 0.20.2)"
    assert told["sleep_s"] == "sleep mode is off: it was never put to sleep"


def without(*words: str, lines: list[str] | None = None) -> list[str]:
    return [line for line in lines or server() if not any(word in line for word in words)]


@pytest.mark.parametrize(
    ("lines", "name", "reason"),
    [
        (without("downloading"), "weights_download_s",
         "no download of more than 0.5 s: the weights were there"),
        ([*without("downloading"), "##### [cut: x"], "weights_download_s",
         "no line tells it, and lines are missing (line 22)"),
        (without("downloading", lines=server("0.6.6")), "weights_download_s",
         "not logged by vLLM 0.6.6 (since 0.7.3)"),
        (without("downloading", "version", lines=server()[:4] + server()[5:]),
         "weights_download_s", "no download of more than 0.5 s: the weights were there"),
        (without("downloading", lines=server(config="load_format=dummy")), "weights_download_s",
         "load format dummy: there is nothing to download"),
        (without("weights took", lines=server(config="load_format=tensorizer")), "weights_load_s",
         "not logged with load format tensorizer"),
        (server()[:7], "model_load_s", "not reached: its log ends with line 7"),
        ([*server()[:7], record("EngineCore failed to start.", process=ENGINE)], "engine_init_s",
         "not reached: the start failed (line 8)"),
        ([*server()[:7], record("Shutdown initiated", process=ENGINE)], "kv_cache_tokens",
         "not reached: it was stopped (line 8)"),
        (without("Dynamo", lines=server(config=CONFIG.replace("False", "True"))), "dynamo_s",
         "eager mode: nothing is compiled or captured"),
        (without("x", lines=server("0.32.0", config="enforce_eager=True")),
         "engine_init_compilation_s", "eager mode: nothing is compiled"),
        ([*without("Compiling"),
          record("Directly load the compiled graph for shape None from the cache")],
         "graph_compile_s", "the graphs came from the compile cache"),
        ([*without("Compiling"),
          record("Directly load the compiled graph for shape None from the cache")],
         "graph_cache_load_s", "they came from the cache, without seconds (line 22)"),
        ([*without("torch.compile"), record("Directly load AOT compilation from path /x")],
         "torch_compile_s", "compiled ahead of time (line 22)"),
        ([*without("Initial profiling"), record("Memory profiling takes 3.00 seconds.")],
         "initial_free_gib", "no line of this log tells it"),
        ([*server(), record("Applying persisted startup plan (fingerprint ab)")],
         "memory_profiling_s", "memory profiling was skipped"),
        ([*server(), record("Hello.", level="DEBUG")], "memory_profiling_s",
         "no line of this log tells it"),
        ([record("Initializing a V0 LLM engine (v0.9.1) with config: x"),
          record("# CUDA blocks: 512, # CPU blocks: 64"),
          record("init engine (profile, create kv cache, warmup model) took 9.50 seconds")],
         "dynamo_s", "engine V0 compiles nothing unless it is asked to"),
        ([record("Initializing a V0 LLM engine (v0.9.1) with config: x"),
          record("# CUDA blocks: 512, # CPU blocks: 64"),
          record("init engine (profile, create kv cache, warmup model) took 9.50 seconds")],
         "kv_cache_tokens", "this version tells blocks instead of tokens"),
        (without("Model loading", lines=server(config="device_config=cpu")), "model_load_s",
         "not logged on cpu"),
        (without("Graph", lines=server(config="device_config=tpu")), "graph_capture_s",
         "tpu captures no graphs"),
        (without("Compiling", lines=server(config="device_config=tpu")), "graph_compile_s",
         "not on tpu"),
        (without("Available KV", lines=server(config="device_config=tpu")),
         "kv_cache_available_gib", "not logged on tpu"),
        ([record("Found ulimit", level="WARNING", process="APIServer pid=7"),
          "INFO:     Application startup complete."], "model_load_s",
         "not logged at level WARNING"),
        ([*server(), record("Executor is already sleeping.", level="WARNING")], "sleep_s",
         "it was asleep already when it was asked to sleep"),
        ([*server(), record("It took 1.5 seconds to fall asleep.")], "wake_s",
         "it was not woken in this log"),
        ([*server(), record("It took 1.5 seconds to fall asleep.")], "sleep_freed_gib",
         "this sleep does not tell it"),
        ([*server("0.8.4"), record("It took 1.5 seconds to fall asleep.")], "sleep_backed_up_gib",
         "not logged by vLLM 0.8.4 (since 0.11.0)"),
        ([*server(config="device_config=cpu"), record("It took 1.5 seconds to fall asleep.")],
         "sleep_freed_gib", "not on cpu"),
        ([record("Loading weights took 2.50 seconds")], "sleep_s",
         "no sleep in this log: it was never put to sleep"),
        (without("KV cache", lines=server("0.33.0")), "kv_cache_cpu_blocks",
         "not logged by vLLM 0.33.0 (until 0.11.0)"),
        (without("Graph", lines=server("nightly")), "graph_capture_s",
         "no line of this log tells it"),
    ],
)  # fmt: skip
def test_absence_has_its_reason(lines: list[str], name: str, reason: str) -> None:
    assert why(lines)[name] == reason


def test_true_zeros_are_values() -> None:
    line = record("Model loading took 0.0 GiB memory and 0.000000 seconds")
    told = why([line])

    assert "model_load_s" not in told
    assert "model_load_size_gib" not in told


def test_what_a_plugin_says_does_not_make_a_value_older() -> None:
    told = why(without("weights took", lines=server("0.7.3", config="load_format=auto")))

    assert told["weights_load_s"] == "not logged by vLLM 0.7.3 (since 0.8.2)"
