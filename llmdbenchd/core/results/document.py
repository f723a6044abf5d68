"""`run.json`: all that the daemon knows about a finished run, and its row in `results --json`.

Versioned: a reader takes its own version and older ones, and refuses newer ones by name.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from llmdbenchd.core.results.metrics import SPREADS, Metrics

VERSION = 1


@dataclass(frozen=True, slots=True)
class LogGap:
    """Lines of a log that may be missing: between two times, as the cluster writes them.

    Attributes:
        before: None when nothing followed.
        why: how they came to be missing.
        filled: how many lines were put there from `source`, the launcher's own copies; None
            when they are missing still.
    """

    after: str
    before: str | None
    why: str = ""
    filled: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class LogFacts:
    """One followed log: its length in bytes, and where lines of it may be missing."""

    size: int
    gaps: tuple[LogGap, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerLog:
    """The log of one life of a container of a server, beside the load.

    Attributes:
        restart: which life of the container, from 0.
        file: its place in the archive.
        bytes: its length there, stamps included.
        begins: where it begins, as its first line says; None: with the life's first line.
        gaps: where lines of it may be missing.
    """

    pod: str
    container: str
    restart: int
    file: str
    bytes: int
    begins: str | None = None
    gaps: tuple[LogGap, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What was recorded of the servers (`follow_servers`); it never decides a verdict.

    Attributes:
        lacking: what may be missing beside the gaps, and why; empty: nothing.
    """

    lacking: str
    logs: tuple[ServerLog, ...] = ()


