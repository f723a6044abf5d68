"""What may be learnt about a run between two looks, each a function from record to record.

A fact that comes too late (its phase or attempt is over) changes nothing: the
same fact may be told twice, or after a restart, without harm.
"""

from dataclasses import replace

from llmdbenchd.core.run.limits import backoff_s
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Collected, Failure, Found, Record, Target, Waiting

LOOP = 2  # one restart may be an accident


def resolved(record: Record, target: Target) -> Record:
    """The target is known and the workload rendered."""
    if record.phase is not Phase.RESOLVING:
        return record
    return replace(record, target=target)


def refused(record: Record, detail: str) -> Record:
    """What the run asks for will never be possible; `detail` says what and why."""
    if record.phase not in {Phase.RESOLVING, Phase.LAUNCHING}:
        return record
    return _failed(record, "refused", detail)


def not_yet(
    record: Record, reason: str, patience_s: float, now: Moment, restarts: int | None = None
) -> Record:
    """The target is there and does not serve yet: a wait of its own name, asked again and again.

    Only an answer ends the patience. While nobody can say, it is not held against the target.
    A server that is restarted again and again while we wait ends it early.
    """
    if record.phase is not Phase.RESOLVING:
        return record
    waiting = record.waiting or Waiting("target", now.after(patience_s))
    if waiting.restarts is None:
        waiting = replace(waiting, restarts=restarts)
    more = (restarts or 0) - (waiting.restarts or 0)
    if more >= LOOP:
        detail = f"a server was restarted {more} times while it was waited for: {reason}"
        return _failed(record, "target", detail)
    if now.reached(waiting.until):
        detail = f"not ready after {patience_s:g} s; last seen: {reason}"
        return _failed(record, "timeout:target", detail)
    later = delayed(record, Phase.RESOLVING, reason, now)
    return replace(later, waiting=waiting)


def released(record: Record, attempt: int) -> Record:
    """The attempt's launchers were told to begin."""
    return replace(record, held=False) if record.attempt == attempt else record


def not_released(record: Record, attempt: int, detail: str) -> Record:
    """The attempt's launchers can never be told to begin; `detail` says why."""
    if not record.held or record.attempt != attempt:
        return record
    return _failed(record, "refused", detail)


def log_done(record: Record, attempt: int, index: int) -> Record:
    """The log of launcher `index` is home to its last byte."""
    if record.attempt != attempt or index in record.logs_done:
        return record
    return replace(record, logs_done=tuple(sorted({*record.logs_done, index})))


def servers_followed(record: Record, attempt: int, lacking: str) -> Record:
    """The servers' logs of the attempt are here; `lacking` says what they lack, or is empty."""
    if record.attempt != attempt or record.servers is not None:
        return record
    return replace(record, servers=lacking)


def collected(record: Record, attempt: int, what: Collected | None, gone: str = "") -> Record:
    """All results of the attempt that can be had are home and proven.

    `what` came, or is None where nothing could; `gone` says why the others never will.
    """
    if record.phase is not Phase.COLLECTING or record.attempt != attempt:
        return record
    return replace(record, collected=what, gone=gone)


def gathered(record: Record, what: Collected, found: tuple[Found, ...], missing: str) -> Record:
    """What lay on the claim is home and proven; `missing` says why nothing is, or is empty."""
    if record.phase is not Phase.COLLECTING or record.found is None:
        return record
    home = replace(record, collected=what, found=found)
    return _failed(home, "no results", missing) if missing else home


def sealed(record: Record) -> Record:
    """The archive is sealed and visible."""
    if record.phase is not Phase.REPORTING:
        return record
    return replace(record, sealed=True)


def delayed(record: Record, phase: Phase, error: str, now: Moment) -> Record:
    """The long work of `phase` failed for now; it is tried again after a back-off."""
    if record.phase is not phase:
        return record
    tries = record.tries + 1
    wait_until = now.after(backoff_s(tries))
    return replace(record, tries=tries, last_error=error, wait_until=wait_until)


def cancel_asked(record: Record, request: str = "") -> Record:
    """Somebody asked to cancel; another request means: without collecting.

    The same request, told again after a restart, is not a second one.
    """
    if record.phase.is_over or (request and request == record.cancel_request):
        return record
    return replace(record, cancels=record.cancels + 1, cancel_request=request)


def job_ended(record: Record, detail: str) -> Record:
    """Another run of the job failed, and the job file says that this ends the job."""
    if record.phase.is_final or record.cancels or record.failure is not None:
        return record
    return replace(_failed(record, "job ended", detail), cancels=1)


def collect_asked(record: Record) -> Record:
    """Somebody wants a run back that was left running."""
    if record.phase is not Phase.LEFT:
        return record
    return replace(record, collect_asked=True)


def _failed(record: Record, kind: str, detail: str) -> Record:
    if record.failure is not None:
        return record
    return replace(record, failure=Failure(kind, detail))
