"""The door for job files: from bytes to a `JobSpec`, or to every mistake at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from llmdbenchd.core.job.credentials import names_a_credential
from llmdbenchd.core.job.decoding import decode
from llmdbenchd.core.job.findings import findings, place_of
from llmdbenchd.core.job.layers import (
    DAEMON,
    DEFAULT,
    SUBMITTED,
    VARIABLES,
    Layer,
    Source,
    merge,
)
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.nodes import Mark, compose
from llmdbenchd.core.job.notes import notes
from llmdbenchd.core.job.problems import Problem, in_line_order
from llmdbenchd.core.job.tree import Path, Plain, plain
from llmdbenchd.core.job.variables import FIELDS, row_of

MOST_PROBLEMS = 100  # more are counted, not listed


@dataclass(frozen=True, slots=True)
class Value:
    """One field's value and where it came from.

    Attributes:
        value: the value, in JSON's types.
        origin: one of `layers.ORIGINS`.
        variable: the variable that set it, or empty.
        line: where it stands in the job file, from 1; 0 when it does not; `column` likewise.
        place: FILE:LINE of a value that another file sets, else empty.
    """

    value: object
    origin: str
    variable: str = ""
    line: int = 0
    column: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        spec: the job, or None when there are problems.
        problems: every mistake, in line order; none when `spec` is there.
        values: every field of the table that is right, by its dotted path.
        text: the decoded text, empty when there is none; for `show`.
        best: the job as far as it is right: what is wrong has its default here.
        wrong: dotted paths of the fields that are wrong in `best`.
        notes: what is not wrong and deserves a look, in line order.
        plain: the places of everything in the file.
    """

    spec: JobSpec | None = None
    problems: tuple[Problem, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)
    text: str = ""
    best: JobSpec | None = None
    wrong: frozenset[str] = frozenset()
    notes: tuple[Problem, ...] = ()
    plain: Plain = field(default_factory=Plain)

    def mark(self, *path: str | int) -> Mark:
        """Where the value of a path stands, or the nearest thing around it.

        A field that a variable set is found at the variable; line 0 is outside of the file.
        """
        row = row_of(path)
        value = self.values.get(row.field) if row else None
        if value is None or path in self.plain.nodes:
            return self.plain.mark(path)
        return place_of(path, self.plain, Source(value.origin, value.variable))


def read_job(
    data: bytes,
    *,
    stem: str,
    environment: Mapping[str, str],
    scenario: Layer | None = None,
) -> Reading:
    """Read a job file. Never raises: whatever is wrong is a problem with a place.

    Args:
        data: the file; at most a byte more than `decoding.LARGEST` is needed.
        stem: the file's name without its ending: the job's name by default.
        environment: the daemon's; `LLMDBENCH_*` is used, credentials are not.
        scenario: what the scenario says, when it was read.
    """
    text = decode(data)
    if isinstance(text, Problem):
        return Reading(problems=(text,))
    root, in_yaml = compose(text)
    if root is None and in_yaml:
        return Reading(problems=_listed(in_yaml), text=text)
    found = plain(root)
    values, sources = merge(
        found.values, _layers(found, environment, scenario), frozenset(found.broken)
    )
    if ("name",) not in found.broken:
        values.setdefault("name", stem.strip() or "job")
    best, errors = _validated(values)
    in_fields = findings(errors, found, sources)
    problems = _listed([*in_yaml, *found.problems, *(one.problem for one in in_fields)])
    wrong = _fields_at([*(one.path for one in in_fields), *found.broken])
    return Reading(
        spec=None if problems else best,
        problems=problems,
        values=_values(best, wrong, sources, found),
        text=text,
        best=best,
        wrong=wrong,
        notes=in_line_order(notes(found)),
        plain=found,
    )


def _layers(
    found: Plain, environment: Mapping[str, str], scenario: Layer | None
) -> tuple[Layer, ...]:
    return (
        Layer(VARIABLES, usable(found.values.get("variables"))),
        *([scenario] if scenario else []),
        Layer(SUBMITTED, usable(found.values.get("submitted_environment"))),
        Layer(DAEMON, usable(environment)),
    )


def usable(variables: object) -> dict[str, str]:
    """The era's variables that hold text and no credential."""
    if not isinstance(variables, Mapping):
        return {}
    return {
        name: value
        for name, value in variables.items()
        if isinstance(value, str) and name.startswith("LLMDBENCH_") and not names_a_credential(name)
    }


def _validated(values: Mapping[str, object]) -> tuple[JobSpec, list[ErrorDetails]]:
    """The job without what is wrong in it, and the errors of the first look."""
    errors: list[ErrorDetails] = []
    remaining = dict(values)
    for _ in range(4):  # what is left may lack something: take that part away as well
        try:
            return JobSpec.model_validate(remaining), errors
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            errors = errors or details
            for one in details:
                _take_away(remaining, tuple(part for part in one["loc"] if part != "[key]"))
    return JobSpec(), errors  # pragma: no cover - a net below a loop that has never needed it


def _take_away(values: dict[str, object], path: Path) -> None:
    """Remove the field at a path, or the section around it when it is not there."""
    row = row_of(path)
    whole: Path = tuple(row.field.split(".")) if row else path
    part: object = values
    for key in whole[:-1]:
        inner = part.get(key) if isinstance(part, dict) else None
        if not isinstance(inner, dict):
            break
        part = inner
    if isinstance(part, dict) and whole and whole[-1] in part:
        del part[whole[-1]]
    elif whole:
        values.pop(str(whole[0]), None)
    else:
        values.clear()


def _fields_at(paths: Sequence[Path]) -> frozenset[str]:
    """The fields that have to do with any of the paths: around, at or below it."""
    wrong: set[str] = set()
    for path in paths:
        row = row_of(path)
        start = ".".join(map(str, path)) + "."
        wrong |= (
            {row.field} if row else {one.field for one in FIELDS if one.field.startswith(start)}
        )
    return frozenset(wrong)


def _values(
    spec: JobSpec, wrong: frozenset[str], sources: Mapping[str, Source], found: Plain
) -> dict[str, Value]:
    dumped = spec.model_dump(mode="json", by_alias=True)
    values: dict[str, Value] = {}
    for row in FIELDS:
        if row.field in wrong:
            continue
        path = tuple(row.field.split("."))
        value: object = dumped
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        source = sources.get(row.field, Source(DEFAULT))
        mark = place_of(path, found, source)
        values[row.field] = Value(
            value, source.origin, source.variable, mark.line, mark.column, source.place
        )
    return values


def _listed(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """In line order; a very long list is cut and says so."""
    ordered = in_line_order(problems)
    if len(ordered) <= MOST_PROBLEMS:
        return ordered
    last = ordered[MOST_PROBLEMS - 1]
    more = f"{len(ordered) - MOST_PROBLEMS} more mistakes follow"
    return (*ordered[:MOST_PROBLEMS], Problem(last.line, last.column, "", more))
