"""Old jobs are forgotten, and nothing that somebody may still need."""

from datetime import timedelta
from pathlib import Path

from llmdbenchd.controllers.tidying import Tidying, is_forgotten
from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.edge.files.records import Records
from tests.core.run.cases import NOW, record
from tests.fakes.world import FakeClock

DONE = record(Phase.SUCCEEDED, verdict=Verdict(Outcome.SUCCEEDED, "good", "5 requests"))
KEEP = timedelta(days=7)


def test_a_job_is_forgotten_when_all_of_its_runs_ended_long_ago() -> None:
    later = NOW.utc + timedelta(days=8)

    assert is_forgotten((DONE, DONE), later, KEEP)
    assert not is_forgotten((DONE, record(Phase.RUNNING)), later, KEEP)
    assert not is_forgotten((DONE,), NOW.utc + timedelta(days=6), KEEP)


def test_what_was_left_behind_is_not_forgotten() -> None:
    left = record(Phase.FAILED, verdict=DONE.verdict, left_behind="launchers kept: disk")

    assert not is_forgotten((left,), NOW.utc + timedelta(days=800), KEEP)


def test_a_job_whose_records_cannot_be_read_stays() -> None:
    assert not is_forgotten((), NOW.utc + timedelta(days=800), KEEP)


def test_nothing_is_forgotten_unless_somebody_said_so(tmp_path: Path) -> None:
    clock = FakeClock(NOW.after(86400 * 8))
    records = Records(tmp_path)
    (tmp_path / "jobs" / "j" / "runs").mkdir(parents=True)
    records.save(DONE)
    tidying = Tidying(None, clock, jobs=records.jobs, read=records.read, forget=records.forget)

    tidying.tidy()
    assert records.jobs() == ("j",)

    tidying.keep_days = 7
    tidying.tidy()
    assert records.jobs() == ()
    assert list((tmp_path / "jobs").iterdir()) == []
