"""Does the stand-in model server keep the times that were asked of it?

The real command runs in a process of its own; a small client sends requests at a constant
rate and notes when each chunk came. What the server itself wrote down (its truth file)
stands beside what was asked: 50 ms to the first token, 10 ms between tokens.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

from bench.table import Row
from llmdbenchd.simulate.options import DEFAULT_MODEL
from llmdbenchd.simulate.truth import read_truth

NAME = "simulator"
TITLE = "The stand-in model server at 20 requests/s x 50 tokens, TTFT 50 ms and ITL 10 ms asked for"
FULL, QUICK = 200, 20  # requests
RATE, TOKENS, TTFT_MS, ITL_MS = 20, 50, 50.0, 10.0
ASKED = "asked for"
TTFT_WITHIN_MS, ITL_WITHIN = 5.0, 0.02
START_S, STOP_S = 30, 10


def measure(folder: Path, count: int) -> list[Row]:
    """Send `count` requests and compare with what was asked."""
    address, truth = folder / "address", folder / "truth.jsonl"
    words = ["simulate", "--port", "0", "--ttft", str(TTFT_MS), "--itl", str(ITL_MS)]
    files = ["--address-file", str(address), "--truth", str(truth)]
    server = subprocess.Popen(
        [sys.executable, "-m", "llmdbenchd", *words, *files], stdout=subprocess.DEVNULL
    )
    try:
        seen = asyncio.run(_load(_content(address), count))
    finally:
        server.terminate()
        server.wait(STOP_S)
    told = read_truth(truth.read_text(encoding="utf-8"))
    ttft = statistics.mean(times[0] for times in seen)
    itl = statistics.mean(_gap(times) for times in seen)
    return [
        _row("mean TTFT that the client saw", ttft, TTFT_MS, is_near=_ttft_is_near(ttft)),
        _row("mean ITL that the client saw", itl, ITL_MS, is_near=_itl_is_near(itl)),
        _row("mean TTFT in the truth file", told.ttft_ms or 0.0, TTFT_MS),
        _row("mean ITL in the truth file", told.itl_ms or 0.0, ITL_MS),
    ]


async def _load(url: str, count: int) -> list[list[float]]:
    """For each request the moments of its tokens, in milliseconds after it was sent."""
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        tasks = []
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            tasks.append(group.create_task(_ask(session, url)))
    return [task.result() for task in tasks]


async def _ask(session: aiohttp.ClientSession, url: str) -> list[float]:
    body = {"model": DEFAULT_MODEL, "prompt": "ba be bi", "max_tokens": TOKENS, "stream": True}
    sent = time.perf_counter()
    async with session.post(f"{url}/v1/completions", json=body) as response:
        moments = [
            (time.perf_counter() - sent) * 1000
            async for line in response.content
            if line.startswith(b"data: {") and json.loads(line[6:])["choices"]
        ]
    assert len(moments) == TOKENS
    return moments


def _content(path: Path) -> str:
    deadline = time.monotonic() + START_S
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return path.read_text(encoding="utf-8").strip()


def _gap(moments: list[float]) -> float:
    return (moments[-1] - moments[0]) / (len(moments) - 1)


def _ttft_is_near(value: float) -> bool:
    return abs(value - TTFT_MS) <= TTFT_WITHIN_MS


def _itl_is_near(value: float) -> bool:
    return abs(value / ITL_MS - 1) <= ITL_WITHIN


def _row(what: str, value: float, asked: float, *, is_near: bool | None = None) -> Row:
    aim = {TTFT_MS: f"within {TTFT_WITHIN_MS:g} ms", ITL_MS: f"within {ITL_WITHIN:.0%}"}[asked]
    return Row(
        what=what,
        value=value,
        unit="ms",
        rival=ASKED,
        rival_value=asked,
        ratio=value / asked,
        aim=aim if is_near is not None else "",
        met=is_near,
    )
