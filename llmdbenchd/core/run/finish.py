"""Decisions after the load: collecting, judging, retrying, reporting, cleaning.

Two rules hold here. Nothing is removed before its evidence is home. And a repair
of a later phase never repeats an earlier one: only a new attempt runs the load again.
"""

from collections.abc import Sequence
from dataclasses import replace

from llmdbenchd.core.results.verdict import Evidence, Outcome, Verdict, judge, judge_found
from llmdbenchd.core.run.actions import RemoveLauncher
from llmdbenchd.core.run.decision import Decision, wait
from llmdbenchd.core.run.limits import Limits, backoff_s
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Found, Past, Record
from llmdbenchd.core.run.sight import Absent, Sight, Unknown
from llmdbenchd.core.run.wanted import awaits_servers

REMOVE_AGAIN_S = 5.0  # between two requests to remove the same launcher
NEVER_RETRIED = frozenset({"refused", "job ended", "lost"})  # who is lost may still run


def collecting(record: Record, sights: Sequence[Sight], now: Moment, limits: Limits) -> Decision:
    """Wait until the evidence is home (or given up); then judge, and retry or report."""
    if not _is_home(record):
        record = _given_up(record, now, limits)
        if not record.uncollected:
            return wait(record, now, record.deadline, record.wait_until)
    if limits.follow_servers and awaits_servers(record) and not now.reached(record.deadline):
        return wait(record, now, record.deadline)
    verdict = _verdict(record, limits)
    if not _retried(record, verdict, limits):
        reporting_record = record.enter(Phase.REPORTING, now)
        return Decision(replace(reporting_record, verdict=verdict))
    gone = removed(record, sights, now)
    return gone if gone is not None else Decision(_next_attempt(record, verdict, now, limits))


def reporting(record: Record, now: Moment, limits: Limits) -> Decision:
    """Wait until the archive is sealed; there is no giving up on that."""
    if not record.sealed:
        return wait(record, now, record.wait_until)
    return Decision(record.enter(Phase.CLEANING, now, patience_s=limits.clean_s))


def cleaning(record: Record, sights: Sequence[Sight], now: Moment) -> Decision:
    """Remove the launchers, or say what is left behind and why."""
    if record.seen and record.uncollected:
        return _final(record, now, left=f"launchers kept: {record.uncollected}")
    gone = None if record.made_nothing else removed(record, sights, now)
    if gone is None:
        return _final(record, now, left="")
    if now.reached(record.deadline):
        return _final(record, now, left="launchers could not be removed in time")
    return gone


def removed(record: Record, sights: Sequence[Sight], now: Moment) -> Decision | None:
    """Ask for all launchers to be gone; None when each is confirmed `Absent`."""
    if all(isinstance(sight, Absent) for sight in sights):
        return None
    again = now.after(REMOVE_AGAIN_S)
    removes = tuple(
        RemoveLauncher(index)
        for index, sight in enumerate(sights, start=1)
        if not isinstance(sight, Absent | Unknown)
    )
    return Decision(record, removes, wake_at=again)


def bad_launcher(record: Record, limits: Limits) -> str:
    """A sentence about the first launcher that ended badly, or empty."""
    first = next((end for end in record.ends if not end.how.ok), None)
    if first is None:
        return ""
    how = first.how
    told = how.detail or (f"exit code {how.code}" if how.code is not None else how.cause.value)
    return f"launcher {first.index} of {limits.launchers} {how.cause}: {told}"


def _is_home(record: Record) -> bool:
    if record.found is not None:
        return record.collected is not None
    has_results = record.collected is not None or bool(record.gone) or not record.begun
    return has_results and set(record.seen) <= set(record.logs_done)


def _given_up(record: Record, now: Moment, limits: Limits) -> Record:
    """Say why nobody waits for the evidence any longer, if that is so."""
    if record.cancels > 1:
        return replace(record, uncollected="collecting skipped by a second cancel")
    if not now.reached(record.deadline):
        return record
    last = record.last_error or (
        "a log is not complete" if record.collected else "no complete copy yet"
    )
    return replace(record, uncollected=f"timeout:collect after {limits.collect_s:g} s: {last}")


def _verdict(record: Record, limits: Limits) -> Verdict:
    if record.cancels:
        kind = record.failure.kind if record.failure else "cancelled"
        detail = record.failure.detail if record.failure else "cancelled on request"
        return Verdict(Outcome.CANCELLED, kind, detail)
    if record.failure is not None:
        return Verdict(Outcome.FAILED, record.failure.kind, record.failure.detail)
    if limits.dry_run:
        return Verdict(Outcome.SUCCEEDED, "dry run", "planned; nothing was launched")
    got = record.collected
    evidence = Evidence(
        bad_launcher=bad_launcher(record, limits),
        native_files=got.native_files if got else 0,
        requests=got.requests if got else None,
        failures=got.failures if got else None,
        uncollected=record.uncollected or record.gone,
        sends_load=limits.sends_load,
    )
    if record.found is not None:
        return judge_found(evidence, limits.fail_above, told=_told(record.found))
    return judge(evidence, limits.fail_above)


def _told(found: Sequence[Found]) -> str:
    """How many folders came home, and who proves that they are whole."""
    late = sum(one.manifest != "launcher" for one in found)
    proven = len(found) - late
    folders = f"{len(found)} folder{'s' * (len(found) != 1)} collected"
    return f"{folders}: {proven} proven by the launcher's manifest, {late} without a whole one"


def _retried(record: Record, verdict: Verdict, limits: Limits) -> bool:
    return (
        verdict.outcome is Outcome.FAILED
        and record.found is None
        and record.attempt < limits.attempts
        and not record.uncollected
        and verdict.kind not in NEVER_RETRIED
    )


def _next_attempt(record: Record, verdict: Verdict, now: Moment, limits: Limits) -> Record:
    delay = backoff_s(record.attempt, first=limits.retry_delay_s, most=3600)
    again = Record(
        job=record.job,
        run=record.run,
        submitted=record.submitted,
        since=now.utc,
        phase=record.phase,
        priority=record.priority,
        stop_on_error=record.stop_on_error,
        attempt=record.attempt + 1,
        target=record.target,
        past=(*record.past, Past(record.attempt, verdict, record.ends)),
        history=record.history,
    )
    return replace(again.enter(Phase.READY, now), wait_until=now.after(delay))


def _final(record: Record, now: Moment, *, left: str) -> Decision:
    verdict = record.verdict
    if verdict is None:
        raise AssertionError(f"{record.key}: cleaning without a verdict")
    done = record.enter(Phase(verdict.outcome.value), now)
    return Decision(replace(done, left_behind=left))
