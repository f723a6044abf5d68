"""Starts that fail on purpose: where the log of a load ends, and what its last lines say."""

from collections.abc import Iterable, Iterator

from llmdbenchd.simulate.load import Failure
from llmdbenchd.simulate.vllm_lines import Beat, Speaker
from llmdbenchd.simulate.wordings import Filling, Wordings

_TRACEBACK = "Traceback (most recent call last):"
_REACHES = {
    Failure.MODEL: frozenset({"engine_v0", "engine_v1", "handshake"}),
    Failure.MEMORY: frozenset({"downloaded", "weights_read", "load_end"}),
    Failure.KILLED: frozenset({"load_end"}),
    Failure.KV_CACHE: frozenset({"kv_room"}),
}
"""The moments that each never comes to."""
_REASONS = {
    Failure.MODEL: "OSError: {model} is not a local folder and is not a valid model identifier",
    Failure.MEMORY: "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.25 GiB.",
    Failure.KV_CACHE: "ValueError: No available memory for the cache blocks. Try increasing "
    "`gpu_memory_utilization` when initializing the engine.",
}
_GIVEN_UP = (
    "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"
)


def failing(
    beats: Iterable[Beat], failure: Failure | None, wordings: Wordings, model: str
) -> Iterator[Beat]:
    """The lines of a start up to its failure, and those of the failure; all if it has none."""
    at_s = 0.0
    for beat in beats:
        at_s = beat.at_s
        if failure is not None and beat.mark in _REACHES[failure]:
            break
        yield beat
    if failure is None or failure is Failure.KILLED:
        return
    reason = _REASONS[failure].format(model=model)
    if failure is Failure.MODEL or not wordings.since("0.8.0"):
        yield from _raised(at_s, reason)
        return
    said = wordings.say("failed", filling=Filling(rest=_TRACEBACK))
    for text in (said.text if said else "", _TRACEBACK, _place("core.py", 866), reason):
        if text:
            yield Beat(at_s, Speaker.ENGINE, "ERROR", text)
    yield from _raised(at_s, _GIVEN_UP)


def _raised(at_s: float, reason: str) -> Iterator[Beat]:
    """What the interpreter of the front end prints."""
    for text in (_TRACEBACK, _place("api_server.py", 1920), reason):
        yield Beat(at_s, Speaker.FRONT, "", text)


def _place(file: str, line: int) -> str:
    return f'  File "/usr/lib/python3/vllm/{file}", line {line}, in <module>'
