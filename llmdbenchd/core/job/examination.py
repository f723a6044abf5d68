"""All that can be said of a job before anybody runs it: mistakes, warnings, the runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmdbenchd.core.job.attempt import Attempt
from llmdbenchd.core.job.debugging import Shelved, everything, profile_files
from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.layers import DEFAULT
from llmdbenchd.core.job.matrix import Cell, runs
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.names import slug
from llmdbenchd.core.job.nodes import Mark
from llmdbenchd.core.job.problems import Problem, in_line_order
from llmdbenchd.core.job.support import unsupported
from llmdbenchd.core.job.workloads import Shelf, Source, find, find_all, rendered
from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan
from llmdbenchd.core.workload.duration import load_s, patience_s
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem

_UNRESOLVED = "http://endpoint.invalid"  # stands for a target that is looked up later
_NEEDED = frozenset({"harness.name", "workload", "overrides", "treatments"})
_Key = tuple[str, str, str]  # model, method and treatment: what a workload depends on


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
        load_s: how long the longest load of them lasts, as far as their workloads say it.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    outlines: tuple[Outline, ...] = ()
    load_s: float = 0.0


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
    sources, in_workload = _sources(reading, best, shelf, read_path)
    texts: dict[_Key, str] = {}
    if sources:
        texts, in_workload = _rendered(reading, best, sources)
    problems = in_line_order([*reading.problems, *in_workload])
    if problems or not sources or reading.spec is None:
        return Examination(problems, reading.notes)
    support = unsupported(reading.spec, reading.values, engine)
    longest = _longest_s(best, tuple(texts.values()))
    warnings = in_line_order(
        [
            *reading.notes,
            *support.warnings,
            *_too_short(reading, best, longest),
            *_the_same(reading, best, texts),
        ]
    )
    outlines = () if support.refused else _outlines(best, sources, texts, everything(best, shelf))
    return Examination(support.refused, warnings, outlines, longest)


def _sources(
    reading: Reading, best: JobSpec, shelf: Shelf, read_path: Callable[[str], str]
) -> tuple[Mapping[str, Source], list[Problem]]:
    if reading.wrong & _NEEDED:
        return {}, []
    field = "harness.name"
    try:
        shelf.names(best.harness.name)
        field = "workload"
        find(best, shelf, read_path)
        field = "treatments"
        return find_all(best, shelf, read_path), []
    except WorkloadError as error:
        return {}, [_problem(reading, field, one) for one in error.problems]


def _given(reading: Reading) -> frozenset[str]:
    return frozenset(name for name, value in reading.values.items() if value.origin != "default")


def _key(cell: Cell) -> _Key:
    return cell.model, cell.method, cell.treatment


def _source_of(cell: Cell, sources: Mapping[str, Source]) -> Source:
    return sources.get(cell.treatment, sources[""])


def _rendered(
    reading: Reading, best: JobSpec, sources: Mapping[str, Source]
) -> tuple[dict[_Key, str], list[Problem]]:
    """The rendered workload for each model, method and treatment, and every problem once."""
    texts: dict[_Key, str] = {}
    problems: dict[Problem, None] = {}
    endpoint = best.endpoint or _UNRESOLVED
    for cell in runs(best):
        if _key(cell) in texts:
            continue
        text, found = _try(best, cell, _source_of(cell, sources), endpoint)
        texts[_key(cell)] = text
        problems |= dict.fromkeys(_in_rendering(reading, best, cell, one) for one in found)
    return texts, list(problems)


def _try(
    spec: JobSpec, cell: Cell, source: Source, endpoint: str
) -> tuple[str, tuple[WorkloadProblem, ...]]:
    """The rendered workload, or what is wrong with its changes and with its tokens."""
    try:
        return rendered(spec, cell, source, endpoint=endpoint, workspace=IMAGE.workspace), ()
    except WorkloadError as error:
        if not any(spec.changes(cell.treatment)):
            return "", error.problems
        as_it_is = spec.model_copy(update={"overrides": {}, "treatments": None})
        return "", error.problems + _try(as_it_is, cell, source, endpoint)[1]


def _in_rendering(reading: Reading, best: JobSpec, cell: Cell, problem: WorkloadProblem) -> Problem:
    """A problem of the rendered workload at what caused it: an override, a treatment, the file."""
    subject = problem.subject.strip("`")
    constants, *own, overrides = best.changes(cell.treatment)
    if subject in overrides:
        mark = reading.plain.keys.get(("overrides", subject)) or reading.mark("overrides")
        field = f"overrides.{subject}"
        return Problem(mark.line, mark.column, field, problem.message, problem.hint)
    for changes, who in [*((one, f"treatment {cell.treatment}") for one in own),
                         (constants, "constants")]:  # fmt: skip
        if subject in changes:
            mark = reading.mark("treatments")
            message = f"{who}: {subject} {problem.message}"
            return Problem(mark.line, mark.column, "treatments", message, problem.hint)
    return _problem(reading, "workload", problem)


def _problem(reading: Reading, field: str, problem: WorkloadProblem) -> Problem:
    """A problem of the workload at the line of the job file's field that chose it."""
    mark = reading.mark(*field.split("."))
    given = field in _given(reading)
    place = mark if given else Mark(1, 1)
    where = f"{problem.file}:{problem.line}: " if problem.line else ""
    message = f"{where}{problem.subject} {problem.message}".strip()
    return Problem(place.line, place.column, field, message, problem.hint)


