"""An analysis that hangs, dies or lies costs itself and nothing else."""

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from llmdbenchd.core.results.document import Analysis
from llmdbenchd.edge.analysis import LOG, Analyst, Means, analyse
from llmdbenchd.edge.environments import Environments
from llmdbenchd.ports import Unavailable

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003  # as the plugin spells it

DATA = Path(__file__).parents[1] / "data/inference-perf"
SEARCH = "/usr/bin:/bin"
HONEST = f'exec "{sys.executable}" "$@"'
DRAWS = 'for stage in "$2"/stage_*; do cp "$stage" "$2/$(basename "$stage" .json).png"; done'


class World:
    """An environment whose programs are shell scripts, and one launcher's results."""

    def __init__(self, folder: Path) -> None:
        self.place, self.into = folder / "env", folder / "analysis" / "1"
        self.results = folder / "results"
        shutil.copytree(DATA / "stages", self.results)
        self.means = Means(environment=self.place, search=SEARCH)
        self.program("python", HONEST)

    def program(self, name: str, text: str) -> None:
        path = self.place / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    async def analyse(self) -> Analysis:
        return await analyse(self.results, "inference-perf", into=self.into, means=self.means)

    def left(self) -> list[str]:
        """What lies beside the analysis, and should not."""
        return [path.name for path in self.into.parent.iterdir() if path != self.into]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_our_own_python_makes_the_launchers_summary(world: World) -> None:
    world.means = Means(search=SEARCH)

    found = await world.analyse()

    assert found.made == ("summary.txt",)
    assert found.problems == ()
    assert found.notes[0] == f"analysed by {sys.executable}"
    assert (
        "requests succeeded                          24" in (world.into / "summary.txt").read_text()
    )


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """A real virtual environment."""
    place = tmp_path / "real"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    return place


def is_alive(pid: str) -> bool:
    return Path("/proc", pid).exists()


async def test_a_real_virtual_environment_is_what_runs(world: World, real: Path) -> None:
    world.means = Means(environment=real, search=SEARCH)

    found = await world.analyse()

    assert (found.made, found.problems) == (("summary.txt",), ())
    assert found.notes[0] == f"analysed by {real}/bin/python"


async def test_the_environments_own_charts_are_kept_and_its_words(world: World) -> None:
    world.program("inference-perf", f"echo drawing; {DRAWS}")

    found = await world.analyse()

    charts = tuple(f"stage_{n}_lifecycle_metrics.png" for n in (0, 1))
    assert found.made == (LOG, *charts, "summary.txt")
    assert found.problems == ()
    assert (world.into / LOG).read_text() == "drawing\n"
    assert not any(path.is_symlink() for path in world.into.iterdir())
    assert world.left() == []


async def test_results_are_only_read(world: World) -> None:
    world.program("inference-perf", DRAWS)
    before = {path: path.stat().st_mtime_ns for path in (world.results, *world.results.iterdir())}

    await world.analyse()

    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {world.results, *world.results.iterdir()} == before.keys()


@pytest.mark.parametrize(
    ("charts", "says"),
    [
        ("echo no matplotlib >&2; exit 0", "drew none; it said last: no matplotlib"),
        ("echo bad; exit 4", "inference-perf ended with exit code 4; it said last: bad"),
        ("kill -9 $$", "inference-perf ended by signal SIGKILL"),
    ],
)
async def test_without_charts_the_summary_is_there_all_the_same(
    world: World, charts: str, says: str
) -> None:
    world.program("inference-perf", charts)

    found = await world.analyse()

    assert "summary.txt" in found.made
    assert says in " ".join([*found.problems, *found.notes])
    assert "no charts" in " ".join([*found.problems, *found.notes])


@pytest.mark.parametrize(
    ("python", "says"),
    [
        ("exit 3", "ended with exit code 3; it said last: nothing"),
        ("echo no such module >&2; exit 1", "it said last: no such module"),
        ("kill -11 $$", "ended by signal SIGSEGV"),
        ("echo hello", "ended with exit code 0"),
        ("echo '{\"problem\": 1}'", "ended with exit code 0"),
        ("echo '[]'", "ended with exit code 0"),
        ("head -c 3000000 /dev/zero", "ended with exit code 0"),
    ],
)
async def test_a_python_that_is_none_is_one_problem(world: World, python: str, says: str) -> None:
    world.program("python", python)

    found = await world.analyse()

    assert says in found.problems[0]
    assert found.made in ((), (LOG,))
    assert world.left() == []


async def test_a_python_that_has_gone_is_a_problem_that_names_it(world: World) -> None:
    (world.place / "bin" / "python").unlink()

    assert f"{world.place}/bin/python cannot be run" in (await world.analyse()).problems[0]


async def test_an_analysis_that_hangs_is_ended_in_time(world: World) -> None:
    world.program("python", "sleep 3600")
    world.means = replace(world.means, timeout_s=1)

    assert (await world.analyse()).problems == ("the analysis took longer than 1 s",)


