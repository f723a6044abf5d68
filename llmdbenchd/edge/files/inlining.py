"""The caller's local files, put into a job: the daemon may live elsewhere, and never sees them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from llmdbenchd.core.job.credentials import holds_a_credential, names_a_credential
from llmdbenchd.core.job.decoding import LARGEST
from llmdbenchd.core.job.editing import NoJobFile

ENDINGS = {  # what may be left out of a name, the likeliest first
    "workload": ("", ".yaml", ".yaml.in", ".yaml.j2"),
    "treatments": ("", ".yaml"),
    "scenario": ("", ".sh", ".yaml"),
}
_ASSIGNED = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*[=:]")  # by a shell, in YAML


@dataclass(frozen=True, slots=True)
class Inlined:
    """What becomes of a field that names a file.

    Attributes:
        value: the file's contents, in the field's own form; None = the field stays as it is.
        remark: what the caller should know, or empty.
    """

    value: object = None
    remark: str = ""


def inlined(field: str, word: str | None, base: Path) -> Inlined:
    """The file that a field names, if it is one of the caller's: a name has no `/` in it.

    Args:
        field: one of `ENDINGS`.
        word: what the field says.
        base: the folder that a relative path begins at.

    Raises:
        NoJobFile: the file cannot go into a job; the message says why.
    """
    if word is None or "/" not in word:
        return Inlined()
    path = next(_files(base / Path(word).expanduser(), ENDINGS[field]), None)
    if path is None:
        return Inlined(None, f"{field}: {word} is not here; the daemon will look for it there")
    text = _read(path)
    if field == "scenario":
        return _scenario(path, text)
    if holds_a_credential(text):
        raise NoJobFile(f"{path} holds what looks like a credential: name a secret instead")
    if field == "treatments":
        return Inlined(_tree(path, text))
    return Inlined({"file": path.name, "text": text})


def _files(path: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    return (
        file for ending in endings if (file := path.with_name(f"{path.name}{ending}")).is_file()
    )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NoJobFile(f"{path} cannot be read: {why}") from error
    if len(data) > LARGEST:
        raise NoJobFile(f"{path} is larger than the {LARGEST} bytes of a job file")
    return text


def _scenario(path: Path, text: str) -> Inlined:
    """A scenario without its credentials: nothing of the run phase reads them there."""
    lines = [_without_credential(line) for line in text.splitlines(keepends=True)]
    safe = "".join(lines)
    if holds_a_credential(safe):
        raise NoJobFile(f"{path} holds what looks like a credential: name a secret instead")
    remark = f"{path}: its credentials were not sent along" if safe != text else ""
    return Inlined({"file": path.name, "text": safe}, remark)


def _without_credential(line: str) -> str:
    found = _ASSIGNED.match(line)
    if found is None or not names_a_credential(found["name"]):
        return line
    return f"{found[0]}\n"


def _tree(path: Path, text: str) -> yaml.Node:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise NoJobFile(f"{path} is not YAML: {error}") from error
    if not isinstance(node, yaml.MappingNode):
        raise NoJobFile(f"{path} is no mapping (`field: value` lines)")
    return node
