"""The shelf of Python environments on this machine: conda's and virtual ones, by name or path.

A job names one whose Python then runs as the daemon's user. A name is looked up where the
daemon's own people keep environments; a path is taken only where nobody but they can have put
what lies there.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.core.results.manifest import mistake_in_path
from llmdbenchd.ports import Refused

_USUAL = ("~/.conda/envs", "~/miniforge3/envs", "~/miniconda3/envs", "/opt/conda/envs")
_REGISTER = "~/.conda/environments.txt"  # where conda lists all that it ever made


@dataclass(frozen=True, slots=True)
class Environments:
    """Where environments are looked for.

    Attributes:
        variables: the daemon's environment; `CONDA_ENVS_PATH`, `CONDA_EXE`,
            `MAMBA_ROOT_PREFIX` and `HOME` say where conda keeps its own.
        venvs: the setting `harness_venvs`: a folder of environments, or None.
    """

    variables: Mapping[str, str]
    venvs: Path | None = None

    def of(self, asked: str | None, harness: str) -> Path | None:
        """The environment that a job gets; None: it names none, and there is no usual one.

        Args:
            asked: its name or absolute path, or None for the usual one, `<harness>-runner`.
            harness: whose results are analysed.

        Raises:
            Refused: it names one that is not here, or may not be used; says where was looked.
        """
        if asked is None:
            return next(self._named(f"{harness}-runner"), None)
        if "/" in asked:
            return self._at(asked)
        if asked.startswith(".") or mistake_in_path(asked):
            raise Refused(f"{asked!r} is neither a name nor an absolute path")
        found = next(self._named(asked), None)
        if found is None:
            looked = ", ".join(map(str, self._folders())) or "no folder: none is known"
            raise Refused(f"no environment {asked} with a bin/python; looked in {looked}")
        return found

    def _named(self, name: str) -> Iterator[Path]:
        places = [folder / name for folder in self._folders()]
        yield from filter(_has_python, [*places, *(p for p in self._listed() if p.name == name)])

    def _folders(self) -> list[Path]:
        """Ours first, then those that conda's variables name, then the usual ones."""
        known = self.variables
        folders = [self.venvs] if self.venvs else []
        folders += [Path(one) for one in known.get("CONDA_ENVS_PATH", "").split(os.pathsep) if one]
        if "MAMBA_ROOT_PREFIX" in known:
            folders.append(Path(known["MAMBA_ROOT_PREFIX"]) / "envs")
        if "CONDA_EXE" in known:
            folders.append(Path(known["CONDA_EXE"]).parent.parent / "envs")
        folders += [path for one in _USUAL for path in self._at_home(one)]
        return [folder for folder in dict.fromkeys(folders) if folder.is_absolute()]

    def _listed(self) -> list[Path]:
        for register in self._at_home(_REGISTER):
            try:
                lines = register.read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                continue
            return [Path(line.strip()) for line in lines if line.startswith("/")]
        return []

    def _at_home(self, place: str) -> Iterator[Path]:
        if not place.startswith("~/"):
            yield Path(place)
        elif home := self.variables.get("HOME"):
            yield Path(home, place.removeprefix("~/"))

    def _at(self, path: str) -> Path:
        """The environment at a path.

        Raises:
            Refused: there is none, or somebody else could have changed it.
        """
        place = Path(path)
        if not place.is_absolute() or mistake_in_path(path.strip("/")):
            raise Refused(f"{path!r} is neither a name nor an absolute path")
        python = python_of(place)
        if not _has_python(place):
            raise Refused(f"no environment at {path}: looked for {python}")
        for part in _way_to(python):
            if who := _who_may_change(part):
                raise Refused(
                    f"the environment {path} may not be used: {who} can change {part}, and its "
                    "Python runs as the daemon's user"
                )
        return place


def python_of(environment: Path) -> Path:
    """The Python of an environment."""
    return environment / "bin" / "python"


def _has_python(place: Path) -> bool:
    python = python_of(place)
    try:
        return python.is_file() and os.access(python, os.X_OK)
    except OSError:  # a place that may not even be looked into
        return False


def _way_to(path: Path) -> Iterator[Path]:
    """All that decides what lies at a path: each folder on the way, and where links lead to."""
    for one in dict.fromkeys((path, path.resolve())):
        yield one
        yield from one.parents


def _who_may_change(path: Path) -> str:
    """Whoever else but root and this user could put something else there, or nobody."""
    status = path.stat()
    if status.st_uid not in {0, os.geteuid()}:
        return f"the user {status.st_uid}"
    if status.st_mode & stat.S_ISVTX:  # as /tmp: everybody may add, nobody may replace
        return ""
    if status.st_mode & stat.S_IWOTH:
        return "everybody"
    if status.st_mode & stat.S_IWGRP and status.st_gid not in {0, os.getegid()}:
        return f"the group {status.st_gid}"
    return ""
