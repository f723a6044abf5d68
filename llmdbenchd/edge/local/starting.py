"""The local room's delivery: makes a launcher's folder, and starts the shim that holds it."""

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

import llmdbenchd
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.results.manifest import mistake_in_path
from llmdbenchd.edge.local import durable
from llmdbenchd.edge.local.folder import Folder
from llmdbenchd.edge.local.installed import plain
from llmdbenchd.edge.local.shim import VERSION, utc
from llmdbenchd.ports import Refused, Unavailable

PATIENCE_S = 10.0  # for a shim to say that the launcher runs

# Imported, not run as a script: so its bytecode is kept, and nothing of -S and -I is lost.
_SHIM = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from llmdbenchd.edge.local.shim import main; main(*sys.argv[2:])"
)
_PACKAGES = Path(llmdbenchd.__file__).parent.parent


def check(plan: LauncherPlan) -> None:
    """See that the plan stays within its folder.

    Raises:
        Refused: a name or a path that would lead elsewhere.
    """
    if not plain(plan.name):
        raise Refused(f"launcher {plan.name!r} is not a plain name")
    if not plain(plan.results_folder):
        raise Refused(f"results folder {plan.results_folder!r} is not a plain name")
    for file in plan.files:
        if wrong := mistake_in_path(file.path):
            raise Refused(f"file {file.path!r} of the plan {wrong}")


def make(new: Path, folder: Path, plan: LauncherPlan, command: Sequence[str]) -> None:
    """Make `folder`, whole or not at all, by way of `new`; one that is there stays as it is.

    Raises:
        OSError: the disk is full, for one.
    """
    if folder.exists():
        return
    try:
        _fill(new, plan, command)
        try:
            new.rename(folder)
        except OSError:
            if not folder.exists():
                raise  # else: another was faster, and made the same
        durable.sync_folder(str(folder.parent))
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _fill(new: Path, plan: LauncherPlan, command: Sequence[str]) -> None:
    folders = {new, new / "workspace", new / "requests"}
    new.mkdir(mode=0o750)
    durable.write(str(new / "plan.json"), _described(plan, command))
    for folder in (new / "workspace", new / "requests"):
        folder.mkdir(mode=0o750)
    (new / "lock").touch(mode=0o640)
    for file in plan.files:
        path = new / "workspace" / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        folders.update(above for above in path.parents if above.is_relative_to(new))
        durable.write(str(path), file.text.encode())
    for folder in folders:
        durable.sync_folder(str(folder))


def _described(plan: LauncherPlan, command: Sequence[str]) -> bytes:
    """The plan for people and for later; values of variables may be secret and are left out."""
    described = {
        "version": VERSION,
        "made": utc(),
        "name": plan.name,
        "harness": plan.harness,
        "executable": plan.executable,
        "results_folder": plan.results_folder,
        "cpu": plan.cpu,
        "memory": plan.memory,
        "files": [file.path for file in plan.files],
        "variables": sorted(plan.env),
        "command": list(command),
    }
    return msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"


def start(
    folder: Folder, boot_id: str, command: Sequence[str], environment: Mapping[str, str]
) -> None:
    """Start a shim and wait until it has done its part; a second one changes nothing.

    Raises:
        OSError: no process can be made.
        Unavailable: the shim did not start the launcher.
    """
    news, report = os.pipe()
    try:
        _spawn(folder, _shim_command(folder, boot_id, report, command), environment, report)
    finally:
        os.close(report)
        select.select([news], [], [], PATIENCE_S)  # closed: the launcher runs, or it never will
        os.close(news)
    if folder.claim() is None and not folder.has_ended():
        words = folder.last_words() or "it said nothing"
        raise Unavailable(f"launcher {folder.path.name}: its shim did not start it: {words}")


def _shim_command(folder: Folder, boot_id: str, report: int, command: Sequence[str]) -> list[str]:
    shim = [sys.executable, "-I", "-S", "-c", _SHIM, str(_PACKAGES)]
    return [*shim, str(folder.path), boot_id, str(report), *command]


def _spawn(
    folder: Folder, command: Sequence[str], environment: Mapping[str, str], report: int
) -> None:
    with (folder.path / "shim.log").open("ab") as log:
        shim = subprocess.Popen(  # noqa: S603 -- our own program; its arguments are checked names
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(report,),
        )
    try:  # it forks at once: what we wait for here is not the shim that stays
        shim.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        shim.kill()
        shim.wait()
