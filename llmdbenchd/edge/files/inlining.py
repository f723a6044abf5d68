"""The caller's local files, put into a job: the daemon may live elsewhere, and never sees them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from llmdbenchd.core.job.credentials import holds_a_credential
from llmdbenchd.core.job.decoding import LARGEST
from llmdbenchd.core.job.editing import NoJobFile
from llmdbenchd.core.job.scenarios import ScenarioFile, carried_scenario
from llmdbenchd.core.job.treatment_files import TreatmentsFile, WrongTreatments, read_file
from llmdbenchd.core.scenario.errors import ScenarioError

ENDINGS = {  # what may be left out of a name, the likeliest first
    "workload": ("", ".yaml", ".yaml.in", ".yaml.j2"),
    "treatments": ("", ".yaml", ".yml"),
    "scenario": ("", ".sh", ".yaml", ".yml"),
}


@dataclass(frozen=True, slots=True)
class Inlined:
    """What becomes of a field that names a file.

    Attributes:
        value: the file's contents, in the field's own form; None = the field stays as it is.
        remark: what the caller should know, or empty.
    """

    value: object = None
    remark: str = ""


def inlined(field: str, word: str | None, base: Path, environment: Mapping[str, str]) -> Inlined:
    """The file that a field names, if it is one of the caller's: a name has no `/` in it.

    Args:
        field: one of `ENDINGS`.
        word: what the field says.
        base: the folder that a relative path begins at.
        environment: the caller's variables, which a scenario may refer to.

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
        return _scenario(path, text, environment)
    if holds_a_credential(text):
        raise NoJobFile(f"{path} holds what looks like a credential: name a secret instead")
    if field == "treatments":
        return Inlined(_experiment(path, text))
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


def _scenario(path: Path, text: str, environment: Mapping[str, str]) -> Inlined:
    """A scenario's variables, without its credentials."""
    try:
        found = carried_scenario(ScenarioFile(str(path), text), environment=environment)
    except ScenarioError as error:
        raise NoJobFile(f"{error}{f' ({error.hint})' if error.hint else ''}") from error
    return Inlined(dict(found.variables), "\n".join(found.remarks))


def _experiment(path: Path, text: str) -> yaml.Node | None:
    """An experiment as it is written, once the daemon's own reader has taken it."""
    try:
        read_file(TreatmentsFile(str(path), text))
    except WrongTreatments as error:
        raise NoJobFile(str(error)) from error
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:  # the reader's parser is another one
        raise NoJobFile(f"{path} is not YAML: {error}") from error
