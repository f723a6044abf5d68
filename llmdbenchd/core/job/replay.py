"""From an accepted job back to a job file that asks for the same thing again."""

from collections.abc import Mapping

import yaml

from llmdbenchd.core.job.accepted import AcceptedJob
from llmdbenchd.core.job.jobfile import Value
from llmdbenchd.core.job.layers import DAEMON, DEFAULT, NAMED
from llmdbenchd.core.job.matrix import Cell
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.treatments import constants_of
from llmdbenchd.core.job.variables import BY_FIELD
from llmdbenchd.core.job.workloads import Source

_KEPT_EMPTY = frozenset(  # or something of today would take their places
    {"submitted_environment", "scenario"}
)
_IMAGE = BY_FIELD["harness.image"].variables
_PROFILE = BY_FIELD["workload"].variables[0]
_OF_ITS_TIME = frozenset({"id", "not_before"})  # an id is taken, and that moment is over
_CARRIED = frozenset({"scenario", "treatments", "workload"})  # as they were when the job was taken


def again(accepted: AcceptedJob, cell: Cell | None = None) -> dict[str, object]:
    """What the job file says.

    Workloads, treatments and the scenario are in it as they were when the job was taken,
    whatever became of their files. Values of the daemon's environment are in it too, by their
    variables, so that they are as weak as they were.

    Args:
        accepted: the job.
        cell: only this run of it; None = all.
    """
    found: dict[str, object] = {"name": accepted.spec.name or accepted.job}
    moved: dict[str, dict[str, object]] = {"variables": {}, "submitted_environment": {}}
    defaults = JobSpec().model_dump(mode="json", by_alias=True)
    for field, value in accepted.values.items():
        if field in _OF_ITS_TIME | _CARRIED:
            continue
        if value.variable in _IMAGE:
            moved["submitted_environment"] |= _image(str(value.value))
        elif value.origin == DAEMON and not isinstance(value.value, dict):
            moved["submitted_environment"][BY_FIELD[field].variables[0]] = _as_text(value.value)
        elif _is_told(value, _at(defaults, field)):
            _put(found, field, value.value)
    if isinstance(name := accepted.spec.workload, str):  # tokens and launchers see its name
        moved["variables"][_PROFILE] = name
    for layer, more in moved.items():
        found[layer] = dict(getattr(accepted.spec, layer)) | more
    found["workload"] = _file(accepted.source)
    found["engine"] = accepted.engine
    found |= {"scenario": accepted.spec.scenario} if accepted.spec.scenario is not None else {}
    found |= _experiment(accepted, cell)
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


def _file(source: Source) -> dict[str, object]:
    return {"file": source.file, "text": source.text}


def _experiment(accepted: AcceptedJob, cell: Cell | None) -> dict[str, object]:
    """The treatments, each with its profile as it was; of one run only that run's."""
    spec = accepted.spec
    treatments = [
        {"name": one.name}
        | ({"profile": _file(accepted.sources[one.name])} if one.profile else {})
        | dict(one.changes)
        for one in spec.experiment
        if cell is None or one.name == cell.treatment
    ]
    experiment = {"constants": constants_of(spec.treatments), "treatments": treatments}
    return {"treatments": experiment} if treatments else {}


def _narrowed(spec: JobSpec, cell: Cell) -> dict[str, object]:
    methods = {} if spec.endpoint else {"methods": [cell.method]}
    return {"models": [cell.model], "repeat": 1, **methods}


def _is_told(value: Value, default: object) -> bool:
    """Whether the field itself must say it; variables and a scenario say it again."""
    if value.origin == DEFAULT:
        return value.value != default  # the daemon's settings chose it
    return value.origin in {NAMED, DAEMON}


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
