"""Scenario files on disk: by name anywhere below the scenarios' folder, or by path."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.core.job.decoding import LARGEST, decode
from llmdbenchd.core.job.problems import did_you_mean
from llmdbenchd.core.job.scenarios import ScenarioFile
from llmdbenchd.core.scenario.errors import ScenarioError

_SUFFIXES = ("", ".sh", ".yaml", ".yml")
_NOTHING = frozenset({"none", "none.sh"})  # the field makes an empty file of this name
_MOST = 10_000  # files that are looked at; a folder with more is no folder of scenarios


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Everything below one folder, and what may be named by path.

    Attributes:
        root: the folder; None where there is none.
        roots: further folders below which an absolute path may lie.
    """

    root: Path | None
    roots: Sequence[Path] = ()

    def open(self, name: str) -> ScenarioFile:
        """Find a scenario and read it.

        Args:
            name: a file's name with or without `.sh`, a path below the folder, or an
                absolute path.

        Raises:
            ScenarioError: there is none, or more than one; it may not be named or read.
        """
        if name.startswith("/"):
            return _read(self._allowed(Path(name), name), name)
        found = self._found(name)
        if not found:
            if name in _NOTHING:
                return ScenarioFile(name, "")
            raise self._missing(name)
        if len(found) > 1:
            shown = ", ".join(sorted(found)[:5])
            raise ScenarioError(
                name, 0, f"is the name of {len(found)} scenarios", f"name one: {shown}"
            )
        [(shown, path)] = found.items()
        return _read(path, shown)

    def _found(self, name: str) -> dict[str, Path]:
        """The files of this name, by their paths below the folder; one file counts once."""
        for suffix in _SUFFIXES:
            wanted = Path(name + suffix).parts
            found = {
                path.resolve(): shown
                for shown, path in self._files()
                if Path(shown).parts[-len(wanted) :] == wanted
            }
            if found:
                return {shown: path for path, shown in found.items()}
        return {}

    def _files(self) -> Iterator[tuple[str, Path]]:
        """All files below the folder, without links that lead out of it."""
        if self.root is None:
            return
        count = 0
        for folder, folders, names in os.walk(self.root):
            folders.sort()
            for name in sorted(names):
                path = Path(folder) / name
                count += 1
                if count > _MOST:
                    raise ScenarioError(str(self.root), 0, f"holds more than {_MOST} files")
                if not path.is_symlink() or path.resolve().is_relative_to(self.root.resolve()):
                    yield str(path.relative_to(self.root)), path

    def _allowed(self, path: Path, name: str) -> Path:
        roots = [*([self.root] if self.root else []), *self.roots]
        file = path.resolve()
        if not any(file.is_relative_to(root.resolve()) for root in roots):
            hint = "submit puts a local file into the job; or see the setting path_roots"
            raise ScenarioError(name, 0, "lies outside of the folders that a job may name", hint)
        return file

    def _missing(self, name: str) -> ScenarioError:
        if self.root is None:
            hint = "name it in the setting scenarios, or write the variables into the job"
            return ScenarioError(
                name, 0, "cannot be found: this daemon has no scenarios folder", hint
            )
        known = {Path(shown).name for shown, _ in self._files()}
        stems = {Path(one).stem for one in known}
        hint = did_you_mean(name, sorted(known | stems))
        return ScenarioError(name, 0, "is not the name of a scenario", hint)


def _read(path: Path, shown: str) -> ScenarioFile:
    try:
        with path.open("rb") as file:
            text = decode(file.read(LARGEST + 1))
    except OSError as error:
        raise ScenarioError(shown, 0, f"cannot be read: {error.strerror}") from error
    if not isinstance(text, str):
        raise ScenarioError(shown, text.line, text.message)
    return ScenarioFile(shown, text)
