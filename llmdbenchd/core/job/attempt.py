"""One attempt of one run, with all that its launchers have in common, and their plans."""

from dataclasses import dataclass

from llmdbenchd.core.job import names
from llmdbenchd.core.job.environment import Launch, launcher_environment
from llmdbenchd.core.job.matrix import Cell
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.support import NOP
from llmdbenchd.core.launch.plan import (
    SLEEP,
    Identity,
    LauncherPlan,
    Places,
    PlanFile,
    PodTerms,
    SecretRef,
    Storage,
)
from llmdbenchd.core.nop.order import FILE, Order, written
from llmdbenchd.core.target.asked import Asked


def asked_by(spec: JobSpec, cell: Cell) -> Asked:
    """What a run says about its target."""
    return Asked(
        endpoint=spec.endpoint or "",
        method=cell.method,
        namespace=spec.namespace,
        near=spec.harness_namespace,
        model=cell.model,
        shared=spec.share_target,
        loading=spec.harness.name == NOP,
        keyed=spec.endpoint_auth is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is decided before launchers are made; every name follows from it.

    Attributes:
        spec: the job.
        cell: the run.
        endpoint: URL of the target.
        servers: names that the run's lease on its target goes by.
        instance: the daemon's id.
        job: the job's id.
        epoch: seconds since 1970 when the run was first launched; the same in each attempt.
        number: the attempt's, from 1.
        workload_file: the workload's file name, one path component, with its ending `.yaml`.
        workload_text: the rendered workload.
        others: further files for its launchers; one at the workload's path is not used.
    """

    spec: JobSpec
    cell: Cell
    endpoint: str
    servers: tuple[str, ...] = ()
    instance: str
    job: str
    epoch: int
    number: int = 1
    workload_file: str
    workload_text: str
    others: tuple[PlanFile, ...] = ()

    @property
    def run8(self) -> str:
        """Eight hexadecimal digits that stand for the run."""
        return names.run8(self.instance, self.job, self.cell.run)

    @property
    def experiment(self) -> str:
        """The experiment id."""
        return names.experiment_id(self.epoch, self.run8, self.cell.treatment, self.number)

    @property
    def stack(self) -> str:
        """The stack's name."""
        return names.stack_name(self.cell.method, self.cell.model)

    def launcher(self, index: int) -> str:
        """The name of launcher `index` (from 1)."""
        harness = self.spec.harness
        return names.launcher(harness.name, self.run8, self.number, index, harness.parallelism)

    def launchers(self) -> tuple[str, ...]:
        """The names of all launchers, in the order of their indices."""
        return tuple(self.launcher(index + 1) for index in range(self.spec.harness.parallelism))

    def results_folder(self, index: int) -> str:
        """Where launcher `index` writes, below the results prefix."""
        return names.results_folder(self.spec.harness.name, self.experiment, self.stack, index)

    def plan(self, index: int, places: Places) -> LauncherPlan:
        """What launcher `index` must be, at the places where its engine keeps things."""
        harness = self.spec.harness
        launch = Launch(
            spec=self.spec,
            cell=self.cell,
            endpoint=self.endpoint,
            experiment=self.experiment,
            stack=self.stack,
            places=places,
            results_folder=self.results_folder(index),
            workload_file=self.workload_file,
            launcher=self.launcher(index),
            index=index,
        )
        path = f"profiles/{harness.name}/{self.workload_file}"
        return LauncherPlan(
            name=launch.launcher,
            identity=self._identity(index),
            harness=harness.name,
            executable=SLEEP if harness.debug else harness.executable,
            results_folder=launch.results_folder,
            files=(
                PlanFile(path, self.workload_text),
                *self._order(),
                *(other for other in self.others if other.path != path),
            ),
            env=launcher_environment(launch),
            cpu=harness.cpu,
            memory=harness.memory,
            servers=self.servers,
            storage=self._storage(),
            pod=self._terms(),
        )

    def _order(self) -> tuple[PlanFile, ...]:
        """What a recorder is to do, where the harness is one."""
        spec, nop = self.spec, self.spec.nop
        if spec.harness.name != NOP:
            return ()
        order = Order(
            asked=asked_by(spec, self.cell),
            load_format=nop.load_format,
            logging_level=nop.logging_level,
            preprocess=nop.preprocess,
            sleep_mode=nop.sleep_mode,
            restart=nop.restart,
            repeat=nop.repeat,
            launcher=nop.launcher,
            launcher_port=nop.launcher_port,
            launcher_vllm_port=nop.launcher_vllm_port,
        )
        return (PlanFile(FILE, written(order)),)

    def _identity(self, index: int) -> Identity:
        return Identity(
            instance=self.instance,
            job=self.job,
            run=self.cell.run,
            run8=self.run8,
            attempt=self.number,
            index=index,
            of=self.spec.harness.parallelism,
        )

    def _storage(self) -> Storage:
        asked = self.spec.storage
        return Storage(
            mode=asked.mode,
            claim=asked.claim,
            size=asked.size,
            storage_class=asked.class_,
            access=asked.access,
        )

    def _terms(self) -> PodTerms:
        harness, token, auth = self.spec.harness, self.spec.hf_token, self.spec.endpoint_auth
        return PodTerms(
            image=harness.image or "",
            service_account=harness.service_account,
            image_pull_secrets=tuple(harness.image_pull_secrets),
            node_selector=dict(harness.node_selector),
            tolerations=tuple(harness.tolerations),
            priority_class=harness.priority_class,
            hf_token=SecretRef(secret=token.secret, key=token.key) if token else None,
            endpoint_auth=SecretRef(secret=auth.secret, key=auth.key) if auth else None,
        )
