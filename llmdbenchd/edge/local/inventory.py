"""The local room's inventory: launchers of this machine, found and removed, for the audit."""

from collections.abc import Iterator
from pathlib import Path

from llmdbenchd.core.fsck.accounts import Object, Staged, Thing
from llmdbenchd.edge.local.folder import Folder
from llmdbenchd.edge.local.hands import STAGING, Hands
from llmdbenchd.edge.local.installed import Installed
from llmdbenchd.edge.local.trouble import translated


def things_below(root: Path, place: str) -> tuple[Thing, ...]:
    """Every launcher below a folder, which need not be there. Ends and starts nothing.

    Raises:
        Unavailable: the folder cannot be read.
    """
    with translated("list of launchers"):
        if not root.is_dir():
            return ()
        names = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
        return tuple(
            Thing(
                place=place,
                kind=Object.LAUNCHER,
                name=name,
                has_ended=_has_ended(Folder(root / name)),
            )
            for name in names
        )


def half_made(root: Path) -> Iterator[Staged]:
    """What was being made or removed when a daemon was killed; only while none runs."""
    for path in sorted(root.glob(f"{STAGING}*")):
        if any(path.iterdir()):  # an empty one is only where things would be
            yield Staged(str(path))


def remove(root: Path, thing: Thing) -> None:
    """Take away an ended launcher with all that lies in its folder.

    Raises:
        Unavailable: it still runs, or the disk.
    """
    nothing_is_started = Installed(payload=root, python=root, base_environment={})
    with translated(f"remove launcher {thing.name}"):
        Hands(root, nothing_is_started, boot_id="").remove(Folder(root / thing.name))


def _has_ended(folder: Folder) -> bool | None:
    if folder.has_ended() or folder.claim() is None:  # the latter was never started
        return True
    return False if folder.held() else None
