"""The local room's doorkeeper: which programs may run here, and with which environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.core.launch.plan import DEFAULT_EXECUTABLE, SLEEP, LauncherPlan, decides_what_runs
from llmdbenchd.core.results.manifest import mistake_in_path
from llmdbenchd.edge.local.orphans import MARK
from llmdbenchd.edge.local.secrets import variables
from llmdbenchd.ports import Refused

FIELD = "LLMDBENCH_HARNESS_EXECUTABLE"  # where launch.py reads what replaces the harness script


@dataclass(frozen=True, slots=True)
class Installed:
    """What this machine offers to launchers.

    Attributes:
        payload: folder of `launch.py`, which every launcher runs.
        python: the interpreter for it.
        base_environment: PATH, HOME, LANG ...: all that a launcher gets of the daemon's own.
        venvs: folder of harness installations, `<venvs>/<harness>/bin`; None when there are none.
        executables: folder of programs that jobs may run instead; None when there are none.
        secrets: folder of what jobs may name as secrets; None when there are none.
        roots: folders below which a job may have its data set, beside its own workspace.
    """

    payload: Path
    python: Path
    base_environment: Mapping[str, str]
    venvs: Path | None = None
    executables: Path | None = None
    secrets: Path | None = None
    roots: tuple[Path, ...] = ()

    def command(self) -> tuple[str, ...]:
        """Program and arguments of every launcher."""
        return (str(self.python), "-I", "-S", str(self.payload / "launch.py"))

    def environment(self, plan: LauncherPlan, folder: Path) -> dict[str, str]:
        """The whole environment of a launcher that lives in `folder`.

        Raises:
            Refused: its program may not run here, its data set may not lie where it asks,
                a secret is missing, or a variable cannot be set.
        """
        for name in plan.env:
            if decides_what_runs(name):
                raise Refused(f"the variable {name} would decide which programs run here")
        self._check_dataset(plan, folder)
        own = {MARK: str(folder), "LLMDBENCHD_LAUNCHER": plan.name}
        own |= variables(plan, self.secrets)
        if plan.executable == DEFAULT_EXECUTABLE:
            search = [str(self._harness(plan.harness))]
        else:
            search = self._harness_if_any(plan.harness)
            own[FIELD] = self._replacement(plan.executable)
        if path := self.base_environment.get("PATH"):
            search.append(path)
        environment = {**self.base_environment, "PATH": ":".join(search), **plan.env, **own}
        for name, value in environment.items():
            if not name or "=" in name or "\0" in name or "\0" in value:
                raise Refused(f"the environment variable {name!r} cannot be set")
        return environment

    def _check_dataset(self, plan: LauncherPlan, folder: Path) -> None:
        """Who drops a file must not choose where the daemon's user writes."""
        if not plan.env.get("LLMDBENCH_RUN_DATASET_URL"):
            return
        where = Path(plan.env["LLMDBENCH_RUN_DATASET_DIR"])
        roots = [root.resolve() for root in (folder / "workspace", *self.roots)]
        if not any(where.resolve().is_relative_to(root) for root in roots):
            raise Refused(
                f"dataset.dir {where} lies outside of the launcher's workspace and of the folders "
                "that a job may name (setting path_roots)"
            )

    def _harness_if_any(self, harness: str) -> list[str]:
        try:
            return [str(self._harness(harness))]
        except Refused:
            return []

    def _harness(self, harness: str) -> Path:
        if not plain(harness):
            raise Refused(f"harness {harness!r} is not a plain name")
        if self.venvs is None:
            raise Refused(f"harness {harness}: none is installed here (setting harness_venvs)")
        programs = self.venvs / harness / "bin"
        try:
            found = any(_executable_file(program) for program in programs.iterdir())
        except OSError:
            found = False
        if not found:
            raise Refused(
                f"harness {harness} is not installed here: no program in {programs} "
                "(setting harness_venvs)"
            )
        return programs

    def _replacement(self, executable: str) -> str:
        """What is run in place of the harness; a launcher may always sleep."""
        return SLEEP if executable == SLEEP else str(self._executable(executable))

    def _executable(self, name: str) -> Path:
        allowed = self.executables
        if not plain(name):
            raise Refused(
                f"executable {name!r} is not a plain name; the local engine runs no other"
            )
        if allowed is None:
            raise Refused(f"executable {name}: none is allowed here (setting executables)")
        if not (allowed / name).exists():
            raise Refused(f"executable {name} is not in {allowed} (setting executables)")
        program = (allowed / name).resolve()
        if not program.is_relative_to(allowed.resolve()):
            raise Refused(f"executable {name} is a link that leaves {allowed}")
        if not _executable_file(program):
            raise Refused(f"executable {name} in {allowed} is not an executable file")
        return program


def plain(name: str) -> bool:
    """Whether a name is one visible component of a path."""
    return "/" not in name and not name.startswith(".") and not mistake_in_path(name)


def _executable_file(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
