"""Which workload a job means, and what it becomes for one run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import yaml

from llmdbenchd.core.job.environment import workload_variables
from llmdbenchd.core.job.matrix import Cell
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.treatments import cleaned
from llmdbenchd.core.launch.config_maps import LARGEST
from llmdbenchd.core.launch.plan import IMAGE
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from llmdbenchd.core.workload.profile import choose, stem
from llmdbenchd.core.workload.rendering import prepare

INLINE = "inline.yaml"


class Profile(Protocol):
    """One profile: its text, and the file that it lies in."""

    @property
    def text(self) -> str:
        """The whole file."""
        ...

    @property
    def path(self) -> object:
        """The file; the last component's ending says how it is rendered."""
        ...


class Shelf(Protocol):
    """Where profiles lie. Every method raises `WorkloadError` with the reason."""

    def harnesses(self) -> Sequence[str]:
        """The harnesses that have profiles."""
        ...

    def names(self, harness: str) -> Sequence[str]:
        """The profiles of a harness."""
        ...

    def read(self, harness: str, name: str) -> Profile:
        """One of them."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """A workload before it is rendered: a file name (for errors and for its kind) and text."""

    file: str
    text: str

    def rendered_file(self, treatment: str = "") -> str:
        """The name that the rendered workload has in a launcher: one component, `*.yaml`.

        Args:
            treatment: the run's treatment; with one the name is the era's,
                `<profile>_treatment_<name>.yaml`.
        """
        profile = stem(self.file.rpartition("/")[2])
        return (
            f"{profile}_treatment_{cleaned(treatment)[:64]}.yaml"
            if treatment
            else f"{profile}.yaml"
        )


def carried_file(workload: object) -> Source | None:
    """The file that `submit` put into a job, `{file: NAME, text: TEXT}`; None for any other."""
    if not isinstance(workload, Mapping) or workload.keys() != {"file", "text"}:
        return None
    file, text = str(workload["file"]), str(workload["text"])
    return Source(file.rpartition("/")[2] or INLINE, text)


def is_path(workload: object) -> bool:
    """Whether a job's `workload` is a path, not a profile's name or the workload itself."""
    return isinstance(workload, str) and "/" in workload


def find_all(spec: JobSpec, shelf: Shelf, read_path: Callable[[str], str]) -> Mapping[str, Source]:
    """The workloads of a job: the one under the empty name, and those of single treatments.

    Args:
        spec: the job.
        shelf: the profiles.
        read_path: reads a workload that is named by a path; raises `WorkloadError`.

    Raises:
        WorkloadError: one of them does not exist.
    """
    own = {
        one.name: find(spec.model_copy(update={"workload": one.profile}), shelf, read_path)
        for one in spec.experiment
        if one.profile
    }
    return {"": find(spec, shelf, read_path), **own}


def find(spec: JobSpec, shelf: Shelf, read_path: Callable[[str], str]) -> Source:
    """The workload that a job means.

    Args:
        spec: the job.
        shelf: the profiles.
        read_path: reads a workload that is named by a path; raises `WorkloadError`.

    Raises:
        WorkloadError: there is no such workload.
    """
    workload = spec.workload
    if (carried := carried_file(workload)) is not None:
        return carried
    if workload is not None and not isinstance(workload, str):
        return Source(INLINE, yaml.safe_dump(dict(workload), sort_keys=False, allow_unicode=True))
    if workload is not None and is_path(workload):
        return Source(workload, read_path(workload))
    harness = spec.harness.name
    profile = shelf.read(harness, choose(shelf.names(harness), workload, harness))
    return Source(str(profile.path).rpartition("/")[2], profile.text)


def rendered(
    spec: JobSpec, cell: Cell, source: Source, *, endpoint: str, workspace: str = IMAGE.workspace
) -> str:
    """The workload of one run: overrides made, tokens replaced.

    Raises:
        WorkloadError: every override and token that is not possible, or more text than a
            launcher can be given.
    """
    variables = workload_variables(spec, cell, endpoint=endpoint, workspace=workspace)
    text = prepare(
        source.text,
        overrides=spec.changes(cell.treatment),
        variables=variables,
        file=source.file,
    )
    size = len(text.encode())
    if size > LARGEST:
        message = f"becomes {size} bytes, and a ConfigMap carries at most {LARGEST} (1 MiB)"
        raise WorkloadError([WorkloadProblem(source.file, 0, "the workload", message)])
    return text
