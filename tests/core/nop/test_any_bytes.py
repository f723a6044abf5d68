"""Whatever arrives, and however it is cut: no error, one answer, and no memory of the log."""

import tracemalloc
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmdbenchd.core.nop.events import Event
from llmdbenchd.core.nop.recorder import Recorder
from llmdbenchd.core.nop.report import Json, told
from tests.core.nop.composing import ENGINE, TRUE, only, record, server, values

SCRAPS = st.sampled_from(
    [
        *(f"{line}\n".encode() for line in server()),
        b"Traceback (most recent call last):\n", b"ValueError: x\n", b"\r", b"\n", b"\x1b[0;36m",
        b"INFO 05-01 12:00:00 [a.py:1] ", b"(Worker pid=3) ", b'{"message": "x", "level": "INFO"}',
        b"2026-05-01T12:00:00Z ", b"Loading weights took ", b"2.5", b" seconds\n", b"\xff\xfe\0",
        b"##### [cut: x\n", b"[pod/a/b] ", b"INFO:     Application startup complete.\n",
    ]
)  # fmt: skip
LEVELS = ("debug", "info", "warn", "error", "critical")
ANY = st.lists(st.one_of(SCRAPS, st.binary(max_size=20)), max_size=40).map(b"".join)


def answer(*pieces: bytes) -> tuple[list[Event], Json]:
    recorder = Recorder()
    events = [event for piece in pieces for event in recorder.feed(piece)]
    events += recorder.finish()
    return events, told(recorder.journal, recorder.lines)


@settings(max_examples=80, deadline=None)
@given(ANY, st.randoms(use_true_random=False))
def test_garbage_never_raises_and_chunks_never_change_the_answer(data: bytes, dice: Random) -> None:
    places = sorted(dice.randrange(len(data) + 1) for _ in range(6))
    cut = [data[a:b] for a, b in pairwise([0, *places, len(data)])]

    assert answer(*cut) == answer(data)
    assert answer(*(bytes([one]) for one in data)) == answer(data)


@given(st.lists(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=60)))
@settings(max_examples=30, deadline=None)
def test_noise_between_the_lines_changes_no_value(noise: list[str]) -> None:
    quiet = [one for one in noise if not any(level in one.lower() for level in LEVELS)]
    lines = server()
    for place, words in enumerate(quiet):
        lines.insert(1 + 2 * place % len(lines), f"(APIServer pid=7) ~ {words}")

    assert values(only(lines)) == TRUE


@pytest.mark.slow
def test_memory_does_not_grow_with_the_log() -> None:
    request = record("Engine 000: Avg prompt throughput: 3.0 tokens/s", process=ENGINE)
    served = f'{request}\n(APIServer pid=7) INFO:     1.2.3.4:5 - "POST /v1 HTTP/1.1" 200 OK\n'
    piece = served.encode() * 500
    recorder = Recorder()
    recorder.feed("".join(f"{line}\n" for line in server()).encode())
    recorder.feed(piece)
    kept = []
    tracemalloc.start()
    try:
        for _ in range(3):
            for _ in range(8):
                recorder.feed(piece)
            kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()

    assert kept[2] - kept[1] < len(piece) // 20
