"""A vLLM server's log -> events: lines a second, memory, and how long one line takes.

Times are those of the processor, for one core is what is meant, whoever else uses it.

Its rival is grep, which looks for the same wordings in the same file and understands none of
them. The start is composed from wordings of the table; the requests behind it are what a busy
server writes for hours, of which nothing is to be read but nothing may be missed either.
"""

import re
import resource
import subprocess
import time
from pathlib import Path

from bench.table import Row, compared, percentile
from llmdbenchd.core.nop.recorder import Recorder
from llmdbenchd.core.nop.wording import TABLE

NAME = "load-log"
TITLE = "A vLLM server's log to events (`llmdbenchd nop`)"
FULL, QUICK = 1000, 50  # MB of the long log
START_MB = 8
CHUNK = 1 << 18
AIM_LINES_S = 100_000
AIM_MS = 1.0
MOST_GROWTH_MIB = 16
RIVAL = "grep -E for the same wordings"

_AT = "05-01 12:00:00 [core.py:10]"
_API, _ENGINE = f"(APIServer pid=7) INFO {_AT}", f"(EngineCore pid=70) INFO {_AT}"
_BAR = "(EngineCore pid=70) shards:  50% Completed | 2/4 [00:01<00:01, 1.50it/s]"
START = [
    f"{_API} vLLM API server version 0.25.1",
    f"{_API} non-default args: {{'model': 'org/model-7b', 'port': 8000}}",
    f"{_API} Resolved architecture: LlamaForCausalLM",
    f"{_API} Using max model len 131072",
    f"{_API} Asynchronous scheduling is enabled.",
    f"{_ENGINE} Initializing a V1 LLM engine (v0.25.1) with config: {'x=1, ' * 600}, seed=0",
    *["[Gloo] Rank 0 is connected to 0 peer ranks. Expected number of connected peers is : 0"] * 8,
    f"{_ENGINE} world_size=1 rank=0 local_rank=0 distributed_init_method=tcp://x backend=nccl",
    f"{_ENGINE} Starting to load model org/model-7b...",
    f"{_ENGINE} Using FLASH_ATTN attention backend out of potential backends: ['FLASH_ATTN'].",
    *[f"\r{_BAR}"] * 6,
    f"{_ENGINE} Loading weights took 2.50 seconds",
    f"{_ENGINE} Model loading took 14.25 GiB memory and 9.000000 seconds",
    f"{_ENGINE} Dynamo bytecode transform time: 3.50 s",
    f"{_ENGINE} Cache the graph of compile range (1, 2048) for later use",
    f"{_ENGINE} Compiling a graph for compile range (1, 2048) takes 11.25 s",
    f"{_ENGINE} torch.compile took 14.75 s in total",
    f"{_ENGINE} Available KV cache memory: 13.06 GiB",
    f"{_ENGINE} GPU KV cache size: 35,648 tokens",
    *[f"\r{_BAR}"] * 10,
    f"{_ENGINE} Graph capturing finished in 6 secs, took 0.46 GiB",
    f"{_ENGINE} init engine (profile, create kv cache, warmup model) took 26.50 s",
    f"{_API} Supported tasks: ['generate']",
    f"{_API} Starting vLLM server on http://0.0.0.0:8000",
    f"{_API} Available routes are:",
    *[f"{_API} Route: /v1/route{number}, Methods: POST" for number in range(25)],
    "(APIServer pid=7) INFO:     Application startup complete.",
]
REQUESTS = [
    f"{_API} Received request cmpl-0e66b941b579: prompt: 'Hello', params: SamplingParams(n=1).",
    f"{_API} Added request cmpl-0e66b941b579.",
    '(APIServer pid=7) INFO:     10.0.0.1:43894 - "POST /v1/completions HTTP/1.1" 200 OK',
    f"{_API} Engine 000: Avg prompt throughput: 3.0 tokens/s, Running: 4 reqs, Waiting: 0 reqs",
]


def measure(folder: Path, megabytes: int) -> list[Row]:
    """Read starts alone, then one start and very many requests, then line by line."""
    starts = _written(folder / "starts.log", [], START, START_MB)
    long = _written(folder / "long.log", START, REQUESTS, megabytes)
    start_rate = _starts(megabytes * 2)
    long_rate, growth = _read(long)
    return [
        _row("start-up logs", start_rate, starts),
        _row(f"one start and {megabytes:,} MB of requests", long_rate, long),
        Row(
            what="memory that the long log adds", value=growth, unit="MiB",
            aim=f"under {MOST_GROWTH_MIB}", met=growth < MOST_GROWTH_MIB,
        ),
        _latency(),
    ]  # fmt: skip


def _row(what: str, rate: float, path: Path) -> Row:
    grep = _grepped(path)
    return Row(
        what=what, value=rate, unit="lines/s", rival=RIVAL, rival_value=grep,
        ratio=compared(rate, grep), aim=f"over {AIM_LINES_S:,}", met=rate > AIM_LINES_S,
    )  # fmt: skip


def _written(path: Path, first: list[str], again: list[str], megabytes: int) -> Path:
    block = "".join(f"{line}\n" for line in again * 100).encode()
    with path.open("wb") as file:
        file.write("".join(f"{line}\n" for line in first).encode())
        for _ in range(max(1, megabytes * 1_000_000 // len(block))):
            file.write(block)
    return path


def _read(path: Path) -> tuple[float, float]:
    """Lines a second, and MB that the process grew by."""
    recorder = Recorder()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            recorder.feed(data)
    took = time.process_time() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return recorder.lines / took, (after - before) / 1024


def _starts(count: int) -> float:
    """Lines a second of starts, each a log of its own."""
    data = "".join(f"{line}\n" for line in START).encode()
    lines = 0
    began = time.process_time()
    for _ in range(count):
        recorder = Recorder()
        recorder.feed(data)
        recorder.finish()
        lines += recorder.lines
    return lines / (time.process_time() - began)


def _grepped(path: Path) -> float:
    """Lines a second of grep, with the plain beginning of every wording."""
    stems = {re.split(r"[{<]", row.literal.removeprefix("{?}"))[0] for row in TABLE}
    pattern = "|".join(re.escape(stem) for stem in stems if stem)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(
        ["/usr/bin/env", "LC_ALL=C", "grep", "-aE", pattern, str(path)],
        check=True,
        stdout=subprocess.PIPE,  # into nothing it would stop at the first line
    )
    took = max(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 0.001)
    with path.open("rb") as file:
        lines = sum(data.count(b"\n") for data in iter(lambda: file.read(CHUNK), b""))
    return lines / took


def _latency() -> Row:
    """From a line's arrival to its event."""
    times = []
    for _ in range(200):
        recorder = Recorder()
        for line in START:
            data = f"{line}\n".encode()
            began = time.perf_counter()
            recorder.feed(data)
            times.append((time.perf_counter() - began) * 1000)
    p99 = percentile(times, 0.99)
    return Row(
        what="a line's arrival to its event: p99", value=p99, unit="ms",
        aim=f"under {AIM_MS:g}", met=p99 < AIM_MS,
    )  # fmt: skip
