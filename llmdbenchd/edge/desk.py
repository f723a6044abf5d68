"""What judging a job file needs of this machine: profiles, environment, workloads by path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.core.job.analysing import with_environment
from llmdbenchd.core.job.completion import completed
from llmdbenchd.core.job.decoding import LARGEST
from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.scenarios import ScenarioFile
from llmdbenchd.core.job.support import resolve_engine
from llmdbenchd.core.job.treatment_files import TreatmentsFile
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from llmdbenchd.edge.environments import Environments
from llmdbenchd.edge.files.profiles import Profiles
from llmdbenchd.edge.files.scenarios import Scenarios
from llmdbenchd.ports import Refused
from llmdbenchd.settings import Settings

_TREATMENTS_END = ("", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class FileDesk:
    """One daemon's desk; the command line's `check` sits at the same one.

    Attributes:
        shelf: the profiles.
        environment: the daemon's.
        settings: its settings.
    """

    shelf: Profiles
    environment: Mapping[str, str]
    settings: Settings

    def read_path(self, path: str) -> str:
        """A workload that is named by its path; raises `WorkloadError`."""
        return read_below(path, (self.shelf.root, *self.settings.path_roots))

    def open_scenario(self, name: str) -> ScenarioFile:
        """A scenario by its name; raises `ScenarioError`."""
        return Scenarios(self.settings.scenarios, self.settings.path_roots).open(name)

    def open_treatments(self, name: str) -> TreatmentsFile:
        """A treatments file by its name or path; raises `WorkloadError`."""
        folder = self.settings.scenarios
        roots = (self.shelf.root, *([folder] if folder else []), *self.settings.path_roots)
        return TreatmentsFile(name, read_below(treatments_path(name, roots), roots))

    def engine(self, asked: str) -> str:
        """The engine that a job gets that asks for this one."""
        return self.choose_engine(asked)[0]

    def choose_engine(self, asked: str) -> tuple[str, str]:
        """The engine for a job that asks for this one, and why."""
        if asked == "auto" and self.settings.engine != "auto":
            return self.settings.engine, "as the daemon's settings say"
        return resolve_engine(
            asked, cluster_configured=cluster_configured(self.settings, self.environment)
        )

    def completed(self, reading: Reading, engine: str) -> Reading:
        """The reading with what the settings say where the job says nothing, and this machine."""
        settings = self.settings
        reading = completed(
            reading, engine=engine, image=settings.image, namespace=settings.namespace
        )
        return with_environment(reading, self._environment_missing)

    def _environment_missing(self, spec: JobSpec) -> str:
        """Why the environment that a job names cannot be used here, or an empty text."""
        here = Environments(self.environment, self.settings.harness_venvs)
        try:
            here.of(spec.harness.conda_env, spec.harness.name)
        except Refused as error:
            return str(error)
        return ""


def profiles_of(settings: Settings) -> Profiles:
    """The profiles that the settings name, or those we ship."""
    return Profiles(settings.profiles) if settings.profiles else Profiles.shipped()


def cluster_configured(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Whether kubectl, or a pod's own account, would find a cluster."""
    named = settings.kubeconfig or environment.get("KUBECONFIG")
    inside = environment.get("KUBERNETES_SERVICE_HOST")
    home = environment.get("HOME")
    return bool(named or inside or (home and (Path(home) / ".kube" / "config").is_file()))


def treatments_path(name: str, roots: Sequence[Path]) -> str:
    """Where the treatments file of this name is, as in the field: `.yaml` may be left out.

    Args:
        name: an absolute path, or one below a root or a root's folder `experiments`.
        roots: folders below which a job may name files.

    Returns:
        The path of the first file that exists; the name itself when there is none.
    """
    places = [folder for root in roots for folder in (root, root / "experiments")]
    paths = [place / (name + suffix) for place in places for suffix in _TREATMENTS_END]
    return next((str(path) for path in paths if path.is_file()), name)


def read_below(path: str, roots: Sequence[Path]) -> str:
    """The text of a workload that a job names by its path.

    Args:
        path: absolute, or below the first root.
        roots: folders below which a job may name files.

    Raises:
        WorkloadError: it lies elsewhere, or cannot be read.
    """
    file = (roots[0] / path).resolve()
    if not any(file.is_relative_to(root.resolve()) for root in roots):
        message = "lies outside of the folders that a job may name"
        hint = "submit puts a local file into the job; or see the setting path_roots"
        raise WorkloadError([WorkloadProblem(path, 0, path, message, hint)])
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            message = f"is larger than {LARGEST} bytes (1 MiB), which no ConfigMap can carry"
            raise WorkloadError([WorkloadProblem(path, 0, path, message)])
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise WorkloadError([WorkloadProblem(path, 0, path, f"cannot be read: {why}")]) from error
