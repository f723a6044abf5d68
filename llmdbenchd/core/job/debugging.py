"""The mode `harness.debug`: a launcher that sleeps, with every profile of every harness in it."""

from llmdbenchd.core.job.matrix import Cell
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.workloads import Shelf, Source, rendered
from llmdbenchd.core.launch.plan import PlanFile
from llmdbenchd.core.workload.errors import WorkloadError

Shelved = tuple[tuple[str, Source], ...]


def everything(spec: JobSpec, shelf: Shelf) -> Shelved:
    """Every profile of every harness, if the job asks for them: harness and source, in order.

    What cannot be read is there all the same, and says why.

    Raises:
        WorkloadError: the profiles cannot be listed.
    """
    if not spec.harness.debug:
        return ()
    return tuple(
        (harness, _source(shelf, harness, name))
        for harness in shelf.harnesses()
        for name in shelf.names(harness)
    )


def _source(shelf: Shelf, harness: str, name: str) -> Source:
    try:
        profile = shelf.read(harness, name)
    except WorkloadError as error:
        return Source(f"{name}.yaml", _remark(error))
    return Source(str(profile.path).rpartition("/")[2], profile.text)


def profile_files(
    spec: JobSpec, cell: Cell, shelved: Shelved, *, endpoint: str, workspace: str
) -> tuple[PlanFile, ...]:
    """The profiles as files of a launcher, rendered for one run, without its changes.

    What cannot be rendered is there as a template, and its first line says why.
    """
    plainly = spec.model_copy(update={"overrides": {}, "treatments": None})
    return tuple(
        _file(plainly, cell, harness, source, endpoint, workspace) for harness, source in shelved
    )


def _file(
    spec: JobSpec, cell: Cell, harness: str, source: Source, endpoint: str, workspace: str
) -> PlanFile:
    try:
        text = rendered(spec, cell, source, endpoint=endpoint, workspace=workspace)
    except WorkloadError as error:
        return PlanFile(f"profiles/{harness}/{source.file}", _remark(error) + source.text)
    return PlanFile(f"profiles/{harness}/{source.rendered_file()}", text)


def _remark(error: WorkloadError) -> str:
    return f"# {'; '.join(str(error).splitlines())}\n"
