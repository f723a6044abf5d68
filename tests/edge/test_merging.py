"""One report for several launchers, by the real converter in its process."""

import asyncio
import json
from pathlib import Path

import pytest
import yaml
from llmd_benchmark_report import import_benchmark_report

from llmdbenchd.core.results.merged import NAME
from llmdbenchd.edge.merging import Merged, merge
from llmdbenchd.edge.reports import ReportContext, convert
from tests.edge.test_recorded_results import recorded

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - as the plugin spells it

DATA = Path(__file__).parents[1] / "data/inference-perf"
CONTEXT = ReportContext(experiment_id="exp-1", description="a try", parallelism=2)


async def merged(tmp_path: Path, harness: str, *results: Path) -> Merged:
    """Convert each and merge them."""
    folders = [(folder, tmp_path / str(index)) for index, folder in enumerate(results, 1)]
    for folder, into in folders:
        await convert(folder, harness, into=into, context=CONTEXT)
    return await merge(folders, harness, into=tmp_path, context=CONTEXT)


@pytest.mark.parametrize("harness", ["guidellm", "aiperf"])
async def test_real_results_of_two_launchers_are_pooled(tmp_path: Path, harness: str) -> None:
    found = await merged(tmp_path, harness, recorded(harness), recorded(harness))

    assert (found.made, found.problem) == (NAME, "")
    assert found.metrics is not None
    assert (found.metrics.requests, found.metrics.failures) == (60, 0)
    assert found.metrics.requests_per_s == pytest.approx(4, rel=0.05)
    assert found.metrics.ttft_ms is not None
    assert found.metrics.ttft_ms.p99 == pytest.approx(57, abs=5)
    assert found.metrics.notes[0].startswith("latencies are pooled")
    import_benchmark_report(str(tmp_path / NAME))  # by the package's own model


async def test_results_without_single_requests_have_means_and_say_so(tmp_path: Path) -> None:
    found = await merged(tmp_path, "inference-perf", DATA / "stages", DATA / "mixed")

    document = yaml.safe_load((tmp_path / NAME).read_text())
    assert "percentiles of 2 launchers together are not known" in document["run"]["description"]
    latency = document["results"]["request_performance"]["aggregate"]["latency"]
    assert set(latency["time_to_first_token"]) == {"units", "mean"}
    assert found.metrics is not None
    assert found.metrics.ttft_ms is not None
    assert found.metrics.ttft_ms.p99 is None


async def test_a_launcher_without_figures_is_named_and_nothing_is_merged(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    found = await merged(tmp_path, "inference-perf", DATA / "stages", tmp_path / "results")

    assert found == Merged(problem="ValueError: launcher results left no figures")
    assert not (tmp_path / NAME).exists()


async def test_a_launcher_without_a_report_leaves_the_figures_of_the_whole(tmp_path: Path) -> None:
    folders = [(DATA / "stages", tmp_path), (DATA / "mixed", tmp_path)]
    found = await merge(folders, "inference-perf", into=tmp_path, context=CONTEXT)

    assert "has no report of its own" in found.problem
    assert found.metrics is not None


async def test_torn_figures_of_single_requests_cost_the_merged_report_only(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        for source in (DATA / "mixed").iterdir():
            (folder / source.name).write_bytes(source.read_bytes())
        (folder / "per_request_lifecycle_metrics.json").write_text(json.dumps([{}]))

    found = await merged(tmp_path / "out", "inference-perf", tmp_path / "a", tmp_path / "b")

    assert "the figures of single requests cannot be read" in found.problem
    assert await asyncio.to_thread((tmp_path / "out" / "1").is_dir)
