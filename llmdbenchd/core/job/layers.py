"""The room of precedence: which of several values for one field is in force, and why.

Low to high: default, the daemon's environment, `submitted_environment`, the scenario,
`variables`, the named field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llmdbenchd.core.job.row import Row
from llmdbenchd.core.job.variables import FIELDS

NAMED = "job file"
SCENARIO = "scenario"
VARIABLES = "variables"
SUBMITTED = "submitted environment"
DAEMON = "daemon environment"
DEFAULT = "default"
ORIGINS = (NAMED, VARIABLES, SCENARIO, SUBMITTED, DAEMON, DEFAULT)  # the strongest first
NOT_OF_THIS_JOB = frozenset({DAEMON, SUBMITTED, SCENARIO})  # written with other jobs in mind

_IMAGE = ("ghcr.io", "llm-d", "llm-d-benchmark", "auto")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field's value came from.

    Attributes:
        origin: one of `ORIGINS`.
        variable: the variable that was read, if any.
        place: FILE:LINE of it where that is another file than the job file, else empty.
    """

    origin: str
    variable: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """The variables of one origin, by their own names; `places` is for those of a file."""

    origin: str
    variables: Mapping[str, str]
    places: Mapping[str, str] = field(default_factory=dict)

    def source(self, variable: str) -> Source:
        """The variable as a field's source."""
        return Source(self.origin, variable, self.places.get(variable, ""))


def merge(
    named: Mapping[str, object],
    layers: Sequence[Layer],
    taken: frozenset[tuple[str | int, ...]] = frozenset(),
) -> tuple[dict[str, object], dict[str, Source]]:
    """The named fields, completed by variables of the other layers.

    Args:
        named: what the job file says by the fields' names.
        layers: the other origins, the strongest first.
        taken: paths that the file names in a way that cannot be used; no layer fills them.

    Returns:
        All values by nested field names, and for every field in the table that has one,
        its source. An empty variable counts as not given.
    """
    values = {key: dict(part) if isinstance(part, dict) else part for key, part in named.items()}
    if isinstance(values.get("harness"), str):
        values["harness"] = {"name": values["harness"]}
    sources: dict[str, Source] = {}
    for row in FIELDS:
        path = tuple(row.field.split("."))
        if _has(values, path):
            sources[row.field] = Source(NAMED)
            continue
        found = _found(row, layers)
        blocked = any(path[: len(one)] == one for one in taken)
        if found is not None and not blocked and _put(values, path, found[0]):
            sources[row.field] = found[1]
    return values, sources


def _found(row: Row, layers: Sequence[Layer]) -> tuple[str, Source] | None:
    if row.field == "harness.image":
        return _image(row, layers)
    for layer in layers:
        for variable in row.variables:
            if value := layer.variables.get(variable, "").strip():
                return value, layer.source(variable)
    return None


def _image(row: Row, layers: Sequence[Layer]) -> tuple[str, Source] | None:
    """An image out of its four variables, each from the strongest layer that has it."""
    words = list(_IMAGE)
    source: Source | None = None
    for layer in reversed(layers):
        for position, variable in enumerate(row.variables):
            if value := layer.variables.get(variable, "").strip():
                words[position] = value
                source = layer.source(variable)
    if source is None:
        return None
    registry, repository, name, tag = words
    image = f"{registry}/{repository}/{name}"
    return (image if tag == "auto" else f"{image}:{tag}"), source


def _has(values: Mapping[str, object], path: Sequence[str]) -> bool:
    part: object = values
    for key in path:
        if not isinstance(part, dict) or key not in part:
            return False
        part = part[key]
    return True


def _put(values: dict[str, object], path: Sequence[str], value: str) -> bool:
    """Set a value; False where the file has something else than a section on the way."""
    part = values
    for key in path[:-1]:
        inner = part.setdefault(key, {})
        if not isinstance(inner, dict):
            return False
        part = inner
    part[path[-1]] = value
    return True
