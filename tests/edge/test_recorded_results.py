"""What real harnesses wrote, each in a run with a known truth: read, judged and converted.

The truth: 30 requests of 50 tokens in and 50 out, 2 a second; the first token after 50 ms, each
further one 10 ms later. The client's own time comes on top.
"""

from pathlib import Path

import pytest

from llmdbenchd.core.results.metrics import Metrics
from llmdbenchd.core.results.summary import find_native, measure
from llmdbenchd.core.results.verdict import Evidence, Outcome, judge
from llmdbenchd.edge.reports import ReportContext, convert

FOLDERS = {
    "inference-perf": "inference-perf/out",
    "guidellm": "guidellm",
    "vllm-benchmark": "vllm-benchmark",
    "aiperf": "aiperf/out",
}


def recorded(harness: str) -> Path:
    """The folder of the results; the test is skipped with the reason without it."""
    roots = [parent / "shared" / "harness-results" for parent in Path(__file__).parents]
    root = next((root for root in roots if root.is_dir()), None)
    if root is None:
        pytest.skip("recorded results missing: no shared/harness-results beside this project")
    return root / FOLDERS[harness]


def measured(harness: str) -> Metrics:
    folder = recorded(harness)
    names = find_native(harness, [path.name for path in folder.iterdir()])
    found = measure(harness, {name: (folder / name).read_bytes() for name in names})
    assert found is not None
    return found


@pytest.mark.parametrize("harness", FOLDERS)
def test_the_ten_metrics_are_the_truth_whichever_tool_measured(harness: str) -> None:
    found = measured(harness)

    assert (found.requests, found.failures, found.failure_rate) == (30, 0, 0)
    assert found.ttft_ms is not None
    assert found.itl_ms is not None
    assert found.tpot_ms is not None
    assert found.ntpot_ms is not None
    assert found.request_latency_s is not None
    assert found.ttft_ms.mean == pytest.approx(50, abs=5)
    assert found.itl_ms.mean == pytest.approx(10, rel=0.02)
    assert found.tpot_ms.mean == pytest.approx(10, rel=0.02)
    assert found.ntpot_ms.mean == pytest.approx(10.8, rel=0.02)
    assert found.request_latency_s.mean == pytest.approx(0.54, abs=0.005)
    assert found.requests_per_s == pytest.approx(2, rel=0.05)
    assert found.output_tokens_per_s == pytest.approx(100, rel=0.05)
    assert found.input_tokens_per_s == pytest.approx(100, rel=0.05)
    assert found.duration_s == pytest.approx(15, abs=0.6)


@pytest.mark.parametrize("harness", FOLDERS)
def test_a_good_run_is_judged_good_by_its_requests(harness: str) -> None:
    found = measured(harness)

    assert judge(Evidence("", 1, found.requests, found.failures, ""), 0).outcome is (
        Outcome.SUCCEEDED
    )


@pytest.mark.parametrize("harness", FOLDERS)
@pytest.mark.looptime(False)  # noqa: FBT003 - the mark's own way
async def test_each_becomes_both_versions_of_the_report(harness: str, tmp_path: Path) -> None:
    context = ReportContext(experiment_id="1700000000")

    facts = await convert(recorded(harness), harness, into=tmp_path, context=context)

    assert facts.problems == ()
    assert len(facts.made) == 2
