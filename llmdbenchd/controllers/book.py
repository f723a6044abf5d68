"""The jobs that were accepted: read when needed, kept as long as they are in use."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from llmdbenchd.core.job import names
from llmdbenchd.core.job.accepted import decoded
from llmdbenchd.core.job.attempt import Attempt, asked_by
from llmdbenchd.core.job.debugging import profile_files
from llmdbenchd.core.job.matrix import Cell
from llmdbenchd.core.job.workloads import rendered
from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan, Places
from llmdbenchd.core.run.limits import LOST_AFTER_S, Limits
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.target.asked import AUTO, Asked, listed

IN_USE = 2048  # jobs kept in memory (12 KiB each); one more is read again, in 0.3 ms


class JobBook:
    """What job files say about runs (`runs.Handbook`), and what follows from it.

    Args:
        read: gives the bytes of a job's `spec.json`, or raises.
        instance: this daemon's id.
        places: where a launcher sees its files, by its place and its name.
        lost_after: seconds for which a place may say no to each look, before its runs are lost.
    """

    def __init__(
        self,
        read: Callable[[str], bytes],
        *,
        instance: str,
        places: Callable[[str, str], Places],
        lost_after: float = LOST_AFTER_S,
    ) -> None:
        self._instance = instance
        self._places = places
        self._lost_after = lost_after
        self.job = lru_cache(maxsize=IN_USE)(lambda job: decoded(read(job)))
        self._names = lru_cache(maxsize=4 * IN_USE)(self._launcher_names)
        self._workload = lru_cache(maxsize=IN_USE)(self._rendered)  # proving it takes 5 ms

    def limits(self, key: str) -> Limits:
        """How patient to be with the run."""
        return replace(self.job(_job_of(key)).limits, lost_s=self._lost_after)

    def launchers(self, record: Record) -> tuple[str, ...]:
        """Names of launchers 1 to N of the record's attempt."""
        return self._names(record.job, record.run, record.attempt)

    def cell(self, record: Record) -> Cell:
        """The run's cell of its job's matrix, with the model that is served if it is known."""
        cell = next(cell for cell in self.job(record.job).cells if cell.run == record.run)
        served = record.target.model if record.target else ""
        return replace(cell, model=served) if served else cell

    def asked(self, record: Record) -> Asked:
        """What the run says about its target."""
        return asked_by(self.job(record.job).spec, self.cell(record))

    def prove(self, record: Record) -> None:
        """Render the workload of a run whose target is known.

        Raises:
            WorkloadError: it cannot be.
        """
        self.attempt(record)

    def attempt(self, record: Record, places: Places | None = None) -> Attempt:
        """The record's attempt, its workload rendered for these places."""
        accepted, cell = self.job(record.job), self.cell(record)
        endpoint = record.target.endpoint if record.target else ""
        workspace = (places or IMAGE).workspace
        return Attempt(
            spec=accepted.spec,
            cell=cell,
            endpoint=endpoint,
            servers=record.target.servers if record.target else (),
            instance=self._instance,
            job=record.job,
            epoch=int(record.submitted.timestamp()),
            number=record.attempt,
            workload_file=accepted.source_of(cell).rendered_file(cell.treatment),
            workload_text=self._workload(record.job, cell, endpoint, workspace) if endpoint else "",
            others=profile_files(
                accepted.spec, cell, accepted.shelved, endpoint=endpoint, workspace=workspace
            ),
        )

    def plan(self, record: Record, index: int) -> LauncherPlan:
        """What launcher `index` of the record's attempt must be."""
        place = self.job(record.job).place
        places = self._places(place, self.launchers(record)[index - 1])
        return self.attempt(record, places).plan(index, places)

    def sought(self, record: Record, folders: Sequence[str] | None) -> tuple[Sequence[str], str]:
        """Which of the folders on its claim a run that only collects wants.

        Returns them with an empty text, or none with the reason.

        Args:
            record: the run.
            folders: all names there; None if there is no such claim.
        """
        spec, cell = self.job(record.job).spec, self.cell(record)
        claim = f"claim {spec.storage.claim} in namespace {spec.harness_namespace}"
        if folders is None:
            return (), f"there is no {claim}"
        if spec.collect_all:
            return folders, "" if folders else f"no results folder is on {claim}"
        stack = None if cell.model == AUTO else names.stack_name(cell.method, cell.model)
        harness, treatment = spec.harness.name, cell.treatment
        fit = names.fitting(folders, harness=harness, treatment=treatment, stack=stack)
        if fit:
            return fit, ""
        name = names.results_folder(harness, "*", stack or "*", 1).removesuffix("1") + "*"
        of_it = f" of treatment {treatment}" if treatment else ""
        return (), (
            f"no folder {name}{of_it} on {claim}; there are: {listed(folders)} "
            "(collect_all: true takes all of them)"
        )

    def _rendered(self, job: str, cell: Cell, endpoint: str, workspace: str) -> str:
        accepted = self.job(job)
        source = accepted.source_of(cell)
        return rendered(accepted.spec, cell, source, endpoint=endpoint, workspace=workspace)

    def _launcher_names(self, job: str, run: str, attempt: int) -> tuple[str, ...]:
        harness = self.job(job).spec.harness
        run8 = names.run8(self._instance, job, run)
        return tuple(
            names.launcher(harness.name, run8, attempt, index, harness.parallelism)
            for index in range(1, harness.parallelism + 1)
        )


def _job_of(key: str) -> str:
    return key.partition("/")[0]
