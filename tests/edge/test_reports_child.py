"""A converter that hangs, dies, exits or eats everything costs one report and nothing else."""

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from llmdbenchd.core.results.summary import HARNESSES
from llmdbenchd.edge import report_child, reports
from llmdbenchd.edge.reports import ReportContext, ReportFacts, convert
from llmdbenchd.ports import Unavailable

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003  # as the plugin spells it

DATA = Path(__file__).parents[1] / "data/inference-perf"
CONTEXT = ReportContext(experiment_id="exp-1", timeout_s=60)

WICKED = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
import llmd_benchmark_report.native_to_br0_2 as converter
import llmdbenchd.edge.report_child as child

honest = converter.import_inference_perf

def wicked(path):
    if "stage_0" in path:
        {deed}
    return honest(path)

converter.import_inference_perf = wicked
child.main()
"""


@pytest.fixture
def wicked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Deeds":
    return Deeds(tmp_path, monkeypatch)


class Deeds:
    """Puts a converter in place that does something wicked to stage 0, in version 0.2."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tmp_path = tmp_path
        self.monkeypatch = monkeypatch

    async def convert(self, deed: str, context: ReportContext = CONTEXT) -> ReportFacts:
        script = self.tmp_path / "wicked.py"
        script.write_text(WICKED.format(root=str(Path(__file__).parents[2]), deed=deed))
        self.monkeypatch.setattr(reports, "_CHILD", ("-I", str(script)))
        return await convert(
            DATA / "stages", "inference-perf", into=self.tmp_path / "out", context=context
        )


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        ("sys.exit(2)", "gave up with exit code 2"),
        ("os._exit(3)", "ended with exit code 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "by signal SIGKILL"),
        ("sys.stderr.write('out of luck\\n'); os._exit(4)", "it said last: out of luck"),
        ("raise RecursionError('deep')", "RecursionError: deep"),
        ("bytearray(64 << 30)", "MemoryError"),
        ("os.write(1, b'noise on stdout\\n'); raise ValueError('x')", "ValueError: x"),
    ],
)
async def test_whatever_it_does_to_one_report_the_other_three_are_made(
    wicked: Deeds, deed: str, says: str
) -> None:
    facts = await wicked.convert(deed)

    assert len(facts.made) == 3
    (problem,) = facts.problems
    assert problem.startswith("stage_0_lifecycle_metrics.json to version 0.2")
    assert says in problem


@pytest.mark.slow
async def test_a_converter_that_hangs_is_ended_and_the_others_are_made(wicked: Deeds) -> None:
    facts = await wicked.convert("time.sleep(3600)", replace(CONTEXT, timeout_s=5))

    assert len(facts.made) == 3
    assert "took longer than 5 s" in facts.problems[0]


def opened_by_another(pipe: Path) -> str:
    """Blocks until somebody has written into `pipe`."""
    return pipe.read_text()


def is_alive(pid: str) -> bool:
    return Path("/proc", pid).exists()


async def test_a_cancelled_conversion_leaves_no_process_behind(wicked: Deeds) -> None:
    pipe = wicked.tmp_path / "pid"
    os.mkfifo(pipe)
    deed = f"Path({str(pipe)!r}).write_text(str(os.getpid())); time.sleep(3600)"

    work = asyncio.create_task(wicked.convert(deed))
    pid = await asyncio.to_thread(opened_by_another, pipe)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    assert not is_alive(pid)


async def test_a_full_disk_is_the_only_trouble_that_is_raised(wicked: Deeds) -> None:
    with pytest.raises(Unavailable, match="no room for reports"):
        await wicked.convert("raise OSError(28, 'No space left on device')")


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="cannot make reports in"):
        await convert(DATA / "mixed", "inference-perf", into=tmp_path / "file/out", context=CONTEXT)


async def test_the_converter_sees_nothing_of_our_environment(
    wicked: Deeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("KUBECONFIG", "/somewhere")

    facts = await wicked.convert("raise ValueError(' '.join(sorted(os.environ)))")

    assert "HF_TOKEN" not in facts.problems[0]
    assert "KUBECONFIG" not in facts.problems[0]
    assert "LLMDBENCH_RUN_EXPERIMENT_ID" in facts.problems[0]


async def test_results_are_only_read(tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(DATA / "stages", results)
    before = {path: path.stat().st_mtime_ns for path in (results, *results.iterdir())}

    await convert(results, "inference-perf", into=tmp_path / "out", context=CONTEXT)

    assert {path: path.stat().st_mtime_ns for path in (results, *results.iterdir())} == before


def test_every_harness_in_the_table_has_an_importer() -> None:
    assert set(report_child._IMPORTERS) == set(HARNESSES)
