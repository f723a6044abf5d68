"""A small daemon over a real queue, for tests: takes, reads `id:`, refuses `bad`, commits."""

import itertools
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from llmdbenchd.edge.files.claims import Claims, Order, Taken
from llmdbenchd.edge.files.inbox import Ready, _look_at, prepare_queue
from llmdbenchd.edge.files.readiness import is_job_name
from llmdbenchd.ports import Unavailable

Result = TypeVar("Result")
_TRIES = 5


class Daemon:
    """One life of a daemon; make another one for the next life."""

    lives = itertools.count()

    def __init__(self, root: Path) -> None:
        self.queue, self.state = root / "queue", root / "state"
        life, numbers = next(Daemon.lives), itertools.count()
        self.claims = Claims(
            self.queue,
            self.state,
            lambda name: (
                f"{name.split('.')[0].lower()}-20260101t000000-{life % 256:02x}"
                f"{next(numbers) % 256:02x}"
            ),
        )

    @staticmethod
    def prepare(root: Path) -> "Daemon":
        """A queue and a state folder that are ready for use."""
        prepare_queue(root / "queue")
        (root / "state" / "jobs").mkdir(parents=True)
        return Daemon(root)

    def live(self) -> None:
        """Recover, then take all there is."""
        _again(self.claims.recover)
        self.settle([])
        self.settle(self.ready())

    def ready(self) -> list[Ready]:
        """All job files in the queue, taken to be whole."""
        names = sorted(path.name for path in self.queue.iterdir() if is_job_name(path.name))
        looks = ((name, _look_at(self.queue / name)) for name in names)
        return [Ready(name, look) for name, look in looks if look is not None]

    def settle(self, ready: list[Ready]) -> None:
        """Take these and whatever waits; all of it becomes a job or is rejected."""
        batch = _again(lambda: self.claims.take(ready))
        while batch.taken or batch.rejected:
            self._settle(batch.taken)
            batch = _again(lambda: self.claims.take([]))

    def _settle(self, taken: tuple[Taken, ...]) -> None:
        for one in taken:
            if b"bad" in one.data:
                self._reject(one, "it is bad")
        orders = [
            Order(one, _id_in(one.data) or one.job, {"spec.json": b"{}", "runs/a.json": b"{}"})
            for one in taken
            if b"bad" not in one.data
        ]
        for duplicate in _again(lambda: self.claims.commit_many(orders)):
            self._reject(duplicate.order.taken, str(duplicate))

    def _reject(self, taken: Taken, why: str) -> None:
        _again(lambda: self.claims.reject(taken, why))


def accounts(root: Path) -> Counter[str]:
    """Where each dropped file is: `job <mark>`, `rejected <mark>`, `queue <mark>` ..."""
    queue, jobs = root / "queue", root / "state" / "jobs"
    found: Counter[str] = Counter()
    for where, paths in {
        "job": jobs.glob("*/job.yaml"),
        "half": jobs.glob(".new-*"),
        "queue": queue.glob("*.yaml"),
        "claim": (queue / ".taken").iterdir(),
        "rejected": (p for p in (queue / "rejected").iterdir() if p.suffix != ".why"),
        "why": (queue / "rejected").glob("*.why"),
    }.items():
        for path in paths:
            found[f"{where} {_mark(path)}" if where not in {"half", "why"} else where] += 1
    return found


def _mark(path: Path) -> str:
    if path.is_symlink():
        return "link"
    found = re.search(r"mark: (\w+)", path.read_text(encoding="utf-8"))
    return found[1] if found else path.name


def _id_in(data: bytes) -> str | None:
    found = re.search(rb"^id: (\S+)", data, re.MULTILINE)
    return found[1].decode() if found else None


def _again(call: Callable[[], Result]) -> Result:
    """As the daemon does with `Unavailable`: try again."""
    for _ in range(_TRIES):
        try:
            return call()
        except Unavailable:
            continue
    return call()
