"""Writes `tests/records/v<VERSION>/`: one record for each phase, as this version writes them.

Run it once for each new version (`python -m tests.edge.files.make_samples`); samples of a
version that was released are never changed again.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import (
    VERSION,
    Collected,
    End,
    Failure,
    Found,
    Past,
    Record,
    Target,
    Waiting,
)
from llmdbenchd.core.run.sight import Cause, Ended
from llmdbenchd.edge.files.records import encoded

FOLDER = Path(__file__).parents[2] / "records"
_START = datetime(2026, 11, 24, 7, 19, 30, 123456, tzinfo=UTC)
_BOOT = "0d9e7b52-3c5f-4c55-8f0a-6b1d3f0a9c11"
_ENDS = (End(1, Ended(Cause.EXITED, 0)), End(2, Ended(Cause.KILLED, None, 9, "often memory")))
_VERDICTS = {
    Phase.SUCCEEDED: Verdict(Outcome.SUCCEEDED, "good", "30 requests"),
    Phase.FAILED: Verdict(Outcome.FAILED, "launcher", "launcher 2 was killed by signal 9"),
    Phase.CANCELLED: Verdict(Outcome.CANCELLED, "cancelled", "asked by alice"),
}


_FOUND = (Found("inference-perf_1700000000-0a1b2c3d_endpoint-1b-instruct_1", 12, 345678, "late"),)


def samples() -> dict[str, Record]:
    """File name to record: a run on its way through every phase, with every field in use."""
    record = Record(job="chat-20261124t071930-1a2b", run="r1", submitted=_START, since=_START)
    made = {}
    for number, phase in enumerate(Phase):
        record = _grown(record, phase, number)
        made[f"{phase.value.lower()}.json"] = replace(record, run=phase.value.lower())
    return made


def _grown(record: Record, phase: Phase, number: int) -> Record:
    now = Moment(_START + timedelta(minutes=number), 1000.25 + 60 * number, _BOOT)
    record = record.enter(phase, now, patience_s=None if phase.is_final else 240.5)
    match phase:
        case Phase.RESOLVING:
            record = replace(record, tries=2, last_error="no answer", wait_until=now.after(30))
        case Phase.READY:
            target = Target("http://10.0.0.7:8000", ("pod/vllm-0", "pod/vllm-1"))
            past = Past(1, _VERDICTS[Phase.FAILED], _ENDS)
            record = replace(record, target=target, attempt=2, past=(past,), priority=-7)
            record = replace(record, stop_on_error=True)
        case Phase.LAUNCHING:
            record = replace(
                record, waiting=Waiting("pull", now.after(1800), 3), ran=(1,), unmade=True
            )
            record = replace(record, lost_at=now.after(3600), held=True)
        case Phase.RUNNING:
            record = replace(record, seen=(1, 2), logs_done=(1,), servers="a gap")
            record = replace(
                record, stopping=now, cancels=1, cancel_request="cancel-chat-0a1b2c3d.json"
            )
        case Phase.COLLECTING:
            failure = Failure("timeout:run", "2 of 2 launchers still ran after 3600 s: ünlucky")
            record = replace(record, ends=_ENDS, failure=failure, uncollected="2 files differ")
            record = replace(record, gone="launcher 2 is gone, with its results")
        case Phase.REPORTING:
            record = replace(
                record, collected=Collected(12, 345678, "late", 2, 30, 0), found=_FOUND
            )
        case Phase.CLEANING:
            record = replace(record, sealed=True, left_behind="pod llmdbench-x: forbidden")
        case Phase.LEFT:
            record = replace(record, collect_asked=True)
        case _:
            pass
    return replace(record, verdict=_VERDICTS.get(phase))


if __name__ == "__main__":
    folder = FOLDER / f"v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, record in samples().items():
        (folder / name).write_bytes(encoded(record))
