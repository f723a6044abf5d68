"""All that can be said of a job before anybody runs it: mistakes, warnings, the runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from llmdbenchd.core.job.attempt import Attempt
from llmdbenchd.core.job.debugging import Shelved, everything, profile_files
from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.matrix import Cell, runs
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.names import slug
from llmdbenchd.core.job.nodes import Mark
from llmdbenchd.core.job.problems import Problem, in_line_order
from llmdbenchd.core.job.support import unsupported
from llmdbenchd.core.job.workloads import Shelf, Source, find, rendered
from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_UNRESOLVED = "http://endpoint.invalid"  # stands for a target that is looked up later
_NEEDED = frozenset({"harness.name", "workload", "overrides"})


@dataclass(frozen=True, slots=True)
class Outline:
    """One run as it would be: its cell, the rendered workload, the launchers' plans."""

    cell: Cell
    workload_file: str
    workload: str
    launchers: tuple[LauncherPlan, ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """The answer.

    Attributes:
        problems: every mistake, in line order; the job is good when there is none.
        warnings: what has no effect, or deserves a look.
        outlines: the runs of a good job, in their order.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    outlines: tuple[Outline, ...] = ()


def examine(
    reading: Reading, *, engine: str, shelf: Shelf, read_path: Callable[[str], str]
) -> Examination:
    """Look at a job in the order of the daemon, further than its first mistake.

    Args:
        reading: what `read_job` made of the file.
        engine: `local` or `kubernetes`, resolved.
        shelf: the profiles.
        read_path: reads a workload that is named by a path; raises `WorkloadError`.
    """
    best = reading.best
    if best is None:
        return Examination(reading.problems, reading.notes)
    source, in_workload = _source(reading, best, shelf, read_path)
    texts: dict[tuple[str, str], str] = {}
    if source is not None:
        texts, more = _rendered(reading, best, source)
        in_workload = more
    problems = in_line_order([*reading.problems, *in_workload])
    if problems or source is None or reading.spec is None:
        return Examination(problems, reading.notes)
    support = unsupported(reading.spec, reading.values, engine)
    warnings = in_line_order(
        [*reading.notes, *support.warnings, *_too_short(reading, best, tuple(texts.values()))]
    )
    outlines = () if support.refused else _outlines(best, source, texts, everything(best, shelf))
    return Examination(support.refused, warnings, outlines)


def _source(
    reading: Reading, best: JobSpec, shelf: Shelf, read_path: Callable[[str], str]
) -> tuple[Source | None, list[Problem]]:
    if reading.wrong & _NEEDED:
        return None, []
    field = "harness.name"
    try:
        shelf.names(best.harness.name)
        field = "workload"
        return find(best, shelf, read_path), []
    except WorkloadError as error:
        return None, [_problem(reading, field, one) for one in error.problems]


def _given(reading: Reading) -> frozenset[str]:
    return frozenset(name for name, value in reading.values.items() if value.origin != "default")


def _rendered(
    reading: Reading, best: JobSpec, source: Source
) -> tuple[dict[tuple[str, str], str], list[Problem]]:
    """The rendered workload for each model and method, and every problem once."""
    texts: dict[tuple[str, str], str] = {}
    problems: dict[Problem, None] = {}
    endpoint = best.endpoint or _UNRESOLVED
    for cell in runs(best):
        if (cell.model, cell.method) in texts:
            continue
        text, found = _try(best, cell, source, endpoint)
        texts[cell.model, cell.method] = text
        problems |= dict.fromkeys(_in_rendering(reading, best, one) for one in found)
    return texts, list(problems)


def _try(
    spec: JobSpec, cell: Cell, source: Source, endpoint: str
) -> tuple[str, tuple[WorkloadProblem, ...]]:
    """The rendered workload, or what is wrong with its overrides and with its tokens."""
    try:
        return rendered(spec, cell, source, endpoint=endpoint, workspace=IMAGE.workspace), ()
    except WorkloadError as error:
        if not spec.overrides:
            return "", error.problems
        as_it_is = spec.model_copy(update={"overrides": {}})
        return "", error.problems + _try(as_it_is, cell, source, endpoint)[1]


def _in_rendering(reading: Reading, best: JobSpec, problem: WorkloadProblem) -> Problem:
    subject = problem.subject.strip("`")
    key = next((key for key in best.overrides if key == subject), None)
    if key is None:
        return _problem(reading, "workload", problem)
    mark = reading.plain.keys.get(("overrides", key)) or reading.mark("overrides")
    return Problem(mark.line, mark.column, f"overrides.{key}", problem.message, problem.hint)


def _problem(reading: Reading, field: str, problem: WorkloadProblem) -> Problem:
    """A problem of the workload at the line of the job file's field that chose it."""
    mark = reading.mark(*field.split("."))
    given = field in _given(reading)
    place = mark if given else Mark(1, 1)
    where = f"{problem.file}:{problem.line}: " if problem.line else ""
    message = f"{where}{problem.subject} {problem.message}".strip()
    return Problem(place.line, place.column, field, message, problem.hint)


def _outlines(
    spec: JobSpec, source: Source, texts: Mapping[tuple[str, str], str], shelved: Shelved
) -> tuple[Outline, ...]:
    return tuple(
        Outline(cell, source.rendered_file, text, _plans(spec, cell, source, text, shelved))
        for cell in runs(spec)
        for text in [texts[cell.model, cell.method]]
    )


def _plans(
    spec: JobSpec, cell: Cell, source: Source, text: str, shelved: Shelved
) -> tuple[LauncherPlan, ...]:
    endpoint = spec.endpoint or _UNRESOLVED
    attempt = Attempt(
        spec=spec,
        cell=cell,
        endpoint=endpoint,
        instance="check",
        job=spec.id or slug(spec.name or ""),
        epoch=0,
        workload_file=source.rendered_file,
        workload_text=text,
        others=profile_files(spec, cell, shelved, endpoint=endpoint, workspace=IMAGE.workspace),
    )
    return tuple(attempt.plan(index + 1, IMAGE) for index in range(spec.harness.parallelism))


def _too_short(reading: Reading, spec: JobSpec, texts: Sequence[str]) -> list[Problem]:
    """A warning when the stages of the load last longer than the launchers may."""
    limit = spec.harness.wait_timeout
    longest = max((_stages_s(text) for text in texts), default=0)
    if limit == 0 or longest <= limit:
        return []
    mark = reading.mark("harness", "wait_timeout")
    if reading.values["harness.wait_timeout"].origin == "default":
        mark = Mark(1, 1)
    message = f"the stages last {longest:g} s, and the launchers are stopped after {limit} s"
    hint = f"write wait_timeout: {int(longest * 1.2) + 60}"
    return [Problem(mark.line, mark.column, "harness.wait_timeout", message, hint)]


def _stages_s(text: str) -> float:
    """Seconds that the stages of an inference-perf workload last; 0 for any other."""
    workload = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one; rendering proved it YAML
    load = workload.get("load") if isinstance(workload, dict) else None
    stages = load.get("stages") if isinstance(load, dict) else None
    durations = [one.get("duration") for one in stages or [] if isinstance(one, dict)]
    return float(sum(one for one in durations if isinstance(one, int | float)))
