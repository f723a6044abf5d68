"""The local room's hands: everything that is done to launchers. Blocking: for threads."""

import os
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.run.sight import Absent, Ended, Pending, Running, Sight
from llmdbenchd.edge.local import durable, starting
from llmdbenchd.edge.local.folder import Busy, Folder, Process
from llmdbenchd.edge.local.installed import Installed
from llmdbenchd.edge.local.orphans import Orphans
from llmdbenchd.edge.local.processes import alive
from llmdbenchd.ports import Unavailable

STAGING = ".staging-"  # what is not yet, or no longer, a launcher's folder


@dataclass(frozen=True, slots=True)
class Seen:
    """A launcher's sight and, while it is held, the process that holds it."""

    sight: Sight
    shim: Process | None = None

    @property
    def between(self) -> bool:
        """Whether it is between two states, so that another look is due soon."""
        return not isinstance(self.sight, Ended) and (
            self.shim is None or isinstance(self.sight, Pending)
        )


class Hands:
    """All launchers below one folder. Every method raises OSError for trouble."""

    def __init__(self, root: Path, installed: Installed, boot_id: str) -> None:
        self._root = root
        self._installed = installed
        self._boot_id = boot_id
        self._orphans = Orphans(boot_id)
        self._staging = root / f"{STAGING}{uuid4().hex}"

    def see_all(self) -> dict[str, Seen]:
        """Every launcher that exists; a root that is gone is trouble, not emptiness."""
        names = [path.name for path in self._root.iterdir() if not path.name.startswith(".")]
        seen = {name: self.see(Folder(self._root / name)) for name in names}
        return {name: found for name, found in seen.items() if not isinstance(found.sight, Absent)}

    def see(self, folder: Folder) -> Seen:
        """One launcher, now; what a dead shim left is ended in passing."""
        if end := folder.end():
            return Seen(end)
        claim = folder.claim()
        if claim is None:  # no start was tried: it is still to be made
            return Seen(Absent())
        if folder.held():
            return Seen(Running() if claim.launcher else Pending("its shim starts it"), claim.shim)
        if end := self._orphans.step(folder, claim):
            return Seen(end)
        return Seen(Running())  # something of it does

    def create(self, plan: LauncherPlan) -> None:
        """Make the folder and start the shim, unless that was done before."""
        starting.check(plan)
        folder = Folder(self._root / plan.name)
        if folder.claim() is not None or folder.has_ended():
            return
        command = self._installed.command()
        environment = self._installed.environment(plan, folder.path)
        self._staging.mkdir(mode=0o750, exist_ok=True)
        starting.make(self._staging / uuid4().hex, folder.path, plan, command)
        starting.start(folder, self._boot_id, command, environment)

    def stop(self, folder: Folder, grace_s: float) -> None:
        """Write down that it should end, then tell its shim (on a full disk, that at least)."""
        if folder.has_ended() or not folder.path.is_dir():
            return
        try:
            folder.write_stop(grace_s)
        finally:
            claim = folder.claim()
            if claim is None:
                pass  # a shim that starts now finds what we wrote
            elif folder.held():
                _tell(claim.shim)
            else:
                self._orphans.step(folder, claim, grace_s=grace_s)

    def remove(self, folder: Folder) -> None:
        """Take away an ended launcher, or one that was never started."""
        if not folder.path.is_dir():
            return
        self._staging.mkdir(mode=0o750, exist_ok=True)
        gone = self._staging / uuid4().hex
        try:  # writing the end is the last that a shim does
            with folder.locked(wait=folder.has_ended()):  # and here no other can start
                if folder.claim() is not None and not folder.has_ended():
                    raise Unavailable(f"launcher {folder.path.name} is still being ended")
                folder.path.rename(gone)
        except Busy:
            raise Unavailable(f"launcher {folder.path.name} still runs") from None
        durable.sync_folder(str(self._root))
        shutil.rmtree(gone, ignore_errors=True)  # what resists is swept by the next daemon

    def sweep(self) -> None:
        """Clear away what a daemon before us was making or removing when it was killed."""
        for path in self._root.glob(f"{STAGING}*"):
            if path != self._staging:
                shutil.rmtree(path, ignore_errors=True)


def _tell(shim: Process) -> None:
    with suppress(OSError):  # it has just ended
        descriptor = os.pidfd_open(shim.pid)
        try:
            if alive(shim.pid, shim.ticks):  # checked after opening: this is that very process
                signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        finally:
            os.close(descriptor)
