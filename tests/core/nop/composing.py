"""Logs of our own making, from the wordings of many versions, with numbers of our own."""

from collections.abc import Callable, Iterable

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.events import Event
from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.core.nop.recorder import Recorder

Values = dict[str, list[tuple[float, int]]]


def record(
    message: str,
    second: int = 0,
    *,
    process: str = "",
    level: str = "INFO",
    place: str = "[core.py:10] ",
) -> str:
    """A line of vLLM's; `second` counts from 12:00 of the first of May."""
    at = f"05-01 {12 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{f'({process}) ' if process else ''}{level} {at} {place}{message}"


COMPLETE = "Application startup complete."
API = "APIServer pid=7"
ENGINE = "EngineCore_DP0 pid=70"
CONFIG = "model='a/b', load_format=auto, enforce_eager=False, device_config=cuda"


def server(
    version: str = "0.19.1",
    *,
    api: str = API,
    engine: str = ENGINE,
    begin: int = 0,
    config: str = CONFIG,
    args: str = "{'model': 'a/b'}",
) -> list[str]:
    """A whole start of a server, 60 seconds from its first line to its readiness."""
    says: list[tuple[str, str, int]] = [
        (api, f"vLLM API server version {version}", 0),
        (api, f"non-default args: {args}", 0),
        (api, "Resolved architecture: LlamaForCausalLM", 3),
        (api, "Using max model len 4096", 4),
        (engine, f"Initializing a V1 LLM engine (v{version}) with config: {config}", 10),
        (engine, "Starting to load model a/b...", 12),
        (engine, "Time spent downloading weights for a/b: 5.250000 seconds", 18),
        (engine, "Loading weights took 2.50 seconds", 21),
        (engine, "Model loading took 14.25 GiB memory and 9.000000 seconds", 22),
        (engine, "Dynamo bytecode transform time: 3.50 s", 26),
        (engine, "Compiling a graph for compile range (1, 2048) takes 11.25 s", 38),
        (engine, "torch.compile took 14.75 s in total", 39),
        (engine, "Initial profiling/warmup run took 0.41 s", 40),
        (engine, "Available KV cache memory: 13.06 GiB", 41),
        (engine, "GPU KV cache size: 35,648 tokens", 41),
        (engine, "Maximum concurrency for 4,096 tokens per request: 8.70x", 41),
        (engine, "Graph capturing finished in 6 secs, took 0.46 GiB", 48),
        (engine, "init engine (profile, create kv cache, warmup model) took 26.50 seconds", 49),
        (api, "Starting vLLM server on http://0.0.0.0:8000", 58),
        (api, "Available routes are:", 59),
        (api, "Route: /metrics, Methods: GET", 60),
    ]
    lines = [record(words, begin + second, process=who) for who, words, second in says]
    return [*lines, f"({api}) INFO:     Application startup complete."]


def offline(version: str = "0.8.2", begin: int = 0) -> list[str]:
    """A script that makes an engine: no front end, and here no prefixes either."""
    return [
        record("Automatically detected platform cuda.", begin),
        record(f"Initializing a V1 LLM engine (v{version}) with config: {CONFIG}", begin + 5),
        record("Loading weights took 2.50 seconds", begin + 9),
        record("init engine (profile, create kv cache, warmup model) took 9.50 seconds", begin + 9),
    ]


TRUE: dict[str, list[float]] = {
    "weights_download_s": [5.25],
    "weights_load_s": [2.5],
    "model_load_size_gib": [14.25],
    "model_load_s": [9.0],
    "dynamo_s": [3.5],
    "graph_compile_s": [11.25],
    "torch_compile_s": [14.75],
    "first_run_s": [0.41],
    "kv_cache_available_gib": [13.06],
    "kv_cache_tokens": [35648],
    "max_concurrency": [8.7],
    "graph_capture_s": [6],
    "graph_capture_gib": [0.46],
    "engine_init_s": [26.5],
}
"""What `server()` says."""


def read(lines: Iterable[str] | bytes, year: int | None = None) -> list[Attempt]:
    """The starts of a log."""
    return followed(lines, year)[0].journal.attempts


def followed(lines: Iterable[str] | bytes, year: int | None = None) -> tuple[Recorder, list[Event]]:
    """A log to its end, and the news of it."""
    data = lines if isinstance(lines, bytes) else "".join(f"{one}\n" for one in lines).encode()
    recorder = Recorder(year)
    events = recorder.feed(data)
    return recorder, events + recorder.finish()


def only(lines: Iterable[str] | bytes) -> Attempt:
    """The start of a log that has one."""
    (attempt,) = read(lines)
    return attempt


def values(attempt: Attempt) -> dict[str, list[float]]:
    """Of the contract's names, without their lines."""
    return {
        name: [one.value for one in kept]
        for name, kept in attempt.readings.items()
        if not NAMES[name].further
    }


def wrapped(lines: Iterable[str], how: Callable[[str], str]) -> list[str]:
    """Every line in the same wrapping."""
    return [how(one) for one in lines]
