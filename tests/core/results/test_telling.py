"""The summary that people read: the field's ten metrics, and never a figure nobody measured."""

from dataclasses import replace
from pathlib import Path

from llmdbenchd.core.results.document import Analysis, LauncherFacts, RunFacts
from llmdbenchd.core.results.metrics import Metrics, Spread
from llmdbenchd.core.results.telling import METRICS, summary_text

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"
RUN = RunFacts(
    job="j", run="r001", phase="SUCCEEDED", kind="good", reason="8 requests", attempt=1,
    harness="inference-perf", model="m",
    metrics=Metrics(
        requests=8, failures=2, duration_s=15.0, requests_per_s=0.4, output_tokens_per_s=20.0,
        ttft_ms=Spread(51.97, 51.0, 55.0, 60.0), ntpot_ms=Spread(10.86),
        notes=("a note",),
    ),
)  # fmt: skip


def test_every_metric_of_the_fields_page_has_its_row_name_and_unit() -> None:
    text = summary_text(RUN).decode()

    for metric in METRICS:
        (line,) = [line for line in text.splitlines() if line.startswith(metric.name)]
        assert line.endswith(f"  {metric.unit}")


def test_a_figure_that_nobody_measured_is_a_dash_and_never_a_zero() -> None:
    lines = summary_text(RUN).decode().splitlines()
    by_name = {metric.field: metric.name for metric in METRICS}

    def words(field: str) -> list[str]:
        (line,) = [line for line in lines if line.startswith(by_name[field])]
        return line.removeprefix(by_name[field]).split()

    assert words("ttft_ms") == ["51.97", "51.00", "55.00", "60.00", "ms"]
    assert words("ntpot_ms")[:4] == ["10.86", "-", "-", "-"]
    assert words("tpot_ms")[:4] == ["-", "-", "-", "-"]
    assert words("input_tokens_per_s") == ["-", "tokens/s"]
    assert words("failure_rate") == ["2", "(25.0%)", "queries"]
    assert lines[-1] == "Note: a note."


def test_a_run_that_measured_nothing_says_so() -> None:
    failed = replace(RUN, phase="FAILED", reason="no such image", metrics=None, treatment="t")
    two = (LauncherFacts(1, ""), LauncherFacts(2, ""))

    assert summary_text(replace(failed, launchers=two)).decode() == (
        "j/r001: FAILED (no such image)\n"
        "inference-perf on m, treatment t, 2 launchers\n"
        "\n"
        "Nothing was measured.\n"
    )
    none = Metrics(requests=0, failures=0)
    assert "0  queries" in summary_text(replace(RUN, metrics=none)).decode()


def test_a_harness_that_sends_no_load_tells_what_it_measured_in_place_of_dashes() -> None:
    recorded = replace(RUN, harness="nop", metrics=None)

    text = summary_text(recorded, "Scenario\n  Load format : auto\n").decode()

    assert text.endswith("nop on m\n\nScenario\n  Load format : auto\n")
    assert "Nothing was measured" not in text


def test_an_analysis_that_went_wrong_is_told_beside_good_figures() -> None:
    analysis = Analysis(("analysis/1/summary.txt",), ("launcher 2: no charts",), ("by python",))

    lines = summary_text(replace(RUN, analysis=analysis)).decode().splitlines()

    assert lines[-1] == "Note: local analysis: launcher 2: no charts."


def test_the_document_explains_each_metric_by_its_formula() -> None:
    text = DOCUMENT.read_text()

    for metric in METRICS:
        row = f"| {metric.name} | {metric.unit} | {metric.formula} | `{metric.field}` |"
        assert row in text
