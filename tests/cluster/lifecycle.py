"""The test cluster's life as its user sees it: up, down, and a way in."""

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import build, cgroups, configuration, containers, gateway_api, machine
from tests.cluster.images import recipes
from tests.cluster.layout import HARD_CODED, Layout, Settings, cgroup, write
from tests.cluster.places import CHECKOUT, INSIDE
from tests.cluster.trouble import Trouble

_PATIENCE_S = 90.0
_NAMESPACES = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
Say = Callable[[str], None]


def pid(layout: Layout) -> int | None:
    """The supervisor's pid as this process sees it, None if the cluster is down."""
    try:
        words = (layout.run / "supervisor").read_text(encoding="utf-8").split()
        return int(words[0]) if words[1] == _start_time(int(words[0])) else None
    except (OSError, IndexError, ValueError):
        return None


def is_up(layout: Layout) -> bool:
    """Whether pods can be made."""
    return pid(layout) is not None and layout.ready.exists()


def up(
    layout: Layout,
    say: Say,
    *,
    fresh: bool,
    log_max_size: str,
    log_interval: str,
    measured: bool = False,
) -> None:
    """Have a cluster in which pods can be made; one that is up gets new images and no more.

    Args:
        layout: of the cluster.
        say: is told how long each step took.
        fresh: forget all objects of an earlier start; images stay.
        log_max_size: see `Settings`.
        log_interval: see `Settings`.
        measured: see `Settings`.

    Raises:
        Trouble: what is missing, or what did not start and where its log is.
    """
    machine.prepare()
    with _alone(layout):
        clock = _Clock(say)
        running = layout.settings() if is_up(layout) else None
        if running is not None:
            _take_in_images(layout, running, clock)
            clock.mark("the cluster was up already")
            return
        programs = {name: str(build.program(name)) for name in build.MODULES}
        gateway_api.folder()
        clock.mark("programs")
        recipes.build_all()
        clock.mark("images")
        _end(layout)
        if fresh:
            _forget(layout)
        settings = Settings(
            id=secrets.token_hex(4),
            started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            kube=programs["kube"],
            dns=programs["dns"],
            snapshotter=containers.snapshotter(layout.state),
            log_max_size=log_max_size,
            log_interval=log_interval,
            measured=measured,
        )
        _configure(layout, settings)
        clock.mark("configuration")
        _start(layout)
        _wait(layout, lambda: containers.answers(inside(layout)), "containerd")
        clock.mark("containerd answers")
        _take_in_images(layout, settings, clock)
        _wait(layout, layout.ready.exists, "the node to be Ready")
        clock.mark("the cluster is up: pods can be made")


def down(layout: Layout, *, purge: bool) -> None:
    """End the cluster and all its processes, mounts and cgroups.

    Its state stays, and the next `up` goes on from it; `purge` removes that too.
    """
    with _alone(layout):
        _end(layout)
    if purge:
        shutil.rmtree(layout.state, ignore_errors=True)


def inside(layout: Layout) -> list[str]:
    """The words that have a command run in the cluster's namespaces.

    Raises:
        Trouble: the cluster is down.
    """
    if not (target := pid(layout)):
        raise Trouble(f"no cluster is up in {layout.state}: `python -m tests.cluster up`")
    namespaces = ("--net", "--mount", "--pid", f"--wdns={Path.cwd()}")
    return ["nsenter", "--target", str(target), *namespaces, "--"]


def execute(layout: Layout, command: Sequence[str]) -> None:
    """Become a command that runs in the cluster's namespaces; raises as `inside`."""
    words = [*inside(layout), *command]
    os.environ[INSIDE] = str(layout.state)
    os.environ["KUBECONFIG"] = str(layout.kubeconfig())
    os.execvp(words[0], words)  # noqa: S606 - its signals and its exit code are to be ours


def _take_in_images(layout: Layout, settings: Settings, clock: "_Clock") -> None:
    images = recipes.build_all()
    imported = containers.take_in(inside(layout), images, settings.snapshotter)
    clock.mark(f"{imported} of {len(images)} images imported")


def _configure(layout: Layout, settings: Settings) -> None:
    shutil.rmtree(layout.run, ignore_errors=True)
    layout.run.mkdir(parents=True)
    layout.write_settings(settings)
    configuration.write_all(layout, settings)
    for target in HARD_CODED.values():
        Path(target).mkdir(parents=True, exist_ok=True)  # stays empty: mounts hide it
    cgroups.make(cgroup(settings))


def _start(layout: Layout) -> None:
    supervisor = (sys.executable, "-m", "tests.cluster", "supervise")
    with (layout.logs / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            ("unshare", *_NAMESPACES, *supervisor, "--state", str(layout.state)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=CHECKOUT,
        )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (child := children.read_text(encoding="utf-8").split()):
        if process.poll() is not None:
            raise Trouble(f"the supervisor did not start: {_last(layout, 'supervisor')}")
        time.sleep(0.01)
    write(layout.run / "supervisor", f"{child[0]} {_start_time(int(child[0]))}\n")


def _end(layout: Layout) -> None:
    """The end of pid 1 is the end of all in its namespaces; cgroups are what is left."""
    if target := pid(layout):
        os.kill(target, signal.SIGKILL)
        while pid(layout):
            time.sleep(0.01)
    if settings := layout.settings():
        cgroups.remove(cgroup(settings))


def _forget(layout: Layout) -> None:
    """Kubelet removes the containers that containerd remembers: they belong to no pod."""
    for name in ("etcd", "logs", "volumes", "kubelet-pki", *HARD_CODED):
        shutil.rmtree(layout.state / name, ignore_errors=True)


def _wait(layout: Layout, is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        if not pid(layout):
            raise Trouble(f"the supervisor ended: {_last(layout, 'supervisor')}")
        if time.monotonic() > deadline:
            raise Trouble(f"waited {_PATIENCE_S:.0f} s for {what}: see {layout.logs}")
        time.sleep(0.05)


def _last(layout: Layout, name: str) -> str:
    path = layout.logs / f"{name}.log"
    return f"{path}: {path.read_text(encoding='utf-8', errors='replace')[-600:].strip()}"


def _start_time(process: int) -> str:
    """Field 22 of stat: with it, a pid that was given to somebody else is told apart."""
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[19]


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Two that start or end one cluster take turns."""
    layout.state.parent.mkdir(parents=True, exist_ok=True)
    with layout.state.with_name(f"{layout.state.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class _Clock:
    """Says how long each step took."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._began = time.monotonic()

    def mark(self, what: str) -> None:
        self._say(f"{time.monotonic() - self._began:6.2f} s  {what}")
