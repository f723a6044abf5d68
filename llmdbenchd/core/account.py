"""What a record has to tell when its archive is sealed: `run.json`'s facts and the events."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from llmdbenchd.core.job.accepted import AcceptedJob
from llmdbenchd.core.job.attempt import Attempt
from llmdbenchd.core.results.document import (
    Analysis,
    LauncherFacts,
    LogFacts,
    PastAttempt,
    RunFacts,
    ServerFacts,
    ServerLog,
)
from llmdbenchd.core.results.metrics import Metrics
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import End, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the evidence itself says, read when the archive is made.

    Attributes:
        metrics: of all launchers together, or None.
        reports, report_problems, report_notes: what became of the standard reports.
        analysis: what became of the analysis on this machine; None where none was asked for.
        logs: what there is of each launcher's log, by index.
        servers: what there is of the servers' logs.
        server_logs: of each log of a model server, by its path in the archive.
        finished: when the archive was made.
    """

    metrics: Metrics | None = None
    reports: tuple[str, ...] = ()
    report_problems: tuple[str, ...] = ()
    report_notes: tuple[str, ...] = ()
    analysis: Analysis | None = None
    logs: Mapping[int, LogFacts]
    servers: tuple[ServerLog, ...] = ()
    server_logs: Mapping[str, LogFacts] = field(default_factory=dict)
    finished: datetime


def run_facts(
    record: Record, accepted: AcceptedJob, attempt: Attempt, measured: Measured
) -> RunFacts:
    """All that `run.json` says about a run that was judged."""
    cell, verdict, got = attempt.cell, record.verdict, record.collected
    return RunFacts(
        job=record.job,
        run=record.run,
        phase=verdict.outcome if verdict else record.phase,
        kind=verdict.kind if verdict else "",
        reason=verdict.reason if verdict else "",
        attempt=record.attempt,
        harness=accepted.spec.harness.name,
        model=cell.model,
        method=cell.method,
        treatment=cell.treatment,
        repetition=cell.repetition,
        endpoint=record.target.endpoint if record.target else "",
        experiment_id=next(iter(record.loads)) if len(record.loads) == 1 else attempt.experiment,
        queued=record.submitted,
        started=entered(record, Phase.LAUNCHING),
        finished=measured.finished,
        launchers=_launchers(record.ends, measured.logs),
        metrics=measured.metrics,
        reports=measured.reports,
        report_problems=measured.report_problems,
        report_notes=measured.report_notes,
        analysis=measured.analysis,
        files=got.files if got else None,
        size=got.size if got else None,
        manifest=got.manifest if got else "",
        servers=_servers(record, accepted, measured.servers),
        server_logs=measured.server_logs,
        notes=tuple(_notes(record)),
        past=tuple(
            PastAttempt(
                past.attempt,
                past.verdict.outcome,
                past.verdict.kind,
                past.verdict.reason,
                _launchers(past.ends, {}),
            )
            for past in record.past
        ),
    )


def _servers(
    record: Record, accepted: AcceptedJob, logs: tuple[ServerLog, ...]
) -> ServerFacts | None:
    if not accepted.limits.follow_servers or record.launched is None:
        return None
    unfinished = "the run did not wait until they were read to the end"
    return ServerFacts(unfinished if record.servers is None else record.servers, logs)


def _notes(record: Record) -> Iterator[str]:
    if record.uncollected:
        yield record.uncollected
    if record.gone:
        yield record.gone
    if record.servers:
        yield f"the servers' logs: {record.servers}"
    yield from _found(record)


def _found(record: Record) -> Iterator[str]:
    """What each folder was called on the claim, and who proves that it is whole."""
    for index, one in enumerate(record.found or (), start=1):
        proof = {"launcher": "proven by the launcher's manifest"}.get(
            one.manifest, "without a whole manifest: hashed when it was collected"
        )
        yield f"results/{index} is {one.folder}: {one.files} files, {one.size} bytes, {proof}"
    if len(record.loads) > 1:
        yield f"the figures of {len(record.loads)} loads are not put together: see reports/"


def events(record: Record) -> bytes:
    """The run's history as JSON lines: one for each phase that it came into."""
    lines = [
        {"at": record.submitted.isoformat(), "event": "run.queued", "attempt": 1},
        *(
            {
                "at": step.at.isoformat(),
                "event": "run.moved",
                "now": step.phase,
                "attempt": step.attempt,
            }
            for step in record.history
        ),
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def entered(record: Record, phase: Phase, *, attempt: int | None = None) -> datetime | None:
    """When the run first came into `phase` (in the given attempt), or None."""
    return next(
        (
            step.at
            for step in record.history
            if step.phase is phase and attempt in {None, step.attempt}
        ),
        None,
    )


def _launchers(ends: tuple[End, ...], logs: Mapping[int, LogFacts]) -> tuple[LauncherFacts, ...]:
    return tuple(
        LauncherFacts(
            end.index,
            end.how.cause,
            end.how.code,
            end.how.signal,
            end.how.detail,
            logs[end.index].size if end.index in logs else None,
            logs[end.index].gaps if end.index in logs else (),
        )
        for end in sorted(ends, key=lambda end: end.index)
    )
