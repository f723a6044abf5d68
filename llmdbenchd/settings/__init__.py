"""The settings of the daemon: read once at the door, frozen, each value with its origin.

Low to high: default < file < environment. All mistakes are found at once, and each says
where it is and what to do. This module (and the payload, elsewhere) reads the environment;
everybody else is given values. What there is to set is in `model`.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from llmdbenchd.settings.model import NAMES, RELOADABLE, Settings

__all__ = [
    "NAMES",
    "RELOADABLE",
    "Loaded",
    "Problem",
    "Settings",
    "load",
    "process_environment",
    "reload",
]

SYSTEM_FILE = Path("/etc/llmdbenchd/config.toml")
SYSTEM_STATE = Path("/var/lib/llmdbenchd")
PREFIX = "LLMDBENCHD_"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where (a file with its line, or a variable), which setting, what, what to do."""

    where: str
    name: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.where}: {f'{self.name}: ' if self.name else ''}{self.message}{hint}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read.

    Attributes:
        settings: the values; a wrong one is replaced by its default, so heed `problems`.
        origins: for each setting `default`, `FILE:LINE`, or the variable's name.
        problems: every mistake; a daemon must not start with any (exit code 78).
    """

    settings: Settings
    origins: Mapping[str, str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as somebody wrote it, and the folder that its relative paths start from."""

    value: object
    origin: str
    folder: Path


def process_environment() -> Mapping[str, str]:
    """A copy of this process's environment."""
    return dict(os.environ)  # noqa: TID251 -- the one place that may


def load(config: Path | None, environment: Mapping[str, str], *, cwd: Path) -> Loaded:
    """Read the settings.

    Args:
        config: the file given by `--config`; None reads `SYSTEM_FILE` if it exists.
        environment: where `LLMDBENCHD_<NAME>` is looked up; an empty value counts as unset.
        cwd: absolute; relative paths of the environment and of defaults start here, those of
            a file in the file's own folder.
    """
    file = config or (SYSTEM_FILE if SYSTEM_FILE.exists() else None)
    problems: list[Problem] = []
    given = {} if file is None else _read_file(cwd / file, problems)
    given |= _read_environment(environment, cwd, problems)
    right = _checked(given, problems)
    values = _default_folders(cwd, installed=file is not None) | right
    problems += _clashes(values, given)
    origins = {name: given[name].origin if name in right else "default" for name in NAMES}
    return Loaded(Settings.model_validate(values), origins, tuple(problems))


def reload(running: Settings, read: Settings) -> tuple[Settings, tuple[str, ...], tuple[str, ...]]:
    """Join what runs with what was just read.

    Returns:
        The settings from now on, the names that changed, and the names that would need a restart.
    """
    differing = [name for name in NAMES if getattr(running, name) != getattr(read, name)]
    changed = tuple(name for name in differing if name in RELOADABLE)
    later = tuple(name for name in differing if name not in RELOADABLE)
    return running.model_copy(update={n: getattr(read, n) for n in changed}), changed, later


def _read_file(file: Path, problems: list[Problem]) -> dict[str, _Given]:
    try:
        text = file.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        problems.append(Problem(str(file), "", f"cannot be read: {error.strerror}"))
        return {}
    except ValueError as error:  # TOML's and UTF-8's mistakes; TOML's names line and column
        problems.append(Problem(str(file), "", f"is not TOML: {error}"))
        return {}
    return _known(
        {key: _Given(value, _place(file, text, key), file.parent) for key, value in table.items()},
        problems,
    )


def _read_environment(
    environment: Mapping[str, str], cwd: Path, problems: list[Problem]
) -> dict[str, _Given]:
    ours = {
        variable.removeprefix(PREFIX).lower(): _Given(value, variable, cwd)
        for variable, value in environment.items()
        if variable.startswith(PREFIX) and value
    }
    return _known(ours, problems)


def _known(given: dict[str, _Given], problems: list[Problem]) -> dict[str, _Given]:
    for name in [name for name in given if name not in NAMES]:
        close = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`llmdbenchd settings` lists them all"
        problems.append(Problem(given[name].origin, name, "is not a setting", hint))
    return {name: one for name, one in given.items() if name in NAMES}


def _checked(given: Mapping[str, _Given], problems: list[Problem]) -> dict[str, Any]:
    raw = {name: one.value for name, one in given.items()}
    try:
        read = Settings.model_validate(raw)
    except ValidationError as error:
        wrong = {
            str(one["loc"][0]): one["msg"].removeprefix("Value error, ") for one in error.errors()
        }
        problems += [
            Problem(given[n].origin, n, why, f"got {raw[n]!r}") for n, why in wrong.items()
        ]
        return _checked({n: one for n, one in given.items() if n not in wrong}, [])
    return {name: _absolute(getattr(read, name), one.folder) for name, one in given.items()}


def _absolute(value: object, folder: Path) -> object:
    if isinstance(value, tuple):
        return tuple(_absolute(one, folder) for one in value)
    return folder / value if isinstance(value, Path) else value


def _default_folders(cwd: Path, *, installed: bool) -> dict[str, Any]:
    names = ("queue", "state", "archive")
    if installed:
        return {name: SYSTEM_STATE / name for name in names}
    return {name: cwd / Settings.model_fields[name].default for name in names}


def _clashes(values: Mapping[str, Any], given: Mapping[str, _Given]) -> list[Problem]:
    names = ("queue", "state", "archive")
    return [
        Problem(
            given[inner].origin if inner in given else "default",
            inner,
            f"lies in {outer} ({values[outer]})",
            "give each a folder of its own",
        )
        for inner in names
        for outer in names
        if inner != outer and values[inner].is_relative_to(values[outer])
    ]


def _place(file: Path, text: str, key: str) -> str:
    """`FILE:LINE` of a key, or only the file where it is written in an unusual way."""
    written = re.compile(rf"""[ \t]*["']?{re.escape(key)}["']?[ \t]*[=.]""")
    for number, line in enumerate(text.split("\n"), start=1):
        if written.match(line):
            return f"{file}:{number}"
    return str(file)