@dataclass(frozen=True, slots=True)
class LauncherFacts:
    """How one launcher ended.

    Attributes:
        index: from 1.
        cause: a value of `core.run.sight.Cause`, or empty when it never ran.
        code: exit code, or None; `signal` likewise.
        detail: one sentence, or empty.
        log_bytes: length of its log in the archive, or None when there is none.
        log_gaps: where lines of that log may be missing.
    """

    index: int
    cause: str
    code: int | None = None
    signal: int | None = None
    detail: str = ""
    log_bytes: int | None = None
    log_gaps: tuple[LogGap, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """What became of an analysis on the daemon's own machine.

    Attributes:
        made: its files in the archive.
        problems: one sentence for each thing that went wrong; the run is none the worse for it.
        notes: with which Python, and what else a reader must know.
    """

    made: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt that was followed by another; its evidence is below `attempts/<attempt>/`."""

    attempt: int
    outcome: str
    kind: str
    reason: str
    launchers: tuple[LauncherFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What `run.json` says, as plain values.

    Attributes:
        phase: the final one, such as `SUCCEEDED`.
        kind: constant name of the reason (`good`, `launcher`, `timeout:run` ...).
        reason: one sentence for people.
        attempt: the last one; its evidence is the archive's top level.
        treatment: empty when there is none. `method` likewise.
        repetition: from 1.
        endpoint: URL under load, or empty when it was never resolved.
        queued: when the job file was taken. `started`: when its launchers were first made.
            `finished`: when the archive was sealed. All with a time zone, or None.
        metrics: of all launchers together, or None when nothing was measured.
        reports: names of the standard reports; `report_problems` says why some are missing,
            `report_notes` what was put right in them.
        analysis: what became of the local analysis, or None where none was asked for.
        files: files brought home, `size` their sum in bytes, or None when nothing was.
        manifest: `launcher` or `late`, or empty when nothing was brought home.
        servers: of the last attempt; None when their logs were not asked for.
        server_logs: logs of model servers, by their paths in the archive.
        notes: what else a reader must know.
    """

    job: str
    run: str
    phase: str
    kind: str
    reason: str
    attempt: int
    harness: str
    model: str
    method: str = ""
    treatment: str = ""
    repetition: int = 1
    endpoint: str = ""
    experiment_id: str = ""
    queued: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    launchers: tuple[LauncherFacts, ...] = ()
    metrics: Metrics | None = None
    reports: tuple[str, ...] = ()
    report_problems: tuple[str, ...] = ()
    report_notes: tuple[str, ...] = ()
    analysis: Analysis | None = None
    files: int | None = None
    size: int | None = None
    manifest: str = ""
    servers: ServerFacts | None = None
    server_logs: Mapping[str, LogFacts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    past: tuple[PastAttempt, ...] = ()


def run_document(facts: RunFacts) -> dict[str, Any]:
    """The content of `run.json`."""
    metrics = facts.metrics
    return {
        "version": VERSION,
        "experiment_id": facts.experiment_id,
        "endpoint": facts.endpoint,
        "kind": facts.kind,
        **{name: getattr(facts, name) for name in _SAME},
        "times": {name: _utc(getattr(facts, name)) for name in ("queued", "started", "finished")},
        "launchers": [asdict(launcher) for launcher in facts.launchers],
        "servers": asdict(facts.servers) if facts.servers else None,
        "past": [asdict(attempt) for attempt in facts.past],
        "server_logs": [
            {"path": path, "bytes": log.size, "gaps": [asdict(gap) for gap in log.gaps]}
            for path, log in facts.server_logs.items()
        ],
        "requests": _requests(metrics),
        "metrics": row(facts),
        "notes": [*(metrics.notes if metrics else ()), *facts.notes],
        "reports": {
            "made": list(facts.reports),
            "problems": list(facts.report_problems),
            "notes": list(facts.report_notes),
        },
        "analysis": asdict(facts.analysis) if facts.analysis else None,
        "results": {"files": facts.files, "bytes": facts.size, "manifest": facts.manifest or None},
    }


_SAME = (
    "job", "run", "phase", "reason", "attempt",
    "harness", "model", "method", "treatment", "repetition",
)  # fmt: skip


def row(facts: RunFacts) -> dict[str, Any]:
    """The run's row in `results --json`, in the contract's order; all but `archive`."""
    metrics = facts.metrics

    def figure(name: str) -> Any:  # noqa: ANN401  # a number, a spread or None
        value = getattr(metrics, name, None)
        return asdict(value) if value is not None and name in SPREADS else value

    return {
        "job": facts.job,
        "run": facts.run,
        "phase": facts.phase,
        "harness": facts.harness,
        "model": facts.model,
        "treatment": facts.treatment,
        "requests": _requests(metrics),
        **{name: figure(name) for name in SPREADS},
        "failure_rate": figure("failure_rate"),
        "method": facts.method,
        "repetition": facts.repetition,
        "attempt": facts.attempt,
        "reason": facts.reason,
        "output_tokens_per_s": figure("output_tokens_per_s"),
        "input_tokens_per_s": figure("input_tokens_per_s"),
        "requests_per_s": figure("requests_per_s"),
        "duration_s": figure("duration_s"),
    }


def run_text(facts: RunFacts) -> bytes:
    """`run.json`: sorted and indented, so that two of them compare line by line."""
    text = json.dumps(run_document(facts), indent=2, sort_keys=True, allow_nan=False)
    return (text + "\n").encode()


def read_row(text: str | bytes) -> dict[str, Any]:
    """The row in a `run.json` (keys in the contract's order).

    Raises:
        ValueError: it is torn, no `run.json`, or of a newer version; says which.
    """
    document = json.loads(text)
    version = document.get("version") if isinstance(document, dict) else None
    if not isinstance(version, int):
        raise ValueError("not a run.json: it has no version")  # noqa: TRY004  # as torn text is
    if version > VERSION:
        raise ValueError(f"version {version}, and this llmdbenchd reads up to {VERSION}: update it")
    found = document.get("metrics")
    if not isinstance(found, dict) or found.keys() != _EMPTY.keys():
        raise ValueError("its `metrics` is not a row of results")
    return {name: found[name] for name in _EMPTY}


def _requests(metrics: Metrics | None) -> dict[str, int | None]:
    if metrics is None:
        return {"total": None, "failures": None}
    return {"total": metrics.requests, "failures": metrics.failures}


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_EMPTY = row(
    RunFacts(job="", run="", phase="", kind="", reason="", attempt=1, harness="", model="")
)
