"""`timeline.json`: every start with its bars, its memory and its sleeps, for machines to draw."""

from collections.abc import Sequence
from dataclasses import asdict

from llmdbenchd.core.nop.facts import facts_of
from llmdbenchd.core.nop.report import Json, attempt_told
from llmdbenchd.core.nop.results import value_of
from llmdbenchd.core.nop.story import Start, Story, ending, titled

MEMORY = (
    ("model", "model_load_size_gib"),
    ("KV cache", "kv_cache_available_gib"),
    ("graphs", "graph_capture_gib"),
)


def chart(stories: Sequence[Story]) -> Json:
    """All starts.

    Returns:
        `starts`: one object for each start, with `bars` (seconds from the pod's making, where
        that is known, else from the first bar), `memory` and `cycles`.
    """
    return {
        "starts": [_start(name, story, start) for name, story, start in titled(stories)],
        "servers": [_server(story) for story in stories],
    }


def _start(name: str, story: Story, start: Start) -> Json:
    attempt = start.attempt
    return {
        "name": name,
        "recording": story.number,
        "is_cold": story.is_cold,
        "restart": start.recorded.restart,
        "log": start.log,
        "load_format": facts_of(attempt).load_format,
        "ending": ending(start),
        "bars": _bars(story, start),
        "memory": {
            title: value for title, own in MEMORY if (value := value_of(attempt, own)) is not None
        },
        "told": attempt_told(attempt),
    }


def _bars(story: Story, start: Start) -> list[Json]:
    """Of the pod before its first start, and of this life."""
    restart = start.recorded.restart
    steps = [
        one
        for one in story.timeline.steps
        if one.restart == restart or (one.restart is None and restart == 0)
    ]
    begins = [one.begin_at for one in steps if one.begin_at is not None]
    zero = min(begins, default=0.0)
    return [
        {
            "title": one.title,
            "begin_s": None if one.begin_at is None else round(one.begin_at - zero, 3),
            "seconds": None if one.seconds is None else round(one.seconds, 6),
            "within_s": one.within_s,
            "source": one.source,
            "detail": one.detail,
        }
        for one in steps
    ]


def _server(story: Story) -> Json:
    timeline = story.timeline
    return {
        "name": story.name,
        "recording": story.number,
        "image": story.image,
        "verdict": "gone" if story.is_gone else timeline.verdict.value,
        "reason": "the pod was deleted" if story.is_gone else timeline.reason,
        "restarts": timeline.restarts,
        "lives": [asdict(one) for one in timeline.lives],
        "lives_without_log": list(timeline.gaps),
        "gaps": list(story.gaps),
        "noted": [asdict(one) for one in timeline.noted],
        "ready_at": timeline.ready_at,
        "cycles": [asdict(one) for one in story.cycles],
    }