async def test_charts_that_hang_cost_the_charts_only(world: World) -> None:
    world.program("inference-perf", "exec sleep 3600")
    world.means = replace(world.means, timeout_s=5)

    found = await world.analyse()

    assert found.made == ("summary.txt",)
    assert found.problems == ("no charts: inference-perf took longer than 5 s",)


async def test_a_cancelled_analysis_leaves_no_process_and_the_next_one_begins_anew(
    world: World, tmp_path: Path
) -> None:
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    world.program("python", f'echo $$ > "{pipe}"; exec sleep 3600')
    work = asyncio.create_task(world.analyse())
    pid = (await asyncio.to_thread(pipe.read_text)).strip()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not is_alive(pid)

    world.program("python", HONEST)
    assert (await world.analyse()).made == ("summary.txt",)
    assert world.left() == []


async def test_analysing_again_gives_the_same_and_nothing_of_before(world: World) -> None:
    world.program("inference-perf", DRAWS)
    first = await world.analyse()
    (world.into / "old").write_text("x")

    assert await world.analyse() == first
    assert not (world.into / "old").exists()


async def test_no_room_is_the_only_trouble_that_is_raised(world: World, tmp_path: Path) -> None:
    world.program("python", 'echo \'{"problem": "", "full": "x", "notes": [], "charts": ""}\'')
    with pytest.raises(Unavailable, match="no room for the analysis: x"):
        await world.analyse()

    (tmp_path / "file").write_text("")
    world.into = tmp_path / "file" / "1"
    with pytest.raises(Unavailable, match="cannot analyse into"):
        await world.analyse()


async def test_it_sees_nothing_of_our_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("KUBECONFIG", "/somewhere")
    world.program("python", "env >&2")

    await world.analyse()

    said = (world.into / LOG).read_text()
    assert "LLMDBENCH_HARNESS_NAME=inference-perf" in said
    assert "HF_TOKEN" not in said
    assert "KUBECONFIG" not in said


class Attempt:
    """An attempt's folder with the results of several launchers."""

    def __init__(self, folder: Path, *, launchers: int) -> None:
        self.folder = folder
        for index in range(1, launchers + 1):
            shutil.copytree(DATA / "stages", folder / "results" / str(index))

    async def analyse(
        self, asked: str | None = None, *, harness: str = "inference-perf", timeout_s: float = 60
    ) -> Analysis:
        analyst = Analyst(Environments({"PATH": SEARCH}, self.folder / "envs"), timeout_s)
        indices = (int(path.name) for path in (self.folder / "results").iterdir())
        return await analyst.analyse(self.folder, dict.fromkeys(sorted(indices), harness), asked)


async def test_each_launcher_has_a_folder_of_its_own_beside_what_it_made(tmp_path: Path) -> None:
    found = await Attempt(tmp_path, launchers=2).analyse()

    assert found.made == ("analysis/1/summary.txt", "analysis/2/summary.txt")
    assert all((tmp_path / name).is_file() for name in found.made)
    assert {note.partition(":")[0] for note in found.notes} == {"launcher 1", "launcher 2"}


async def test_an_environment_that_has_gone_since_is_told_for_each_launcher(tmp_path: Path) -> None:
    found = await Attempt(tmp_path, launchers=2).analyse("gone")

    assert found.made == ()
    assert [problem.partition(" with ")[0] for problem in found.problems] == [
        f"launcher {index}: harness.conda_env: no environment gone" for index in (1, 2)
    ]
    assert f"looked in {tmp_path}/envs" in found.problems[0]


async def test_the_usual_environment_of_the_harness_is_used_when_it_is_there(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "x")
    (tmp_path / "envs").mkdir()
    world.place.rename(tmp_path / "envs" / "inference-perf-runner")

    found = await Attempt(tmp_path, launchers=1).analyse()

    assert f"{tmp_path}/envs/inference-perf-runner/bin/python" in found.notes[0]


async def test_time_is_bounded_for_all_launchers_together(tmp_path: Path) -> None:
    world = World(tmp_path / "x")
    world.program("python", "sleep 3600")

    found = await Attempt(tmp_path, launchers=3).analyse(str(world.place), timeout_s=1)

    assert found.problems == (
        "launcher 1: the analysis took longer than 1 s",
        *(f"launcher {index}: not begun: the analysis of a run may take 1 s" for index in (2, 3)),
    )


async def test_nop_was_analysed_by_the_daemon_already_and_a_note_says_where(
    tmp_path: Path,
) -> None:
    found = await Attempt(tmp_path, launchers=1).analyse(harness="nop")

    assert (found.made, found.problems) == ((), ())
    assert "results/1/analysis/" in found.notes[0]
    assert not (tmp_path / "analysis").exists()
