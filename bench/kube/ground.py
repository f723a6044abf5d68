"""The ground that the figures of a cluster stand on: the cluster, kubectl, and daemons in it."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.kube import probe
from tests.cluster import build
from tests.cluster.images.recipes import LIGHT
from tests.daemon.household import Event, Household
from tests.e2e import daemon
from tests.e2e.cluster import Cluster, find
from tests.e2e.namespace import Namespace

LAUNCHERS = "app=llmdbench-harness-launcher"
CPU = "20m"  # fifty of them fit on a node of two cores, where nothing enforces it as a limit
PATIENCE_S = 300.0  # only ever spent when something is broken
PROBE = Path(probe.__file__)


@dataclass(frozen=True, slots=True)
class Ground:
    """A cluster, and this machine beside it.

    Attributes:
        folder: for whatever is written; removed at the end.
        kubectl: the program.
        quick: few repetitions, rough figures.
    """

    cluster: Cluster
    folder: Path
    kubectl: Path
    quick: bool

    @classmethod
    def here(cls, folder: Path, *, quick: bool) -> "Ground":
        """The cluster around this process."""
        return cls(find(), folder, build.program("kubectl"), quick)

    @contextmanager
    def serving(self, name: str, **settings: str) -> Iterator[tuple[Household, Namespace]]:
        """A daemon with the shipped rights, watched by the probe, in a namespace of its own."""
        with self.house(name, **settings) as (house, namespace):
            start(house)
            try:
                yield house, namespace
            finally:
                house.close()

    @contextmanager
    def house(self, name: str, **settings: str) -> Iterator[tuple[Household, Namespace]]:
        """All that such a daemon needs, but not the daemon."""
        root = self.folder / name
        root.mkdir()
        with self.cluster.namespace(f"bench-{name}") as namespace:
            account = daemon.grant(namespace)
            kubeconfig = self.cluster.kubeconfig_of(namespace, account, root / "kubeconfig")
            namespace.claim()
            yield (
                Household(
                    root,
                    settings={
                        "LLMDBENCHD_ENGINE": "kubernetes",
                        "LLMDBENCHD_KUBECONFIG": str(kubeconfig),
                        "LLMDBENCHD_NAMESPACE": namespace.name,
                        "LLMDBENCHD_IMAGE": LIGHT,
                        "BENCH_PROBE": str(root / "probe.jsonl"),
                        **settings,
                    },
                    patience_s=PATIENCE_S,
                ),
                namespace,
            )

    def command(self, *words: str) -> list[str]:
        """A command of kubectl as the administrator."""
        return [str(self.kubectl), "--kubeconfig", str(self.cluster.kubeconfig), *words]

    def shell(self, script: Path, variables: Mapping[str, str], *words: str) -> float:
        """Run a shell script in which `kubectl` is ours; seconds that it took."""
        programs = self.folder / "programs"
        programs.mkdir(exist_ok=True)
        here = programs / "kubectl"
        if not here.exists():
            here.symlink_to(self.kubectl)
        began = time.monotonic()
        done = subprocess.run(
            ("sh", "-eu", str(script), *words),
            env={
                "PATH": f"{programs}:{os.environ['PATH']}",
                "HOME": str(self.folder),
                "KUBECONFIG": str(self.cluster.kubeconfig),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.monotonic() - began
        assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
        return took


def start(house: Household) -> float:
    """Start a daemon with the probe in it; seconds until it says that it is ready."""
    before, began = len(house.events), time.time()
    house.spawn(str(PROBE))
    house.wait_for("daemon.ready", lambda: house.told("daemon.ready", before))
    return at(house.told("daemon.ready", before)[0]) - began


def light(seconds: float, **fields: Any) -> Mapping[str, Any]:  # noqa: ANN401 - fields of a job file
    """A job for the harness of no weight, of which fifty fit on a small node."""
    harness = {"cpu": CPU, **fields.pop("harness", {})}
    return daemon.light(seconds=seconds, harness=harness, **fields)


def at(event: Event) -> float:
    """When an event was told, in seconds since 1970."""
    return datetime.fromisoformat(event["timestamp"]).timestamp()


def moved(house: Household, job: str, *, now: str) -> float:
    """When the run of a job came into a phase."""
    return at(house.wait_for_event("run.moved", job=job, now=now))


def said(words: Sequence[str]) -> str:
    """The stdout of a command that must succeed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout
