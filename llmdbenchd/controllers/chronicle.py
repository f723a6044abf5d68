"""Tells what happened to runs, and what one run's end means for the others of its job."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from llmdbenchd.controllers.book import JobBook
from llmdbenchd.core.account import entered
from llmdbenchd.core.results.verdict import Outcome
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record

log = structlog.get_logger()


class Chronicle:
    """Hears of every record that was saved.

    Args:
        archive: where the sealed run lies, by job and run.
        siblings: open records of a job.
        learn: tells a run a fact.
        refresh: whose turn it is may have changed.
    """

    def __init__(
        self,
        book: JobBook,
        *,
        archive: Callable[[str, str], str],
        siblings: Callable[[str], list[Record]],
        learn: Callable[[str, Callable[[Record], Record]], None],
        refresh: Callable[[], None],
    ) -> None:
        self._book = book
        self._archive = archive
        self._siblings = siblings
        self._learn = learn
        self._refresh = refresh

    def moved(self, before: Record | None, after: Record) -> None:
        """A record is on disk."""
        for end in after.ends[len(before.ends) if before else 0 :]:
            log.info(
                "launcher.ended",
                index=end.index,
                cause=end.how.cause,
                code=end.how.code,
                signal=end.how.signal,
                detail=end.how.detail,
            )
        if before is not None and (before.phase, before.attempt) == (after.phase, after.attempt):
            return
        until = after.deadline.utc.isoformat() if after.deadline else None
        log.info("run.moved", was=before.phase if before else None, now=after.phase, until=until)
        self._refresh()
        self.consider_siblings(after)
        if after.phase.is_final:
            self._tell_the_end(after)

    def consider_siblings(self, record: Record) -> None:
        """End the job of a run that was found FAILED, where the job file says so."""
        has_failed = record.verdict is not None and record.verdict.outcome is Outcome.FAILED
        if has_failed and self._book.job(record.job).spec.stop_on_error:
            why = f"run {record.run} of the same job failed (stop_on_error)"
            for sibling in self._siblings(record.job):
                if sibling.key != record.key:
                    self._learn(sibling.key, partial(facts.job_ended, detail=why))

    def _tell_the_end(self, record: Record) -> None:
        accepted, cell = self._book.job(record.job), self._book.cell(record)
        verdict, got = record.verdict, record.collected
        started, ended = entered(record, Phase.LAUNCHING), entered(record, Phase.COLLECTING)
        log.info(
            "run.finished",
            phase=record.phase,
            kind=verdict.kind if verdict else "",
            reason=verdict.reason if verdict else "",
            harness=accepted.spec.harness.name,
            model=cell.model,
            queued_s=_between(record.submitted, started),
            load_s=_between(started, ended),
            total_s=_between(record.submitted, record.since),
            requests=got.requests if got else None,
            failures=got.failures if got else None,
            archive=self._archive(record.job, record.run),
            left_behind=record.left_behind,
        )


def _between(first: datetime | None, last: datetime | None) -> float | None:
    return None if first is None or last is None else round((last - first).total_seconds(), 3)
