"""Who was ever there: the launchers of a namespace, counted while a test runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.e2e.namespace import Namespace

LAUNCHERS = "app=llmdbench-harness-launcher,app.kubernetes.io/managed-by=llmdbenchd"
EVERY_S = 0.5  # a launcher lives for seconds, and is never removed before it is collected


@dataclass(slots=True)
class Census:
    """Uids of pods by their names; more than one for a name means that it was made twice."""

    namespace: Namespace
    seen: dict[str, set[str]] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def count(self) -> None:
        """Look once."""
        for pod in self.namespace.list("pods", labelSelector=LAUNCHERS):
            meta = pod["metadata"]
            self.seen.setdefault(meta["name"], set()).add(meta["uid"])

    def run(self) -> None:
        """Look until told to stop; an API server that is away is asked again."""
        while not self._over.wait(EVERY_S):
            try:
                self.count()
            except OSError:
                continue

    def stop(self) -> None:
        """Look no more."""
        self._over.set()

    @property
    def pods(self) -> int:
        """How many pods were ever seen."""
        return sum(map(len, self.seen.values()))


@contextmanager
def counting(namespace: Namespace) -> Iterator[Census]:
    """Count until the block ends."""
    census = Census(namespace)
    thread = threading.Thread(target=census.run)
    thread.start()
    try:
        yield census
    finally:
        census.stop()
        thread.join()
