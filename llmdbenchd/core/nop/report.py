"""Starts as plain data: the shape that `llmdbenchd nop --json` prints, and tests pin."""

from llmdbenchd.core.nop.absence import absences
from llmdbenchd.core.nop.attempt import Attempt, Reading
from llmdbenchd.core.nop.facts import facts_of
from llmdbenchd.core.nop.failures import Cause
from llmdbenchd.core.nop.journal import Journal
from llmdbenchd.core.nop.names import NAMES, headline
from llmdbenchd.core.nop.sleeps import SIZES, Sleep, sleeps
from llmdbenchd.core.nop.stages import Stage, categories, durations
from llmdbenchd.core.nop.unprepared import unprepared

Json = dict[str, object]


def told(journal: Journal, lines: int) -> Json:
    """The whole log.

    Args:
        journal: of a recorder.
        lines: how many the log has.
    """
    chosen = headline_of(journal)
    return {
        "attempts": [attempt_told(one) for one in telling(journal)],
        "headline_attempt": chosen.number if chosen else None,
        "attempts_left_out": journal.left_out,
        "lines": lines,
        "time": {
            "source": journal.time,
            "zone_s": journal.calendar.zone_s if journal.calendar.zone_is_known else None,
            "year_is_known": journal.calendar.year_is_known,
        },
    }


def headline_of(journal: Journal) -> Attempt | None:
    """The start that a headline is of: the last that became ready, or else the last."""
    kept = telling(journal)
    ready = [one for one in kept if one.ready]
    return next(reversed(ready or kept), None)


def telling(journal: Journal) -> list[Attempt]:
    """The starts that the log tells something of."""
    return [one for one in journal.attempts if one.is_telling]


def attempt_told(attempt: Attempt) -> Json:
    """One start."""
    facts = facts_of(attempt)
    contract = {name: kept for name, kept in attempt.readings.items() if not NAMES[name].further}
    further = {name: kept for name, kept in attempt.readings.items() if NAMES[name].further}
    return {
        "attempt": attempt.number,
        "source": attempt.source or None,
        "first_line": attempt.first_line,
        "last_line": attempt.last_line,
        "vllm_version": attempt.text.get("version"),
        "engine": attempt.text.get("engine"),
        "model": facts.model,
        "platform": facts.platform,
        "load_format": facts.load_format,
        "sleep_mode": facts.sleep_mode,
        "eager": facts.is_eager,
        "args": facts.args,
        "ready": _ready(attempt),
        "failed": _failed(attempt),
        "stopped_line": attempt.stopped_line or None,
        "after_ready": [_cause(one) for one in attempt.troubles],
        "gaps": list(attempt.gaps),
        "values": _values(contract),
        "headline": _headlines(contract),
        "absent": absences(attempt, facts),
        "advice": unprepared(attempt),
        "categories": [_stage(one) for one in categories(attempt)],
        "durations": [_stage(one) for one in durations(attempt)],
        "sleeps": [_sleep(one) for one in sleeps(attempt)],
        "more": _values(further),
        "left_out": dict(attempt.left_out),
    }


def _values(kept: dict[str, list[Reading]]) -> Json:
    return {
        name: [
            {
                "value": _number(one),
                "unit": NAMES[name].unit,
                "line": one.line,
                "process": one.process.title if one.process else None,
                "pid": one.process.pid or None if one.process else None,
                "rank": one.process.rank if one.process else None,
                "tag": one.tag or None,
            }
            for one in readings
        ]
        for name, readings in kept.items()
    }


def _headlines(kept: dict[str, list[Reading]]) -> dict[str, float]:
    return {
        name: _whole(name, headline(name, [(one.process, one.value) for one in readings]))
        for name, readings in kept.items()
    }


def _number(reading: Reading) -> float:
    return _whole(reading.name, reading.value)


def _whole(name: str, value: float) -> float:
    """Counts are whole numbers."""
    return int(value) if NAMES[name].unit in {"tokens", "blocks"} else round(value, 9)


def _ready(attempt: Attempt) -> Json | None:
    if attempt.ready is None:
        return None
    return {"line": attempt.ready.line, "by": attempt.ready.by}


def _failed(attempt: Attempt) -> Json | None:
    failed = attempt.failed
    if failed is None:
        return None
    return {
        "line": failed.line,
        "process": failed.process.title if failed.process else None,
        "reason": failed.reason,
        "reason_line": failed.reason_line or None,
    }


def _cause(cause: Cause) -> Json:
    process = cause.process.title if cause.process else None
    return {"line": cause.line, "process": process, "reason": cause.text}


def _sleep(sleep: Sleep) -> Json:
    return {
        "line": sleep.line,
        "seconds": sleep.seconds,
        "level": sleep.level,
        "level_by": sleep.level_by,
        **{name: sleep.sizes.get(name) for name in SIZES},
        "wakes": [
            {"line": one.line, "seconds": one.value, "tags": one.tag or None} for one in sleep.wakes
        ],
    }


def _stage(stage: Stage) -> Json:
    return {
        "title": stage.title,
        "process": stage.process or None,
        "start_line": stage.start_line,
        "end_line": stage.end_line,
        "seconds": stage.seconds,
        "source": "logged" if stage.is_logged else "stamps",
        "within_s": stage.within_s,
        "begin_s": None if stage.begin_at is None else round(stage.begin_at, 6),
        "parent": stage.parent or None,
    }
