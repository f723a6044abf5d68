"""Why a value is absent: zero is a value, and silence has a reason."""

import re

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.facts import Facts
from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.core.nop.wording import TABLE

_LOAD, _COMPILE, _PROFILE, _ROOM, _GRAPHS, _INIT, _UP = range(7)
_STAGE = {
    "weights_download_s": _LOAD, "weights_load_s": _LOAD, "stream_s": _LOAD,
    "stream_size_gib": _LOAD, "model_load_s": _LOAD, "model_load_size_gib": _LOAD,
    "dynamo_s": _COMPILE, "graph_compile_s": _COMPILE, "graph_cache_load_s": _COMPILE,
    "torch_compile_s": _COMPILE, "first_run_s": _COMPILE, "memory_profiling_s": _PROFILE,
    "initial_free_gib": _PROFILE, "free_after_profiling_gib": _PROFILE,
    "kv_cache_available_gib": _ROOM, "kv_cache_tokens": _ROOM, "kv_cache_gpu_blocks": _ROOM,
    "kv_cache_cpu_blocks": _ROOM, "max_concurrency": _ROOM, "graph_capture_s": _GRAPHS,
    "graph_capture_gib": _GRAPHS, "engine_init_s": _INIT, "engine_init_compilation_s": _INIT,
}  # fmt: skip
"""By when in a start a value is told."""
_REACHED_BY = {
    "load_begin": _LOAD, "load_begin_scratch": _LOAD, "load_end": _COMPILE,
    "compile_end": _PROFILE, "profiled": _ROOM, "kv_room": _GRAPHS, "graphs_end": _INIT,
    "engine_end": _UP, "listening": _UP, "routes": _UP, "startup_complete": _UP,
}  # fmt: skip
_COMPILES = {"dynamo_s", "graph_compile_s", "graph_cache_load_s", "torch_compile_s"}
_NO_WEIGHT_LINE = {"dummy", "runai_streamer", "runai_streamer_sharded", "tensorizer"}
_DEBUG_ONLY = {"memory_profiling_s", "initial_free_gib", "free_after_profiling_gib"}
_NO_LOAD_LINE = {"cpu", "tpu", "neuron"}
_GRAPHLESS = {"cpu", "tpu", "neuron"}
_OF_DEVICES = (
    "graph_", "sleep_freed", "sleep_in_use", "sleep_backed_up", "sleep_discarded",
)  # fmt: skip
_NEWEST = "0.32"  # that was looked at: what is in it may be in newer ones
_VERSION = re.compile(r"\d+")


def absences(attempt: Attempt, facts: Facts) -> dict[str, str]:
    """Each name of the contract that has no value, and why."""
    return {
        name: _why(name, attempt, facts)
        for name, one in NAMES.items()
        if not one.further and name not in attempt.readings
    }


def _why(name: str, attempt: Attempt, facts: Facts) -> str:
    for reason in (_asleep, _unreached, _by_level, _by_order, _by_platform, _by_version):
        if why := reason(name, attempt, facts):
            return why
    if attempt.gaps:
        return f"no line tells it, and lines are missing (line {attempt.gaps[0]})"
    return "no line of this log tells it"


def _asleep(name: str, attempt: Attempt, facts: Facts) -> str | None:
    if not name.startswith(("sleep_", "wake_")):
        return None
    if name == "wake_s" and "sleep_s" in attempt.readings:
        return "it was not woken in this log"
    if "sleep_s" in attempt.readings or "sleep_freed_gib" in attempt.readings:
        told = _by_platform(name, attempt, facts) or _by_version(name, attempt, facts)
        return told or "this sleep does not tell it"
    if attempt.has("asleep_already"):
        return "it was asleep already when it was asked to sleep"
    off = "sleep mode is off" if facts.sleep_mode is False else "no sleep in this log"
    return f"{off}: it was never put to sleep"


def _unreached(name: str, attempt: Attempt, _: Facts) -> str | None:
    stages = [_REACHED_BY[kind] for kind in attempt.marks if kind in _REACHED_BY]
    if attempt.ready or max(stages, default=-1) > _STAGE[name]:
        return None
    if attempt.failed:
        return f"not reached: the start failed (line {attempt.failed.line})"
    if attempt.stopped_line:
        return f"not reached: it was stopped (line {attempt.stopped_line})"
    return f"not reached: its log ends with line {attempt.last_line}"


