"""Sleeps, one by one: how deep, what was freed, how long, and what woke the server again."""

from dataclasses import dataclass

from llmdbenchd.core.nop.attempt import Attempt, Reading

SIZES = ("sleep_freed_gib", "sleep_in_use_gib", "sleep_backed_up_gib", "sleep_discarded_gib")
"""What a sleep may tell, in GiB."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """One sleep.

    Attributes:
        line: that says how long falling asleep took.
        level: 1 backs weights up, 2 discards them; None where nothing tells.
        level_by: what tells the level.
        sizes: GiB by name, of all ranks together, as far as they are told.
        wakes: what woke it afterwards, by tags, in order.
    """

    line: int
    seconds: float
    level: int | None
    level_by: str
    sizes: dict[str, float]
    wakes: tuple[Reading, ...]


def sleeps(attempt: Attempt) -> list[Sleep]:
    """All sleeps of a start whose seconds are told; a second call while asleep is none."""
    ends = attempt.readings.get("sleep_s", [])
    found = []
    for place, end in enumerate(ends):
        after = ends[place - 1].line if place else 0
        before = ends[place + 1].line if place + 1 < len(ends) else None
        sizes = {
            name: round(sum(one.value for one in kept), 9)
            for name in SIZES
            if (kept := _between(attempt, name, after, end.line))
        }
        level, by = _level(attempt, sizes, after, end.line)
        wakes = _between(attempt, "wake_s", end.line, before)
        found.append(Sleep(end.line, end.value, level, by, sizes, tuple(wakes)))
    return found


def _between(attempt: Attempt, name: str, after: int, until: int | None) -> list[Reading]:
    return [
        one
        for one in attempt.readings.get(name, ())
        if one.line > after and (until is None or one.line <= until)
    ]


def _level(
    attempt: Attempt, sizes: dict[str, float], after: int, until: int
) -> tuple[int | None, str]:
    """As it was asked for, or by what was backed up; freeing nothing tells nothing."""
    for mark in attempt.marks.get("sleep_asked", ()):
        if after < mark.line <= until and mark.word.isdecimal():
            return int(mark.word), f"asked for (line {mark.line})"
    backed_up = sizes.get("sleep_backed_up_gib")
    if backed_up is None or backed_up + sizes.get("sleep_discarded_gib", 0.0) <= 0:
        return None, "nothing tells the level"
    if backed_up > 0:
        return 1, "weights were backed up"
    return 2, "nothing was backed up"
