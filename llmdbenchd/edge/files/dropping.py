"""The queue and the records on a local disk: how a program drops a job file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.core.job.credentials import holds_a_credential, names_a_credential
from llmdbenchd.core.job.editing import edited, has
from llmdbenchd.edge.files.durable import publish_new

ENVIRONMENT = "submitted_environment"
_OURS = "LLMDBENCH_"
_READABLE_BY_GROUP = 0o640  # the daemon is in the queue's group, whatever our umask


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


def with_environment(text: str, values: Mapping[str, str]) -> str:
    """Add `submitted_environment` to a job file that has none, changing nothing else.

    Raises:
        NoJobFile: it is too large, or no single mapping in YAML.
    """
    if has(text, ENVIRONMENT) or not values:
        return text
    return edited(text, {ENVIRONMENT: dict(values)})


def drop(queue: Path, job: str, text: str) -> Path:
    """Put a whole job file into the queue under the id that it shall have.

    Raises:
        AlreadyThere: there is a file of that name.
        Refused, Unavailable: the folder cannot be written.
    """
    path = queue / f"{job}.yaml"
    publish_new(path, text.encode(), mode=_READABLE_BY_GROUP)
    return path
