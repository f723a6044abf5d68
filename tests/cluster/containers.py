"""The test cluster's containerd: which snapshots it can make, and the images that it holds."""

import contextlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.images import archive
from tests.cluster.trouble import Trouble

_CTR = ("ctr", "-n", "k8s.io")


def snapshotter(state: Path) -> str:
    """`overlayfs` where the state's file system can carry one, else the slow `native`."""
    trial = state / "overlay-trial"
    for name in ("lower", "upper", "work", "merged"):
        (trial / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={trial}/lower,upperdir={trial}/upper,workdir={trial}/work"
    mount = ("mount", "-t", "overlay", "overlay", "-o", options, f"{trial}/merged")
    done = subprocess.run(("unshare", "--mount", *mount), check=False, capture_output=True)
    shutil.rmtree(trial)
    return "overlayfs" if done.returncode == 0 else "native"


def answers(inside: Sequence[str]) -> bool:
    """Whether containerd is there, asked by way of `inside`."""
    return (
        subprocess.run((*inside, "ctr", "version"), capture_output=True, check=False).returncode
        == 0
    )


def take_in(inside: Sequence[str], images: Sequence[archive.Image], snapshots: str) -> int:
    """Import those images that containerd does not hold yet; returns how many.

    Raises:
        Trouble: an import failed.
    """
    held = _held(inside)
    missing = [image for image in images if held.get(image.name) != image.digest]
    for image in missing:
        _import(inside, image, snapshots)
    return len(missing)


def _import(inside: Sequence[str], image: archive.Image, snapshots: str) -> None:
    words = (*inside, *_CTR, "images", "import", "--snapshotter", snapshots, "-")
    there = _asked(inside, "content", "list", "--quiet").split()
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            archive.write(image, pipe, leave_out=there)
        complaint = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise Trouble(f"{image.name} was not imported: {complaint}")


def _asked(inside: Sequence[str], *words: str) -> str:
    command = (*inside, *_CTR, *words)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _held(inside: Sequence[str]) -> dict[str, str]:
    """Digests by name; the third column of the list."""
    rows = [line.split() for line in _asked(inside, "images", "list").splitlines()[1:]]
    return {row[0]: row[2] for row in rows}