def _by_level(name: str, attempt: Attempt, _: Facts) -> str | None:
    if attempt.levels and not attempt.levels & {"I", "D"}:
        return "not logged at level WARNING"
    if name in _DEBUG_ONLY and not attempt.readings.keys() & _DEBUG_ONLY:
        if attempt.has("profiling_skipped"):
            return "memory profiling was skipped"
        if "D" not in attempt.levels and attempt.text.get("engine") != "V0":
            return "logged at level DEBUG only, and this log has none"
    return None


def _by_order(name: str, attempt: Attempt, facts: Facts) -> str | None:
    """What the configuration excludes."""
    if facts.is_eager and (name in _COMPILES or name.startswith("graph_capture")):
        return "eager mode: nothing is compiled or captured"
    if facts.is_eager and name == "engine_init_compilation_s":
        return "eager mode: nothing is compiled"
    if name.startswith("stream_"):
        return f"load format {facts.load_format or 'unknown'} does not stream"
    if name == "weights_load_s" and facts.load_format in _NO_WEIGHT_LINE:
        return f"not logged with load format {facts.load_format}"
    if name == "weights_download_s" and facts.load_format == "dummy":
        return "load format dummy: there is nothing to download"
    return _by_cache(name, attempt) if name in _COMPILES else None


def _by_cache(name: str, attempt: Attempt) -> str | None:
    """What was compiled was not loaded, and what was loaded not compiled."""
    if name == "graph_compile_s" and attempt.has("cache_hit", "cache_hit_untimed"):
        return "the graphs came from the compile cache"
    if name == "graph_cache_load_s" and (untimed := attempt.marks.get("cache_hit_untimed")):
        return f"they came from the cache, without seconds (line {untimed[0].line})"
    if name == "graph_cache_load_s" and attempt.has("compiled"):
        return "the graphs were compiled, not loaded from the cache"
    if attempt.text.get("engine") == "V0":
        return "engine V0 compiles nothing unless it is asked to"
    if ahead := attempt.marks.get("cache_hit_aot"):
        return f"compiled ahead of time (line {ahead[0].line})"
    return None


def _by_platform(name: str, attempt: Attempt, facts: Facts) -> str | None:
    platform = facts.platform or ""
    if platform in _NO_LOAD_LINE and name in {"model_load_s", "model_load_size_gib"}:
        return f"not logged on {platform}"
    if platform in _GRAPHLESS and name.startswith(_OF_DEVICES):
        return f"{platform} captures no graphs" if "capture" in name else f"not on {platform}"
    if platform in _GRAPHLESS and name in {"kv_cache_available_gib", *_DEBUG_ONLY, *_COMPILES}:
        return f"not logged on {platform}"
    if name == "weights_download_s" and _since(attempt, "0.7.3") and not attempt.gaps:
        return "no download of more than 0.5 s: the weights were there"
    if name.startswith("kv_cache_") and "blocks" in name and "kv_cache_tokens" in attempt.readings:
        return "this version tells tokens instead of blocks"
    if name == "kv_cache_tokens" and "kv_cache_gpu_blocks" in attempt.readings:
        return "this version tells blocks instead of tokens"
    return None


def _by_version(name: str, attempt: Attempt, _: Facts) -> str | None:
    version = attempt.text.get("version")
    if version is None:
        return None
    if not _since(attempt, first := _FIRST[name]):
        return f"not logged by vLLM {version} (since {first})"
    last = _LAST[name]
    if last != _NEWEST and _VERSION.search(version) and _numbers(version)[:2] > _numbers(last)[:2]:
        return f"not logged by vLLM {version} (until {last})"
    return None


def _since(attempt: Attempt, first: str) -> bool:
    version = attempt.text.get("version")
    return version is None or _numbers(version) >= _numbers(first)


def _numbers(version: str) -> tuple[int, ...]:
    """The first three; what is not a version is as new as can be."""
    return tuple(int(one) for one in _VERSION.findall(version)[:3]) or (999,)


def _spans(name: str) -> list[tuple[str, str]]:
    rows = [row.versions for row in TABLE if f"{{{name}}}" in row.literal
            or f"{{{name}:" in row.literal]  # fmt: skip
    parted = (row.partition("..") for row in rows)
    return [(first, last) for first, dots, last in parted if dots] or [("0.6.0", _NEWEST)]


_FIRST = {name: min((one for one, _ in _spans(name)), key=_numbers) for name in NAMES}
_LAST = {name: max((one for _, one in _spans(name)), key=_numbers) for name in NAMES}
