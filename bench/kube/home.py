"""Results home: one file of 500 MB, and 5,000 files of 4 kB, from the same claim by four ways.

Ours is the engine's `collect`, through a data-access pod that is warm: every byte proven by
the SHA-256 that the launcher wrote, and on disk for good. The rivals copy from a pod with
`tar` and a plain web server on the same claim, and prove nothing: `kubectl cp`, `tar` through
`kubectl exec`, and `curl` through the API server's proxy.
"""

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from bench.kube.ground import Ground
from bench.kube.pattern import SHELF, SHELF_PORT, shelf
from bench.table import Row, compared, percentile
from llmdbenchd.app.engines import Engines
from llmdbenchd.core.job.place import cluster_place
from llmdbenchd.core.launch.plan import Identity, LauncherPlan, PodTerms
from llmdbenchd.edge.clock import SystemClock
from llmdbenchd.edge.files.instance import instance_id
from llmdbenchd.payload import evidence
from llmdbenchd.settings import load
from tests.cluster.images.recipes import LIGHT
from tests.daemon.household import Household
from tests.e2e.namespace import Namespace, phase

NAME = "home"
TITLE = "Results home, through the API server"
FULL, QUICK = 3, 1
BIG, MANY = "big", "many"
BYTES = {BIG: (1, 500_000_000), MANY: (5_000, 4_000)}  # how many files, and how large each
WHAT = {BIG: "1 file of 500 MB", MANY: "5,000 files of 4 kB"}
OURS, CP, TAR, CURL = "ours", "kubectl cp", "tar by kubectl exec", "curl by pods/proxy"
# what is wanted of ours beside another: at least so many times as fast
AIMS = {(BIG, CP): 3.0, (BIG, CURL): 0.5, (MANY, CP): 10.0}
CLAIM = "workload-pvc"
TRIES = 5  # kubectl exec sometimes ends too soon, with exit code 0
Way = Callable[[str, Path], None]
Times = dict[tuple[str, str], list[float]]


class CutOffError(Exception):
    """A copy ended before all was there."""


@dataclass(frozen=True, slots=True)
class _Rivals:
    """Who copies without us, and from where."""

    ground: Ground
    namespace: Namespace

    def ways(self) -> Mapping[str, Way]:
        return {CP: self._cp, TAR: self._tar, CURL: self._curl}

    def _kubectl(self, *words: str) -> list[str]:
        return self.ground.command("--namespace", self.namespace.name, *words)

    def _cp(self, folder: str, into: Path) -> None:
        done = _quietly(self._kubectl("cp", f"{SHELF}:/requests/{folder}", str(into)))
        if done.returncode:
            raise CutOffError(done.stderr)

    def _tar(self, folder: str, into: Path) -> None:
        into.mkdir()
        words = self._kubectl("exec", SHELF, "--", "tar", "cf", "-", "-C", "/requests", folder)
        with subprocess.Popen(words, stdout=subprocess.PIPE) as packing:
            unpack = ("tar", "xf", "-", "--strip-components=1", "-C", str(into))
            unpacked = _quietly(unpack, stdin=packing.stdout)
        if packing.returncode or unpacked.returncode:
            raise CutOffError(unpacked.stderr)

    def _curl(self, folder: str, into: Path) -> None:
        into.mkdir()
        config = json.loads(self.ground.cluster.kubeconfig.read_text(encoding="utf-8"))
        api = self.ground.cluster.api
        where = f"https://{api.host}:{api.port}{self.namespace.path('pods', SHELF)}:{SHELF_PORT}"
        count, _ = BYTES[folder]
        lines = [
            f'cacert = "{config["clusters"][0]["cluster"]["certificate-authority"]}"',
            f'header = "Authorization: Bearer {api.token}"',
        ]
        for name in map(_name, range(count)):
            lines += [f'url = "{where}/proxy/{folder}/{name}"', f'output = "{into / name}"']
        several = ("--parallel", "--parallel-max", "4")  # one after the other it takes much longer
        text = "\n".join(lines)
        words = (
            "curl",
            "--silent",
            "--show-error",
            "--no-progress-meter",
            "--fail",
            *several,
            "--config",
            "-",
        )
        subprocess.run(words, input=text, text=True, check=True, stderr=subprocess.DEVNULL)


