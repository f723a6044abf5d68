"""Real logs of many versions and platforms, read by eye and by grep: every value, none besides.

They lie beside the project and are never copied into it: `truth.tsv` has their numbers only.
INDEX.tsv beside them is a guide with wrong rows; `differences.tsv` says which and why.
"""

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.core.nop.recorder import Recorder

HERE = Path(__file__).parent
SHARED = next((found for one in HERE.parents if (found := one / "shared/vllm-logs").is_dir()), None)
pytestmark = pytest.mark.skipif(
    SHARED is None, reason="real logs missing: there is no ../shared/vllm-logs"
)
INDEXED = {
    "weights_s": ["weights_load_s"],
    "download_s": ["weights_download_s"],
    "model_load": ["model_load_size_gib", "", "model_load_s"],
    "v0_weights_size": ["model_load_size_gib", ""],
    "runai_total": ["stream_size_gib", "", "stream_s"],
    "dynamo_s": ["dynamo_s"],
    "compile_graph": ["", "graph_compile_s"],
    "cache_load": ["", "graph_cache_load_s"],
    "compile_total_s": ["torch_compile_s"],
    "first_run_s": ["first_run_s"],
    "mem_profile_s": ["memory_profiling_s"],
    "initial_free": ["initial_free_gib"],
    "free_after": ["free_after_profiling_gib"],
    "kv_avail_GiB": ["kv_cache_available_gib"],
    "kv_tokens": ["kv_cache_tokens"],
    "kv_blocks": ["", "kv_cache_gpu_blocks", "kv_cache_cpu_blocks"],
    "max_conc": ["", "max_concurrency"],
    "graph": ["graph_capture_s", "graph_capture_gib"],
    "init_engine_s": ["engine_init_s"],
    "init_compilation_s": ["engine_init_compilation_s"],
    "sleep_freed": ["sleep_freed_gib", "sleep_in_use_gib"],
    "cumem": ["", "sleep_backed_up_gib", "sleep_discarded_gib"],
    "asleep_s": ["sleep_s"],
    "awake_s": ["wake_s"],
}
Value = tuple[str, int, str, float]


def table(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@cache
def starts(log: str) -> tuple[Attempt, ...]:
    assert SHARED is not None
    (path,) = SHARED.glob(f"{log}-*.log")
    recorder = Recorder()
    recorder.feed(path.read_bytes())
    recorder.finish()
    return tuple(recorder.journal.attempts)


def logs() -> list[str]:
    return sorted({row["log"] for row in table("starts.tsv")})


def reported() -> Counter[Value]:
    return Counter(
        (log, one.line, name, one.value)
        for log in logs()
        for attempt in starts(log)
        for name, kept in attempt.readings.items()
        for one in kept
        if not NAMES[name].further
    )


def test_every_value_is_read_with_its_line_and_none_is_made_up() -> None:
    true = Counter(
        (row["log"], int(row["line"]), row["name"], float(row["value"]))
        for row in table("truth.tsv")
    )
    found = reported()

    print(f"{(true & found).total()} of {true.total()} values read")  # noqa: T201 - the figure
    print(f"{(found - true).total()} reported that are not there")  # noqa: T201 - the other one
    assert true - found == Counter()
    assert found - true == Counter()


@pytest.mark.parametrize("log", logs())
def test_starts_begin_become_ready_fail_and_stop_where_they_do(log: str) -> None:
    true = [list(row.values())[1:] for row in table("starts.tsv") if row["log"] == log]
    found = [
        [
            str(one.number),
            str(one.first_line),
            str(one.ready.line if one.ready else 0),
            str(one.failed.line if one.failed else 0),
            str(one.stopped_line),
        ]
        for one in starts(log)
    ]

    assert found == true


def indexed() -> dict[tuple[str, str], set[tuple[int, float]]]:
    """What INDEX.tsv says, by log and name; values behind `..8 values` are not told there."""
    assert SHARED is not None
    told: dict[tuple[str, str], set[tuple[int, float]]] = {}
    rows = (SHARED / "INDEX.tsv").read_text("utf-8").splitlines()[1:]
    for row in rows:
        name, *_, values = row.split("\t")
        for item in re.split(r" \|\| |; ", re.sub(r"\[(?:start|before)[^\]]*\] ?", "", values)):
            key, _, written = item.partition("=")
            for value, line in re.findall(r"(.+?)@L(\d+)(?:,|$)", written):
                parts = value.split("/") if len(INDEXED.get(key, ())) > 1 else [value]
                for what, part in zip(INDEXED.get(key, ()), parts, strict=False):
                    if what:
                        number = float(part.replace(",", ""))
                        told.setdefault((name[:2], what), set()).add((int(line), number))
    return told


def test_the_index_agrees_as_far_as_it_is_right() -> None:
    found = reported()
    differing = {
        (log, name, line, value)
        for (log, name), kept in indexed().items()
        for line, value in kept
        if not found[(log, line, name, value)]
    }

    assert differing == set()


def test_where_the_index_is_wrong_about_ends_we_say_otherwise() -> None:
    for row in table("differences.tsv"):
        (only,) = starts(row["log"])
        end = only.ready if row["name"] == "ready_line" else only.failed
        assert (end.line if end else 0) == int(row["ours"])
        assert row["reason"]
