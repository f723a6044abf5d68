"""The profiles on disk: one folder for each harness, `workload/profiles/<harness>/<name>`."""

import importlib.resources
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from llmdbenchd.core.workload.errors import (
    WorkloadError,
    WorkloadProblem,
    did_you_mean,
    listing,
)
from llmdbenchd.core.workload.profile import SUFFIXES, is_name, stem, unknown
from llmdbenchd.ports import Refused

_LARGEST = 1024 * 1024  # bytes; what a ConfigMap can carry


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile as it lies on disk.

    Attributes:
        harness: the load generator that it is for.
        name: without ending.
        text: the whole file.
        path: the file; its ending says how it is rendered.
    """

    harness: str
    name: str
    text: str
    path: Path

    @property
    def description(self) -> str:
        """Its first comment line, or empty."""
        first = next((line for line in self.text.splitlines() if line.strip()), "")
        return first.lstrip("# ").rstrip() if first.startswith("#") else ""


class Profiles:
    """Everything below one root, and nothing outside of it."""

    def __init__(self, root: Path) -> None:
        """Look below `root`; it is read at each call, so edits count at once."""
        self.root = root

    def __repr__(self) -> str:
        return f"Profiles({str(self.root)!r})"

    @classmethod
    def shipped(cls) -> Self:
        """The profiles that came with this program.

        Raises:
            Refused: they are missing from the installation.
        """
        package = Path(str(importlib.resources.files("llmdbenchd")))
        for above in (package, package.parent):  # an installed wheel, a source checkout
            if (above / "workload" / "profiles").is_dir():
                return cls(above / "workload" / "profiles")
        raise Refused("the profiles are missing from this installation; install it again")

    def harnesses(self) -> list[str]:
        """The harnesses that have a folder, sorted.

        Raises:
            WorkloadError: the root cannot be listed.
        """
        return sorted(
            path.name for path in self._listed(self.root) if is_name(path.name) and path.is_dir()
        )

    def names(self, harness: str) -> list[str]:
        """The names of a harness' profiles, without ending, sorted.

        Raises:
            WorkloadError: there is no such harness; the message lists those there are.
        """
        return sorted({stem(path.name) for path in self._files(harness)})

    def read(self, harness: str, name: str) -> Profile:
        """One profile, by its name with or without ending.

        Raises:
            WorkloadError: no such harness or profile, or a file that cannot be used.
        """
        files = {path.name: path for path in self._files(harness)}
        wanted = [name, *(stem(name) + suffix for suffix in SUFFIXES)]
        path = next((files[each] for each in wanted if each in files), None)
        if path is None:
            raise unknown(self.names(harness), name, harness)
        return Profile(harness, stem(path.name), _text(path), path)

    def _files(self, harness: str) -> list[Path]:
        if harness not in self.harnesses():
            known = self.harnesses()
            hint = f"{did_you_mean(harness, known)} {listing('There are', known)}".strip()
            raise _error(harness, "is not a harness with profiles", hint)
        return [path for path in self._listed(self.root / harness) if self._is_profile(path)]

    def _is_profile(self, path: Path) -> bool:
        return is_name(path.name) and path.name.endswith(SUFFIXES) and path.is_file()

    def _listed(self, folder: Path) -> list[Path]:
        """What lies in the folder, without links that lead out of the root."""
        try:
            root = self.root.resolve(strict=True)
            return [
                path
                for path in folder.iterdir()
                if not path.is_symlink() or path.resolve().is_relative_to(root)
            ]
        except OSError as error:
            message = f"cannot be listed: {error.strerror}"
            raise _error(str(folder), message, "Look at the setting `profiles`.") from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise _error(path.name, f"is larger than {_LARGEST} bytes", "Is it a profile?")
        return content.decode()
    except UnicodeDecodeError as error:
        raise _error(path.name, f"is not UTF-8 text (byte {error.start})", "Save it so.") from error
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise _error(path.name, message, "Let the daemon's user read it.") from error


def _error(subject: str, message: str, hint: str) -> WorkloadError:
    return WorkloadError([WorkloadProblem("profiles", 0, f"`{subject}`", message, hint)])