def _outlines(
    spec: JobSpec, sources: Mapping[str, Source], texts: Mapping[_Key, str], shelved: Shelved
) -> tuple[Outline, ...]:
    return tuple(
        Outline(cell, file, text, () if spec.skip_run else _plans(spec, cell, file, text, shelved))
        for cell in runs(spec)
        for file in [_source_of(cell, sources).rendered_file(cell.treatment)]
        for text in [texts[_key(cell)]]
    )


def _plans(
    spec: JobSpec, cell: Cell, file: str, text: str, shelved: Shelved
) -> tuple[LauncherPlan, ...]:
    endpoint = spec.endpoint or _UNRESOLVED
    attempt = Attempt(
        spec=spec,
        cell=cell,
        endpoint=endpoint,
        instance="check",
        job=spec.id or slug(spec.name or ""),
        epoch=0,
        workload_file=file,
        workload_text=text,
        others=profile_files(spec, cell, shelved, endpoint=endpoint, workspace=IMAGE.workspace),
    )
    return tuple(attempt.plan(index + 1, IMAGE) for index in range(spec.harness.parallelism))


def _longest_s(spec: JobSpec, texts: Sequence[str]) -> float:
    """Of all loads the longest; a launcher that begins later ends later."""
    longest = max(map(load_s, texts), default=0.0)
    return longest + spec.harness.stagger * (spec.harness.parallelism - 1) if longest else 0.0


def _too_short(reading: Reading, spec: JobSpec, longest: float) -> Iterator[Problem]:
    """A warning when the load lasts longer than the launchers may, or than they usually may."""
    limit = spec.harness.wait_timeout
    if limit == 0 or longest <= limit:
        return
    field, mark, lasts = "harness.wait_timeout", Mark(1, 1), f"the load lasts {longest:g} s"
    better = patience_s(longest)
    if reading.values[field].origin == DEFAULT:
        message = f"{lasts}, longer than the default: the launchers are stopped after {better} s"
        yield Problem(mark.line, mark.column, field, message, "or write harness.wait_timeout")
        return
    mark = reading.mark("harness", "wait_timeout")
    message = f"{lasts}, and the launchers are stopped after {limit} s"
    yield Problem(mark.line, mark.column, field, message, f"write wait_timeout: {better}")


def _the_same(reading: Reading, spec: JobSpec, texts: Mapping[_Key, str]) -> Iterator[Problem]:
    """A warning for treatments that change nothing, or what another one changes, too."""
    first: dict[str, str] = {}
    mark = reading.mark("treatments")
    for (model, method, treatment), text in texts.items():
        if not treatment or (model, method) != _key(runs(spec)[0])[:2]:
            continue
        other = first.setdefault(text, treatment)
        if other != treatment:
            message = f"{other} and {treatment} make the same workload"
            hint = "an override wins over what a treatment changes"
            yield Problem(mark.line, mark.column, "treatments", message, hint)
