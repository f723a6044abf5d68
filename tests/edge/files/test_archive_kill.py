"""Sealing is killed with SIGKILL at every single touch of the filesystem, and loses nothing.

Run as a program with a folder, this file is the victim: it seals in child after child, and each
kills itself just before one touch.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmdbenchd.edge.files.archive import Archive, verify

ATTEMPTS = (1, 2, 3)
TOUCHES = {
    "open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "os.link",
    "os.symlink", "shutil.rmtree", "os.listdir", "os.scandir",
}  # fmt: skip


def documents(salt: str) -> dict[str, bytes]:
    """As the daemon makes them: they may differ from one try to the next."""
    return {"run.json": salt.encode(), f"reports/{salt}.yaml": b"r", "workload.yaml": b"w"}


def gather(root: Path) -> None:
    folder = Archive(root).staging("job", "run")
    for attempt in ATTEMPTS:
        for name in ("results/1/a/stage.json", "results/2/stage.json", "logs/launcher-1.log"):
            path = folder / "attempts" / str(attempt) / name
            path.parent.mkdir(parents=True)
            path.write_text(f"{name} of attempt {attempt}")


def killed_at(step: int, root: Path, work: Callable[[Path], object]) -> bool:
    """Do `work` in a child that kills itself before touch number `step`; whether it was killed."""
    child = os.fork()
    if not child:
        left = [step]

        def count(event: str, _: object) -> None:
            if event in TOUCHES:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            work(root)
        except BaseException as error:  # noqa: BLE001  # a child never returns to the loop
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or not os.WEXITSTATUS(status), "the victim failed by itself"
    return os.WIFSIGNALED(status)


def seal(root: Path) -> None:
    Archive(root).seal("job", "run", attempt=ATTEMPTS[-1], documents=documents("killed"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def check(root: Path) -> None:
    """Nothing half done is visible; another try, or a look, finds all the evidence."""
    archive = Archive(root)
    sealed = archive.sealed("job", "run")
    if sealed is not None:
        assert verify(sealed) == (), "a visible run is whole at once"
    else:
        staged = archive.staging("job", "run")
        assert names(staged) == ["attempts"]
        for attempt in ATTEMPTS:
            text = (staged / f"attempts/{attempt}/logs/launcher-1.log").read_text()
            assert text == f"logs/launcher-1.log of attempt {attempt}"
    salt = "killed" if sealed else "again"
    path = archive.seal("job", "run", attempt=ATTEMPTS[-1], documents=documents("again"))
    assert verify(path) == ()
    assert (path / "run.json").read_text() == salt
    assert names(path / "reports") == [f"{salt}.yaml"], "no report of the killed try is left"
    assert names(path / "attempts") == ["1", "2"]
    assert sum(file.is_file() for file in path.rglob("*")) == 3 * 3 + 4
    assert names(archive.root / ".incoming") == []


def victim(root: Path) -> None:
    """Kill a sealing at every touch in turn, until one comes through; then pairs of kills."""
    step, last = 0, 0
    for step in range(10_000):
        here = root / str(step)
        gather(here)
        last = step
        if not killed_at(step, here, seal):
            break
        check(here)
    chance = random.Random(7)  # noqa: S311  # which moments, not which secrets
    for pair in range(60):
        here = root / f"pair-{pair}"
        gather(here)
        for _ in range(3):
            killed_at(chance.randrange(last + 20), here, seal)
        check(here)
    os.write(1, b"%d\n" % step)


@pytest.mark.slow
def test_a_sealing_that_is_killed_anywhere_loses_nothing_and_shows_nothing_half_done(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50, "the kills came before each of many touches"


if __name__ == "__main__":
    victim(Path(sys.argv[1]))
