"""`run.json` says everything, compares line by line, and is read back with its version."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from llmdbenchd.core.results.document import (
    Analysis,
    LauncherFacts,
    LogFacts,
    LogGap,
    PastAttempt,
    RunFacts,
    ServerFacts,
    ServerLog,
    read_row,
    run_document,
    run_text,
)
from llmdbenchd.core.results.metrics import Metrics, Spread
from llmdbenchd.core.results.repetitions import repeated

ROW = [
    "job", "run", "phase", "harness", "model", "treatment", "requests", "ttft_ms", "itl_ms",
    "tpot_ms", "ntpot_ms", "request_latency_s", "failure_rate", "method", "repetition", "attempt",
    "reason", "output_tokens_per_s", "input_tokens_per_s", "requests_per_s", "duration_s",
]  # fmt: skip


def facts(
    *, run: str = "r1", phase: str = "SUCCEEDED", model: str = "m", metrics: Metrics | None = None
) -> RunFacts:
    return RunFacts(
        job="j", run=run, phase=phase, kind="good", reason="8 requests", attempt=2,
        harness="inference-perf", model=model, metrics=metrics,
        queued=datetime(2026, 11, 24, 8, tzinfo=timezone(timedelta(hours=1))),
        started=datetime(2026, 11, 24, 7, 1, 2, 500_000, tzinfo=UTC),
        launchers=(LauncherFacts(1, "exited", code=0, log_bytes=12, log_gaps=(LogGap("a", "b"),)),),
        reports=("a.yaml",), report_notes=("b",), files=3, size=99, manifest="launcher",
        past=(PastAttempt(1, "FAILED", "launcher", "it broke",
                          (LauncherFacts(1, "killed", signal=9),)),),
        server_logs={"results/1/p_c/vllm.log": LogFacts(7, (LogGap("a", None, "rotated"),))},
    )  # fmt: skip


def measured(ttft: float, rate: float | None = 2.0) -> Metrics:
    return Metrics(
        requests=8, failures=2, requests_per_s=rate, ttft_ms=Spread(ttft, 1.0, None, 3.0),
        notes=("careful",),
    )  # fmt: skip


def test_the_row_has_the_fields_of_the_contract() -> None:
    row = read_row(run_text(facts(metrics=measured(50.0))))

    assert list(row) == ROW
    assert row["requests"] == {"total": 8, "failures": 2}
    assert row["failure_rate"] == 0.25
    assert row["ttft_ms"] == {"mean": 50.0, "p50": 1.0, "p90": None, "p99": 3.0}
    assert row["itl_ms"] is None


def test_a_run_that_measured_nothing_has_nulls_and_no_zeros() -> None:
    row = read_row(run_text(facts()))

    assert row["requests"] == {"total": None, "failures": None}
    assert row["ttft_ms"] is row["failure_rate"] is row["requests_per_s"] is None


def test_all_facts_are_there_and_times_are_utc() -> None:
    document = run_document(facts(metrics=measured(50.0)))

    assert document["times"] == {
        "queued": "2026-11-24T07:00:00Z",
        "started": "2026-11-24T07:01:02.500000Z",
        "finished": None,
    }
    assert document["past"][0]["launchers"][0]["signal"] == 9
    assert document["reports"] == {"made": ["a.yaml"], "problems": [], "notes": ["b"]}
    assert document["results"] == {"files": 3, "bytes": 99, "manifest": "launcher"}
    assert document["launchers"][0]["log_bytes"] == 12
    assert document["launchers"][0]["log_gaps"] == (
        {"after": "a", "before": "b", "why": "", "filled": None, "source": ""},
    )
    assert document["server_logs"] == [
        {
            "path": "results/1/p_c/vllm.log",
            "bytes": 7,
            "gaps": [
                {"after": "a", "before": None, "why": "rotated", "filled": None, "source": ""}
            ],
        }
    ]
    assert document["notes"] == ["careful"]


def test_servers_are_there_only_where_they_were_asked_for() -> None:
    assert run_document(facts())["servers"] is None

    gaps = (LogGap("a", "b"),)
    log = ServerLog("vllm-0", "vllm", 1, "logs/servers/vllm-0/vllm.log", 9, gaps=gaps)
    told = run_document(replace(facts(), servers=ServerFacts("", (log,))))["servers"]

    assert told["lacking"] == ""
    assert told["logs"][0].keys() == {
        "pod", "container", "restart", "file", "bytes", "begins", "gaps"
    }  # fmt: skip
    assert told["logs"][0]["gaps"][0]["after"] == "a"


def test_a_local_analysis_has_its_files_its_problems_and_how_it_was_made() -> None:
    analysis = Analysis(("analysis/1/summary.txt",), ("a",), ("b",))

    assert run_document(facts())["analysis"] is None
    assert run_document(replace(facts(), analysis=analysis))["analysis"] == {
        "made": ("analysis/1/summary.txt",), "problems": ("a",), "notes": ("b",)
    }  # fmt: skip


def test_the_text_is_the_same_for_the_same_facts() -> None:
    text = run_text(facts(metrics=measured(50.0)))

    assert text == run_text(facts(metrics=measured(50.0)))
    assert text.endswith(b"}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "Expecting value"),
        (b"[]", "no version"),
        (b'{"version": "1"}', "no version"),
        (b'{"version": 2}', "reads up to 1"),
        (b'{"version": 1}', "not a row"),
        (b'{"version": 1, "metrics": {"job": "j"}}', "not a row"),
        (run_text(facts())[:-20], "Unterminated"),
    ],
)
def test_what_is_no_run_json_is_refused_with_a_reason(text: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_row(text)


def rows(*all_facts: RunFacts) -> list[dict[str, object]]:
    return [read_row(run_text(one)) for one in all_facts]


def test_repetitions_of_a_cell_have_a_mean_and_a_sample_deviation() -> None:
    (cell,) = repeated(rows(*(facts(metrics=measured(ttft)) for ttft in (48.0, 50.0, 52.0))))

    assert cell.runs == 3
    assert cell.figures["ttft_ms"] == (50.0, 2.0)
    assert cell.figures["requests_per_s"] == (2.0, 0.0)
    assert "itl_ms" not in cell.figures


def test_only_runs_that_succeeded_and_only_of_one_cell_are_averaged() -> None:
    cells = repeated(
        rows(
            facts(metrics=measured(48.0)),
            facts(metrics=measured(52.0)),
            facts(metrics=measured(900.0), phase="FAILED"),
            facts(metrics=measured(10.0), model="other"),
        )
    )

    assert [(cell.cell["model"], cell.figures["ttft_ms"][0]) for cell in cells] == [("m", 50.0)]


def test_a_figure_that_one_repetition_lacks_is_not_averaged() -> None:
    (cell,) = repeated(rows(facts(metrics=measured(50.0)), facts(metrics=measured(50.0, None))))

    assert "requests_per_s" not in cell.figures