def measure(ground: Ground) -> list[Row]:
    """Copy by each way in turns, a few times."""
    with ground.house(NAME) as (house, namespace):
        claim = namespace.volumes / f"{namespace.name}-{CLAIM}" if namespace.volumes else None
        assert claim is not None, "the claim's folder is on another machine"
        for name, (count, size) in BYTES.items():
            _fill(claim / name, count, size)
        namespace.create("pods", shelf(CLAIM, LIGHT))
        namespace.wait("pods", SHELF, lambda pod: phase(pod) == "Running")
        house.state.mkdir()
        took, cut_off = asyncio.run(_copied(ground, house, namespace))
    rows: list[Row] = []
    for name in BYTES:
        middle = {way: percentile(took[name, way], 0.5) for way in _ways()}
        rows += _rows(name, middle, {way: cut_off.get((name, way), 0) for way in _ways()})
    return rows


def _ways() -> tuple[str, ...]:
    return (OURS, CP, TAR, CURL)


async def _copied(
    ground: Ground, house: Household, namespace: Namespace
) -> tuple[Times, dict[tuple[str, str], int]]:
    loaded = load(None, house.environment, cwd=house.root)
    instance = instance_id(house.state)
    clock = SystemClock.of_this_machine()
    engines = Engines(loaded.settings, house.environment, clock, instance)
    engine = engines.build(cluster_place(namespace.name))
    plan = _plan(instance, MANY)
    rivals = _Rivals(ground, namespace).ways()
    took: Times = {(name, way): [] for name in BYTES for way in _ways()}
    cut_off: dict[tuple[str, str], int] = {}
    try:
        await engine.collect(plan, _into(ground))  # the data-access pod is there from now on
        for _ in range(QUICK if ground.quick else FULL):
            for name, (count, size) in BYTES.items():
                into = _into(ground)
                began = time.monotonic()
                copied = await engine.collect(replace(plan, results_folder=name), into)
                took[name, OURS].append(time.monotonic() - began)
                assert (copied.files, copied.size) == (count, count * size)
                for way, copy in rivals.items():
                    seconds, cut = await asyncio.to_thread(_whole, ground, copy, name)
                    took[name, way].append(seconds)
                    cut_off[name, way] = cut_off.get((name, way), 0) + cut
    finally:
        await engines.close()
    return took, cut_off


def _whole(ground: Ground, copy: Way, name: str) -> tuple[float, int]:
    """Seconds of a copy that has all, and how many before it had not."""
    count, size = BYTES[name]
    for cut in range(TRIES):
        into = _into(ground)
        began = time.monotonic()
        with suppress(CutOffError):
            copy(name, into)
            took = time.monotonic() - began
            if sum(file.stat().st_size for file in into.iterdir()) >= count * size:
                return took, cut
    raise AssertionError(f"{copy}: cut off {TRIES} times")


def _rows(name: str, seconds: Mapping[str, float], cut: Mapping[str, int]) -> list[Row]:
    count, size = BYTES[name]
    speed = {way: count * size / 1e6 / took for way, took in seconds.items()}
    rows = []
    for way in _ways()[1:]:
        aim, ratio = AIMS.get((name, way)), compared(speed[OURS], speed[way])
        rows.append(
            Row(
                what=f"{WHAT[name]}, proven",
                value=speed[OURS],
                unit="MB/s",
                rival=way,
                rival_value=speed[way],
                ratio=ratio,
                aim="" if aim is None else f"ratio {aim:g} or more",
                met=None if aim is None or ratio is None else ratio >= aim,
                note=f"{cut[way]} more of its copies were cut off" if cut[way] else "",
            )
        )
    return rows


def _plan(instance: str, folder: str) -> LauncherPlan:
    """Of a launcher that is gone."""
    identity = Identity(
        instance=instance, job="home", run="r001", run8="00000000", attempt=1, index=1, of=1
    )
    return LauncherPlan(
        name="llmdbench-inference-perf-launcher-00000000-1-1-of-1",
        identity=identity,
        harness="inference-perf",
        executable="",
        results_folder=folder,
        files=(),
        pod=PodTerms(image=LIGHT),
    )


def _into(ground: Ground) -> Path:
    """A folder that is not there."""
    into = ground.folder / "copy"
    shutil.rmtree(into, ignore_errors=True)
    return into


def _fill(folder: Path, count: int, size: int) -> None:
    """Files that nobody can compress, with a launcher's manifest and done mark."""
    folder.mkdir()
    for name in map(_name, range(count)):
        (folder / name).write_bytes(os.urandom(size))
    sha256, unread = evidence.write_manifest(str(folder))
    assert not unread
    evidence.write_done(str(folder), {"manifest_sha256": sha256})


def _name(number: int) -> str:
    return f"file{number:05d}.bin"


def _quietly(
    words: Sequence[str], stdin: IO[bytes] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(words, check=False, capture_output=True, stdin=stdin)
