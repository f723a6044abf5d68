"""The queue and the records on a local disk: how a program drops a job file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from llmdbenchd.core.job.credentials import holds_a_credential, names_a_credential
from llmdbenchd.edge.files.durable import publish_new
from llmdbenchd.edge.files.taking import SIZE_CAP

ENVIRONMENT = "submitted_environment"
_OURS = "LLMDBENCH_"
_READABLE_BY_GROUP = 0o640  # the daemon is in the queue's group, whatever our umask


class NoJobFile(ValueError):
    """The text cannot be a job file; the message says why."""


@dataclass(frozen=True, slots=True)
class Carried:
    """The caller's variables: those that go along, and the names of those that must not."""

    values: Mapping[str, str]
    left_out: tuple[str, ...]


def carried(environment: Mapping[str, str]) -> Carried:
    """Choose what of the caller's environment goes with a job: no credentials."""
    ours = {name: value for name, value in environment.items() if name.startswith(_OURS)}
    secret = {n for n, value in ours.items() if names_a_credential(n) or holds_a_credential(value)}
    values = {name: ours[name] for name in sorted(ours.keys() - secret)}
    return Carried(values, tuple(sorted(secret)))


def own_id(text: str) -> str | None:
    """The job file's own `id:`, or None.

    Raises:
        NoJobFile: it is too large, or no single mapping in YAML.
    """
    node = _top(text)
    for key, value in node.value if node else ():
        if key.value == "id" and isinstance(value, yaml.ScalarNode) and value.value:
            return str(value.value)
    return None


def with_environment(text: str, values: Mapping[str, str]) -> str:
    """Add `submitted_environment` to a job file, changing nothing else.

    It comes last, so that lines keep their numbers, unless that would change the value
    before it. A file that has the key already is left as it is.

    Raises:
        NoJobFile: it is too large, or no single mapping in YAML.
    """
    node = _top(text)
    if not values or _has_environment(node):
        return text
    added = f"{ENVIRONMENT}: {json.dumps(values)}"
    for new in _ways_to_add(text, node, added):
        if _same_besides(node, _top(new)):
            return new
    raise NoJobFile(f"`{ENVIRONMENT}` cannot be added to it: is its YAML unusual?")


def drop(queue: Path, job: str, text: str) -> Path:
    """Put a whole job file into the queue under the id that it shall have.

    Raises:
        AlreadyThere: there is a file of that name.
        Refused, Unavailable: the folder cannot be written.
    """
    path = queue / f"{job}.yaml"
    publish_new(path, text.encode(), mode=_READABLE_BY_GROUP)
    return path


def _top(text: str) -> yaml.MappingNode | None:
    if len(text.encode()) > SIZE_CAP:
        raise NoJobFile(f"it is larger than the {SIZE_CAP} bytes of a job file")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise NoJobFile(str(error)) from error
    except RecursionError as error:
        raise NoJobFile("it is nested too deeply") from error
    if node is not None and not isinstance(node, yaml.MappingNode):
        raise NoJobFile("it is no mapping (`field: value` lines)")
    return node


def _ways_to_add(text: str, node: yaml.MappingNode | None, added: str) -> Iterator[str]:
    if node is None:
        yield f"{_ended(text)}{added}\n"
    elif node.flow_style:
        at = node.start_mark.index + 1
        yield f"{text[:at]}{added}, {text[at:]}"
    else:
        at, indent = node.end_mark.index, " " * node.start_mark.column
        yield f"{_ended(text[:at].rstrip(' '))}{indent}{added}\n{text[at:]}"
        at = node.start_mark.index
        yield f"{text[:at]}{added}\n{indent}{text[at:]}"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _has_environment(node: yaml.MappingNode | None) -> bool:
    return node is not None and any(key.value == ENVIRONMENT for key, _ in node.value)


def _same_besides(old: yaml.MappingNode | None, new: yaml.MappingNode | None) -> bool:
    """Whether `new` is `old` with the environment, and nothing else is different."""
    if new is None or not _has_environment(new):
        return False
    rest = [(key, value) for key, value in new.value if key.value != ENVIRONMENT]
    return _plain(rest) == _plain(old.value if old else [])


def _plain(pairs: list[tuple[yaml.Node, yaml.Node]]) -> str:
    written = yaml.serialize(yaml.MappingNode("tag:yaml.org,2002:map", pairs))
    return str(written)
