"""Long work, each piece a task that ends by telling its run a fact."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog

from llmdbenchd.controllers.book import JobBook
from llmdbenchd.controllers.runs import Runs
from llmdbenchd.controllers.servers import ServerLogs, ServerWatch
from llmdbenchd.controllers.sites import Site
from llmdbenchd.core.account import Measured, events, run_facts
from llmdbenchd.core.job.accepted import AcceptedJob, encoded
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.results.document import Analysis, run_text
from llmdbenchd.core.results.telling import summary_text
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Collected, Found, Record
from llmdbenchd.core.run.sight import Ended, Running
from llmdbenchd.core.run.wanted import Activity, Kind
from llmdbenchd.core.workload.errors import WorkloadError
from llmdbenchd.ports import (
    Clock,
    Copied,
    Evidence,
    Gone,
    Natives,
    NotReady,
    Refused,
    Reported,
    ReportOrder,
    Scout,
    Unavailable,
)

log = structlog.get_logger()

FOLLOW_AGAIN_S = 2.0
LOOK_S = 0.1
PHASES: Mapping[Kind, Phase] = {
    "resolve": Phase.RESOLVING,
    "collect": Phase.COLLECTING,
    "report": Phase.REPORTING,
}


class Activities:
    """Knows how to do each kind of long work.

    Args:
        scout: who looks for a run's target.
        servers: who records what a run's servers log.
        streams: logs followed at one time; the next one waits, and is complete all the same.
        preview: files that show what would be made of launchers in a place, for a dry run.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each collaborator once
        self,
        runs: Runs,
        site: Callable[[Record], Site],
        *,
        scout: Callable[[Record], Scout],
        servers: ServerLogs,
        evidence: Evidence,
        book: JobBook,
        clock: Clock,
        streams: int,
        preview: Callable[[str, Sequence[LauncherPlan]], Mapping[str, bytes]],
    ) -> None:
        self._runs = runs
        self._site = site
        self._scout = scout
        self._evidence = evidence
        self._book = book
        self._clock = clock
        self._preview = preview
        self._streams = asyncio.Semaphore(streams)
        self._how: Mapping[Kind, Callable[[Activity, Record], Awaitable[None]]] = {
            "resolve": self._resolve,
            "follow": self._follow,
            "servers": ServerWatch(runs, book, evidence, servers).run,
            "release": self._release,
            "collect": self._collect,
            "report": self._report,
        }

    async def run(self, activity: Activity) -> None:
        """Do it; whatever goes wrong is a fact on the record, never the end of the daemon."""
        if activity.key not in self._runs:
            return
        record = self._runs[activity.key]
        with structlog.contextvars.bound_contextvars(
            job=record.job, run=record.run, attempt=activity.attempt
        ):
            try:
                await self._how[activity.kind](activity, record)
            except (Refused, Unavailable) as error:
                log.warning("activity.failed", activity=activity.kind, reason=str(error))
                await self._delay(activity, str(error))
            except Exception as error:  # a fault of ours must not stop the others
                log.exception("activity.failed", activity=activity.kind, reason=repr(error))
                await self._delay(activity, f"a fault in llmdbenchd: {error!r}")

    async def _delay(self, activity: Activity, reason: str) -> None:
        phase, now = PHASES.get(activity.kind), self._clock.now()
        if phase is None:  # following has no back-off on the record: it is wanted again at once
            await asyncio.sleep(FOLLOW_AGAIN_S)
            return
        late = partial(facts.delayed, phase=phase, error=reason, now=now)
        self._runs.learn(activity.key, late)

    async def _resolve(self, activity: Activity, record: Record) -> None:
        try:
            target = await self._scout(record).find(self._book.asked(record))
            self._book.prove(replace(record, target=target))
        except (WorkloadError, Refused) as error:
            self._runs.learn(activity.key, partial(facts.refused, detail=str(error)))
        except NotReady as error:
            log.info("target.not_ready", reason=str(error))
            patience_s, now = self._book.limits(activity.key).target_s, self._clock.now()
            wait = partial(
                facts.not_yet,
                reason=str(error),
                patience_s=patience_s,
                now=now,
                restarts=error.restarts,
            )
            self._runs.learn(activity.key, wait)
        else:
            log.info(
                "target.found",
                endpoint=target.endpoint,
                chosen=target.found,
                servers=target.servers,
                nodes=target.nodes,
                note=target.note,
            )
            self._runs.learn(activity.key, partial(facts.resolved, target=target))

    async def _follow(self, activity: Activity, record: Record) -> None:
        launcher = self._book.launchers(record)[activity.index - 1]
        into = self._evidence.live_log(record, activity.index)
        log.info("log.following", launcher=launcher)
        size: int | None = None
        while size is None:
            try:
                async with self._streams:
                    size = await self._site(record).engine.follow(launcher, into)
            except Unavailable as error:
                log.warning("activity.failed", activity="follow", reason=str(error))
                await asyncio.sleep(FOLLOW_AGAIN_S)
        log.info("log.finished", launcher=launcher, bytes=size)
        done = partial(facts.log_done, attempt=activity.attempt, index=activity.index)
        self._runs.learn(activity.key, done)

    async def _release(self, activity: Activity, record: Record) -> None:
        """Launchers that cannot see each other begin together; of no interest before all run."""
        site, launchers = self._site(record), self._book.launchers(record)
        while not _all_run(site, launchers):  # noqa: ASYNC110 - the view tells its runs, not us
            await asyncio.sleep(LOOK_S)
        try:
            await site.engine.release(launchers)
        except Refused as error:
            no = partial(facts.not_released, attempt=activity.attempt, detail=str(error))
            self._runs.learn(activity.key, no)
            return
        log.info("launchers.released", launchers=launchers)
        self._runs.learn(activity.key, partial(facts.released, attempt=activity.attempt))

    async def _collect(self, activity: Activity, record: Record) -> None:
        if record.found is not None:
            await self._gather(activity, record)
            return
        engine = self._site(record).engine
        copies, gone = [], []
        for index in record.begun:
            into = await self._evidence.results(record, index)
            try:
                copies.append(await engine.collect(self._book.plan(record, index), into))
            except Gone as error:
                log.warning("results.gone", launcher=index, reason=str(error))
                gone.append(f"results of launcher {index}: {error}")
        what = await self._collected(record, copies) if copies else None
        why = "; ".join(gone)
        fact = partial(facts.collected, attempt=activity.attempt, what=what, gone=why)
        self._runs.learn(activity.key, fact)

    async def _gather(self, activity: Activity, record: Record) -> None:
        """Bring home what lies on the claim; what cannot come keeps nothing else from coming."""
        engine, plan = self._site(record).engine, self._book.plan(record, 1)
        there = await engine.folders(plan)
        wanted, missing = self._book.sought(record, there)
        copies, found, trouble = [], [], []
        for index, folder in enumerate(wanted, start=1):
            into = await self._evidence.results(record, index)
            try:
                copy = await engine.collect(replace(plan, results_folder=folder), into)
            except (Refused, Unavailable) as error:
                trouble.append(str(error))
                continue
            copies.append(copy)
            found.append(Found(folder, copy.files, copy.size, copy.manifest))
        if trouble:
            raise Unavailable("; ".join(trouble))
        what = await self._collected(replace(record, found=tuple(found)), copies)
        fact = partial(facts.gathered, what=what, found=tuple(found), missing=missing)
        self._runs.learn(activity.key, fact)

    async def _collected(self, record: Record, copies: Sequence[Copied]) -> Collected:
        """What the copies are altogether, and what the native files among them say."""
        harness = self._book.job(record.job).spec.harness.name
        natives = await self._evidence.natives(record, harness)
        return Collected(
            files=sum(copy.files for copy in copies),
            size=sum(copy.size for copy in copies),
            manifest=_weakest([copy.manifest for copy in copies]),
            native_files=natives.files,
            requests=natives.metrics.requests if natives.metrics else None,
            failures=natives.metrics.failures if natives.metrics else None,
        )

    async def _report(self, activity: Activity, record: Record) -> None:
        is_sealed = await self._evidence.is_sealed(record)  # then its evidence has left the staging
        await self._evidence.seal(record, {} if is_sealed else await self._documents(record))
        self._runs.learn(activity.key, facts.sealed)

    async def _documents(self, record: Record) -> Mapping[str, bytes]:
        """Make the reports, and what the daemon itself says about the run."""
        accepted, attempt = self._book.job(record.job), self._book.attempt(record)
        harness = accepted.spec.harness.name
        reported, analysed = Reported((), (), ()), None
        await self._evidence.fill(record)
        natives = Natives(0, None)
        if record.collected is not None:
            natives = await self._evidence.natives(record, harness)
            order = ReportOrder(
                harness=harness,
                experiment_id=attempt.experiment,
                model=attempt.cell.model,
                description=accepted.spec.description or "",
                keywords=tuple(accepted.spec.keywords),
            )
            reported = await self._evidence.report(record, order)
            if accepted.spec.analyze_locally:
                analysed = await self._analysed(record, accepted)
        measured = Measured(
            metrics=reported.metrics or natives.metrics,
            reports=reported.made,
            report_problems=reported.problems,
            report_notes=reported.notes,
            analysis=analysed,
            logs=await self._evidence.logs(record),
            servers=await self._evidence.servers(record),
            server_logs=natives.server_logs,
            finished=self._clock.now().utc,
        )
        said = run_facts(record, accepted, attempt, measured)
        return {
            "run.json": run_text(said),
            "summary.txt": summary_text(said, natives.told),
            "spec.json": encoded(accepted),
            "workload.yaml": attempt.workload_text.encode(),
            "events.jsonl": events(record),
            **self._planned(record),
        }

    async def _analysed(self, record: Record, accepted: AcceptedJob) -> Analysis:
        """What became of the analysis on this machine; whatever fails is told, and no more."""
        harness = accepted.spec.harness
        found = await self._evidence.analyse(record, harness.name, harness.conda_env)
        for problem in found.problems:
            log.warning("analysis.failed", reason=problem)
        log.info("analysis.made", files=len(found.made), notes=found.notes)
        return found

    def _planned(self, record: Record) -> Mapping[str, bytes]:
        """What a dry run would have launched; it has no target when it went wrong before."""
        accepted = self._book.job(record.job)
        if not accepted.spec.dry_run or record.target is None:
            return {}
        launchers = range(1, accepted.limits.launchers + 1)
        plans = [self._book.plan(record, index) for index in launchers]
        return self._preview(accepted.place, plans)


def _all_run(site: Site, launchers: Sequence[str]) -> bool:
    return all(isinstance(site.view.look(one), Running | Ended) for one in launchers)


def _weakest(manifests: Sequence[str]) -> str:
    return "late" if "late" in manifests else next(iter(manifests), "")
