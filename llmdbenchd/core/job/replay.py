"""From an accepted job back to a job file that asks for the same thing again."""

from collections.abc import Mapping

import yaml

from llmdbenchd.core.job.accepted import AcceptedJob
from llmdbenchd.core.job.jobfile import Value
from llmdbenchd.core.job.layers import DAEMON, DEFAULT, NAMED, SCENARIO
from llmdbenchd.core.job.matrix import Cell
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.variables import BY_FIELD

_KEPT_EMPTY = frozenset({"submitted_environment"})  # or `submit` would add the caller's of today
_IMAGE = BY_FIELD["harness.image"].variables
_OF_ITS_TIME = frozenset({"id", "not_before"})  # an id is taken, and that moment is over


class CannotReplay(ValueError):
    """There is no job file for just this; the message says why."""


def again(accepted: AcceptedJob, cell: Cell | None = None) -> dict[str, object]:
    """What the job file says.

    The workload is in it as it was when the job was taken, whatever became of the profile.
    Values that came from elsewhere (a scenario, the daemon's environment) are in it too,
    by their variables, so that they are as weak as they were.

    Args:
        accepted: the job.
        cell: only this run of it; None = all.

    Raises:
        CannotReplay: one run of a job with treatments.
    """
    found: dict[str, object] = {"name": accepted.spec.name or accepted.job}
    moved: dict[str, dict[str, object]] = {"variables": {}, "submitted_environment": {}}
    defaults = JobSpec().model_dump(mode="json", by_alias=True)
    for field, value in accepted.values.items():
        to = _variables_for(value)
        if value.variable in _IMAGE:
            moved["submitted_environment"] |= _image(str(value.value))
        elif to:
            moved[to][value.variable] = _as_text(value.value)
        elif field not in _OF_ITS_TIME and _is_told(value, _at(defaults, field)):
            _put(found, field, value.value)
    for name, more in moved.items():
        given = getattr(accepted.spec, name)
        found[name] = dict(given) | more
    found["workload"] = {"file": accepted.source.file, "text": accepted.source.text}
    found["engine"] = accepted.engine
    if cell is not None:
        found |= _narrowed(accepted.spec, cell)
    return {field: value for field, value in found.items() if value != {} or field in _KEPT_EMPTY}


def job_text(job: Mapping[str, object], remark: str) -> str:
    """The job file as text.

    Args:
        job: what it says.
        remark: one line for people, at the top.
    """
    return f"# {remark}\n" + yaml.dump(dict(job), Dumper=_Readable, sort_keys=False)


def _narrowed(spec: JobSpec, cell: Cell) -> dict[str, object]:
    if cell.treatment:
        raise CannotReplay("a single treatment cannot be asked for: replay the whole job")
    methods = {} if spec.endpoint else {"methods": [cell.method]}
    return {"models": [cell.model], "repeat": 1, **methods}


def _variables_for(value: Value) -> str:
    """Where a value goes that no part of the job file said; empty for the field itself."""
    if isinstance(value.value, dict):
        return ""
    return {SCENARIO: "variables", DAEMON: "submitted_environment"}.get(value.origin, "")


def _is_told(value: Value, default: object) -> bool:
    """Whether the field itself must say it; variables in the job say what they say again."""
    if value.origin == DEFAULT:
        return value.value != default  # the daemon's settings chose it
    return value.origin in {NAMED, SCENARIO, DAEMON}


def _image(image: str) -> dict[str, object]:
    """An image as its four variables: each may have come from somewhere else."""
    path, _, last = image.rpartition("/")
    registry, _, repository = path.partition("/")
    name, _, tag = last.partition(":")
    return dict(zip(_IMAGE, (registry, repository, name, tag or "auto"), strict=True))


def _at(values: object, field: str) -> object:
    for key in field.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _put(job: dict[str, object], field: str, value: object) -> None:
    section, _, name = field.partition(".")
    if not name:
        job[section] = value
        return
    inner = job.get(section)
    job[section] = {**(inner if isinstance(inner, dict) else {}), name: value}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


class _Readable(yaml.SafeDumper):
    """Writes a text of several lines as lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)
