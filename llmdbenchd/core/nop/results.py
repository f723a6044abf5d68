"""`result.yaml` in the field's shape of today, which its own converter reads.

What a log does not tell is null here, never zero; `absent` says why.
"""

from collections.abc import Sequence

from llmdbenchd.core.nop.absence import absences
from llmdbenchd.core.nop.attempt import Attempt, Reading
from llmdbenchd.core.nop.facts import facts_of
from llmdbenchd.core.nop.names import headline
from llmdbenchd.core.nop.order import Order
from llmdbenchd.core.nop.report import Json
from llmdbenchd.core.nop.sleeps import sleeps
from llmdbenchd.core.nop.stages import UNCATEGORIZED, Stage, categories, durations
from llmdbenchd.core.nop.story import Start, Story, titled

METRICS = {
    "dynamo_bytecode_transform": "dynamo_s",
    "torch_compile": "torch_compile_s",
}


def result(stories: Sequence[Story], order: Order, *, begun: float, ended: float) -> Json:
    """The whole document.

    Args:
        stories: of every container that tells of a start.
        order: what was asked for.
        begun: seconds since 1970.
        ended: likewise.
    """
    best = [story.best for story in stories if story.best]
    facts = [facts_of(start.attempt) for start in best]
    model = next((one.model for one in facts if one.model), order.asked.model)
    sleep = next((one.sleep_mode for one in facts if one.sleep_mode is not None), None)
    return {
        "version": "0.1",
        "scenario": {
            "deploy_methods": [order.asked.method or "endpoint"],
            "max_instances": len({story.pod for story in stories}),
            "load_format": next((one.load_format for one in facts if one.load_format), None)
            or order.load_format,
            "sleep_mode": order.sleep_mode if sleep is None else sleep,
            "model": {"name": model},
            "platform": {"engines": [_engine(story) for story in _newest(stories)]},
            "gpus": [gpu for story in _newest(stories) for gpu in story.gpus],
        },
        "vllm_metrics": [_metrics(name, story, start) for name, story, start in titled(stories)],
        "extra_metrics": [],
        "time": {"start": begun, "stop": ended, "duration": round(ended - begun, 3)},
    }


def value_of(attempt: Attempt, name: str) -> float | None:
    """The headline of a name; None where nothing tells it."""
    kept = attempt.readings.get(name)
    if not kept:
        return None
    return round(headline(name, [(one.process, one.value) for one in kept]), 9)


def _newest(stories: Sequence[Story]) -> list[Story]:
    """Each container once, as it was recorded last."""
    last = {story.name: story for story in stories if story.best}
    return list(last.values())


def _engine(story: Story) -> Json:
    best = story.best
    text = best.attempt.text if best else {}
    return {
        "name": story.image or story.container,
        "image": story.image,
        "version": text.get("version") or "unknown",
        "args": (facts_of(best.attempt).args if best else None) or {},
    }


def _metrics(name: str, story: Story, start: Start) -> Json:
    attempt = start.attempt
    load_s, size = value_of(attempt, "model_load_s"), value_of(attempt, "model_load_size_gib")
    life = next(
        (one for one in story.timeline.lives if one.restart == start.recorded.restart), None
    )
    total = next((one for one in durations(attempt) if one.title == "total"), None)
    stamps = [one.at for kept in attempt.marks.values() for one in kept if one.at is not None]
    found: Json = {
        "name": name,
        "pod_start": _since(story.timeline.ready_at, story.made_at),
        "container_start": _since(life.started_at if life else None, story.made_at),
        "vllm_start_timestamp": min(stamps, default=None),
        "vllm_ready_timestamp": total.end_at if total else None,
        "load": {
            "time": load_s,
            "size": size,
            "transfer_rate": round(size / load_s, 6) if load_s and size is not None else None,
        },
        **{key: value_of(attempt, own) for key, own in METRICS.items()},
        "memory_profiling": {
            "initial_free": value_of(attempt, "initial_free_gib"),
            "after_free": value_of(attempt, "free_after_profiling_gib"),
            "time": value_of(attempt, "memory_profiling_s"),
        },
        "sleep_wake": _sleep_wake(attempt),
        "categories": nested(categories(attempt)),
        "absent": absences(attempt, facts_of(attempt)),
    }
    for key, own in (
        ("load_cached_compiled_graph", "graph_cache_load_s"),
        ("compile_graph", "graph_compile_s"),
    ):
        if (value := value_of(attempt, own)) is not None:
            found[key] = value
    return found


def _since(end: float | None, begin: float | None) -> float | None:
    return None if end is None or begin is None else max(end - begin, 0.0)


def _sleep_wake(attempt: Attempt) -> list[Json]:
    at = {one.line: one.at for one in attempt.readings.get("sleep_s", ())}
    found: list[Json] = []
    for one in sleeps(attempt):
        found.append(
            {
                "type": "sleep",
                "timestamp": at.get(one.line),
                "time": one.seconds,
                "gpu_freed": one.sizes.get("sleep_freed_gib"),
                "gpu_in_use": one.sizes.get("sleep_in_use_gib"),
                "level": one.level,
            }
        )
        found += [_wake(wake) for wake in one.wakes]
    return found


def _wake(wake: Reading) -> Json:
    return {"type": "wake", "timestamp": wake.at, "time": wake.value}


def nested(stages: Sequence[Stage], parent: str = "") -> list[Json]:
    """Categories whose seconds are known, each with its parts."""
    found: list[Json] = []
    for stage in stages:
        if stage.parent != parent or stage.seconds is None or stage.title == UNCATEGORIZED:
            continue
        one: Json = {"title": stage.title, "elapsed": stage.seconds}
        if stage.process:
            one["process"] = {"name": stage.process, "pid": None}
        if parts := nested(stages, stage.title):
            one["categories"] = parts
        found.append(one)
    return found
