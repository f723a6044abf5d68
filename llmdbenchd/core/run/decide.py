"""The one place that decides what happens to a run next.

`decide` is a function of its arguments alone. It may be called at any time,
twice in a row, or after a crash, and it always answers from the whole state
rather than from the event that woke us. It moves only along `phase.NEXT`.

This module leads a run to its launchers and away from them; what happens once
they have ended (collecting, judging, reporting, cleaning) is in `finish`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import assert_never

from llmdbenchd.core.run import finish
from llmdbenchd.core.run.actions import CreateLauncher, StopLauncher
from llmdbenchd.core.run.decision import Decision, wait
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.lost import is_lost, lost, refusal_noted
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import End, Failure, Record, Waiting
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Pending, Running, Sight, Unknown

STALE_S = 30.0  # a run that has its turn looks again at a target that it looked up earlier


@dataclass(frozen=True, slots=True)
class Look:
    """Everything there is to know when a run is looked at.

    Attributes:
        sights: what was last seen of launchers 1 to N of the record's attempt.
        turn: whether it is this run's turn (to be resolved, or to be launched).
        refused: what the place of its launchers says to each look, if that is no; None: it
            does not answer.
    """

    sights: Sequence[Sight]
    now: Moment
    limits: Limits
    turn: bool = False
    refused: str | None = ""


def decide(record: Record, look: Look) -> Decision:
    """Say what to do about one run, given what we know and what we saw."""
    match record.phase:
        case Phase.QUEUED:
            return _queued(record, look)
        case Phase.RESOLVING:
            return _resolving(record, look)
        case Phase.READY:
            return _ready(record, look)
        case Phase.LAUNCHING | Phase.RUNNING | Phase.LEFT:
            return _with_launchers(_noted(record, look.sights), look)
        case Phase.COLLECTING:
            return finish.collecting(record, look.sights, look.now, look.limits)
        case Phase.REPORTING:
            return finish.reporting(record, look.now, look.limits)
        case Phase.CLEANING:
            return finish.cleaning(record, look.sights, look.now)
        case Phase.SUCCEEDED | Phase.FAILED | Phase.CANCELLED:
            return Decision(record)
        case _:
            assert_never(record.phase)


def settle(record: Record, look: Look) -> Decision:
    """Decide again and again until the world or the clock must move first."""
    decision = decide(record, look)
    while not decision.actions and decision.record != record:
        record = decision.record
        decision = decide(record, look)
    return decision


def _queued(record: Record, look: Look) -> Decision:
    if record.cancels:
        return _to_collecting(record, look)
    if not look.turn or not _may_begin(record, look.now):
        return wait(record, look.now, record.wait_until)
    if not look.limits.skip_run:
        return Decision(record.enter(Phase.RESOLVING, look.now))
    return _to_collecting(record if look.limits.dry_run else replace(record, found=()), look)


def _resolving(record: Record, look: Look) -> Decision:
    if record.cancels or record.failure is not None:
        return _to_collecting(record, look)
    if record.target is None:
        return wait(record, look.now, record.wait_until)
    if look.limits.dry_run:
        return _to_collecting(record, look)
    return Decision(record.enter(Phase.READY, look.now))


def _ready(record: Record, look: Look) -> Decision:
    if record.cancels:
        return _to_collecting(record, look)
    if not look.turn or not _may_begin(record, look.now):
        return wait(record, look.now, record.wait_until)
    if _is_stale(record, look.now):
        again = replace(record, target=None)
        return Decision(again.enter(Phase.RESOLVING, look.now))
    launching = record.enter(Phase.LAUNCHING, look.now, patience_s=look.limits.start_s)
    return Decision(replace(launching, unmade=True, held=look.limits.held))


def _with_launchers(record: Record, look: Look) -> Decision:
    if record.phase is not Phase.LEFT or record.cancels or record.collect_asked:
        record = refusal_noted(record, look.refused, look.now, look.limits)
    if is_lost(record, look.refused, look.now):
        return _to_collecting(lost(record, look.refused, look.limits), look)
    match record.phase:
        case Phase.LAUNCHING:
            return _launching(record, look)
        case Phase.RUNNING:
            return _running(record, look)
        case _:
            return _left(record, look)


def _launching(record: Record, look: Look) -> Decision:
    record = _bad_launcher_noted(record, look)
    if record.cancels or record.failure is not None:
        return _ending(record, look)
    if all(isinstance(sight, Running | Ended) for sight in look.sights):
        if look.limits.run_s:
            return Decision(record.enter(Phase.RUNNING, look.now, patience_s=look.limits.run_s))
        if not record.held:  # otherwise nobody would ever let them begin
            return Decision(record.enter(Phase.LEFT, look.now))
    record = _waiting_noted(record, look)
    if _out_of_patience(record, look):
        name, patience = ("start", look.limits.start_s)
        if record.waiting is not None:
            name, patience = record.waiting.name, _patience(record.waiting.name, look)
        return Decision(_timed_out(record, look, name, patience))
    creates = tuple(
        CreateLauncher(index)
        for index, sight in enumerate(look.sights, start=1)
        if isinstance(sight, Absent) and index not in record.seen
    )
    wake_at = wait(record, look.now, _until(record), record.lost_at).wake_at
    return Decision(replace(record, unmade=record.unmade and not creates), creates, wake_at)


def _running(record: Record, look: Look) -> Decision:
    record = _bad_launcher_noted(record, look)
    if record.cancels or record.failure is not None:
        return _ending(record, look)
    if _all_ended(record, look):
        return _to_collecting(record, look)
    if _out_of_patience(record, look):
        return Decision(_timed_out(record, look, "run", look.limits.run_s))
    return wait(record, look.now, record.deadline, record.lost_at)


def _left(record: Record, look: Look) -> Decision:
    if record.cancels:
        return _ending(record, look)
    if record.collect_asked and _all_ended(record, look):
        return _to_collecting(record, look)
    return wait(record, look.now, record.lost_at)


def _ending(record: Record, look: Look) -> Decision:
    """End what still runs; collect when every launcher is known to have ended."""
    if record.made_nothing:  # there is nothing to look for
        return _to_collecting(record, look)
    alive = [
        index
        for index, sight in enumerate(look.sights, start=1)
        if isinstance(sight, Pending | Running)
    ]
    if alive and (record.stopping is None or look.now.reached(record.stopping)):
        again = look.now.after(look.limits.stop_s)
        stops = tuple(StopLauncher(index) for index in alive)
        return Decision(replace(record, stopping=again), stops, wake_at=again)
    if alive or any(isinstance(sight, Unknown) for sight in look.sights):
        return wait(record, look.now, record.stopping, record.lost_at)
    return _to_collecting(record, look)


def _to_collecting(record: Record, look: Look) -> Decision:
    patience = look.limits.collect_s
    return Decision(record.enter(Phase.COLLECTING, look.now, patience_s=patience))


def _noted(record: Record, sights: Sequence[Sight]) -> Record:
    """Keep what was seen: which launchers exist, which run, how they ended, which vanished."""
    seen, ran, ends = set(record.seen), set(record.ran), list(record.ends)
    for index, sight in enumerate(sights, start=1):
        match sight:
            case Ended() if record.ended(index) is None:
                ends.append(End(index, sight))
            case Absent() if index in seen and record.ended(index) is None:
                ends.append(End(index, _vanished(record, index)))
            case Running() if record.phase is Phase.LAUNCHING:  # later all are known to have run
                ran.add(index)
        if isinstance(sight, Pending | Running | Ended):
            seen.add(index)
    return replace(record, seen=tuple(sorted(seen)), ran=tuple(sorted(ran)), ends=tuple(ends))


def _vanished(record: Record, index: int) -> Ended:
    """A pod that we deleted takes its last state with it; we may not have been there to see.

    One that was still waiting when we deleted it has not begun.
    """
    if record.stopping is not None:
        began = index in record.ran or record.phase is not Phase.LAUNCHING
        return Ended(Cause.STOPPED, detail="gone after we asked it to end", began=began)
    return Ended(Cause.LOST, detail="it vanished; not removed by us")


def _bad_launcher_noted(record: Record, look: Look) -> Record:
    """The first launcher that ended badly ends the attempt, unless the others may go on."""
    if record.failure is not None or record.cancels:
        return record
    bad = finish.bad_launcher(record, look.limits)
    if bad and not look.limits.keep_going:
        return replace(record, failure=Failure("launcher", bad))
    stuck = _hopeless(look)
    return replace(record, failure=Failure("launcher", stuck)) if stuck else record


def _hopeless(look: Look) -> str:
    """A sentence about the first launcher that will not start, or empty."""
    for index, sight in enumerate(look.sights, start=1):
        if isinstance(sight, Pending) and sight.hopeless:
            return f"launcher {index} of {look.limits.launchers} cannot start: {sight.reason}"
    return ""


def _waiting_noted(record: Record, look: Look) -> Record:
    """Start, keep or end the patience with a wait that has a time-out of its own.

    While it goes on, the patience with the start stands still; afterwards it begins anew.
    """
    if any(isinstance(sight, Unknown) for sight in look.sights):
        return record  # whoever does not see cannot say that the wait is over
    waits = [sight.waits for sight in look.sights if isinstance(sight, Pending) and sight.waits]
    name = min(waits, default="")  # a claim is waited for before an image
    if record.waiting is not None and record.waiting.name == name:
        return record
    until = look.now.after(_patience(name, look))
    if name:
        return replace(record, waiting=Waiting(name, until))
    return replace(record, waiting=None, deadline=until) if record.waiting else record


def _patience(name: str, look: Look) -> float:
    return {"bind": look.limits.bind_s, "pull": look.limits.pull_s}.get(name, look.limits.start_s)


def _out_of_patience(record: Record, look: Look) -> bool:
    """A deadline that passes while we cannot see is not held against anybody."""
    blind = any(isinstance(sight, Unknown) for sight in look.sights)
    return look.now.reached(_until(record)) and not blind


def _until(record: Record) -> Moment | None:
    """When patience ends: with a wait of its own name, or with the phase."""
    return record.waiting.until if record.waiting is not None else record.deadline


def _timed_out(record: Record, look: Look, name: str, patience_s: float) -> Record:
    seen = "; ".join(_last_seen(index, sight) for index, sight in enumerate(look.sights, 1))
    detail = f"not done after {patience_s:g} s; last seen: {seen}"
    return replace(record, failure=Failure(f"timeout:{name}", detail))


def _last_seen(index: int, sight: Sight) -> str:
    word = type(sight).__name__
    reason = sight.reason if isinstance(sight, Pending) and sight.reason else ""
    return f"launcher {index} {word}{f' ({reason})' if reason else ''}"


def _all_ended(record: Record, look: Look) -> bool:
    return all(record.ended(index) is not None for index in range(1, look.limits.launchers + 1))


def _is_stale(record: Record, now: Moment) -> bool:
    """Whether the pods behind the target may have changed since they were looked up."""
    if record.target is None or not record.target.found:
        return False
    found = [
        after.at
        for before, after in pairwise(record.history)
        if (before.phase, after.phase) == (Phase.RESOLVING, Phase.READY)
    ]
    return bool(found) and (now.utc - found[-1]).total_seconds() > STALE_S


def _may_begin(record: Record, now: Moment) -> bool:
    return record.wait_until is None or now.reached(record.wait_until)
