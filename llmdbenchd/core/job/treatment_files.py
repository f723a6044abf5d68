"""A job together with the treatments file that it names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic_core import PydanticCustomError

from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.kinds import Object
from llmdbenchd.core.job.model import MOST_RUNS
from llmdbenchd.core.job.nodes import Entries, Entry, Mark, compose
from llmdbenchd.core.job.problems import Problem, in_line_order
from llmdbenchd.core.job.treatments import read_treatments, without_effect
from llmdbenchd.core.job.tree import Plain, plain
from llmdbenchd.core.workload.errors import WorkloadError

_FIELD = "treatments"


@dataclass(frozen=True, slots=True)
class TreatmentsFile:
    """A treatments file that was found: its name as people know it, and its text."""

    file: str
    text: str


Open = Callable[[str], TreatmentsFile]
_Told = tuple[str, str]  # what is wrong, and a hint


class WrongTreatments(ValueError):
    """The file holds no experiment: `told` is all that is wrong, each with its place."""

    def __init__(self, told: Sequence[_Told]) -> None:
        super().__init__("; ".join(f"{what} ({hint})" if hint else what for what, hint in told))
        self.told = told


def with_treatments(reading: Reading, open_treatments: Open) -> Reading:
    """The reading with the contents of the treatments file in place of its name.

    Args:
        reading: what was read so far.
        open_treatments: finds a file by its name; raises `WorkloadError`.
    """
    asked = reading.best.treatments if reading.best else None
    if asked is None or _FIELD in reading.wrong:
        return reading
    if not isinstance(asked, str):
        return _noted(reading, reading.plain, "")
    try:
        found = open_treatments(asked)
    except WorkloadError as error:
        told = [(f"{asked} {one.message}", one.hint) for one in error.problems]
        return _refused(reading, told)
    try:
        document, inside = read_file(found)
    except WrongTreatments as error:
        return _refused(reading, error.told)
    return _noted(_with(reading, document, found.file), inside, found.file)


def read_file(found: TreatmentsFile) -> tuple[Object, Plain]:
    """The experiment in today's form, and the file's values as they are written.

    Raises:
        WrongTreatments: it is none.
    """
    root, problems = compose(found.text)
    inside = plain(Entries(Mark(1, 1), (Entry(Mark(1, 1), _FIELD, root),)) if root else None)
    problems = (*problems, *inside.problems)
    if problems:
        told = [(f"{found.file}:{one.line}: {one.message}", one.hint) for one in problems]
        raise WrongTreatments(told)
    try:
        document = read_treatments(inside.values.get(_FIELD))
    except PydanticCustomError as error:
        raise WrongTreatments([_told(error, inside, found.file)]) from error
    if isinstance(document, str):
        raise WrongTreatments([(f"{found.file}:1: the file is a text, not a mapping", "")])
    return document, inside


def _told(error: PydanticCustomError, inside: Plain, file: str) -> _Told:
    facts = error.context or {}
    at = (_FIELD, *facts["at"])
    name = ".".join(map(str, facts["at"])) or "the file"
    line = inside.keys[at].line if at in inside.keys else inside.mark(at).line
    return f"{file}:{line}: {name} {facts['message']}", facts["hint"]


def _with(reading: Reading, document: object, file: str) -> Reading:
    kept = {_FIELD: document}
    best = reading.best.model_copy(update=kept) if reading.best else None
    if best is not None and best.cells > MOST_RUNS:
        told = f"{file}: the job would make {best.cells} runs; at most {MOST_RUNS} are possible"
        return _refused(reading, [(told, "split it into several jobs")])
    spec = reading.spec.model_copy(update=kept) if reading.spec else None
    return replace(reading, best=best, spec=spec)


def _noted(reading: Reading, inside: Plain, file: str) -> Reading:
    return replace(reading, notes=in_line_order([*reading.notes, *_notes(reading, inside, file)]))


def _notes(reading: Reading, inside: Plain, file: str) -> Iterator[Problem]:
    for key, message in without_effect(inside.values.get(_FIELD)):
        there = inside.keys[(_FIELD, key)]
        mark = reading.mark(_FIELD) if file else there
        where = f"{file}:{there.line}: " if file else ""
        yield Problem(mark.line, mark.column, f"{_FIELD}.{key}", f"{where}{message}")


def _refused(reading: Reading, told: Sequence[_Told]) -> Reading:
    """The reading with problems at the place that names the file."""
    mark = reading.mark(_FIELD)
    problems = [Problem(mark.line, mark.column, _FIELD, what, hint) for what, hint in told]
    return replace(
        reading,
        spec=None,
        problems=in_line_order([*reading.problems, *problems]),
        wrong=reading.wrong | {_FIELD},
    )
