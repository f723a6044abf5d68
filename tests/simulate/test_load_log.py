"""What the stand-in writes in a version's wording, the parser reads back as it was asked for."""

from datetime import UTC, datetime

import pytest

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.core.nop.recorder import Recorder
from llmdbenchd.simulate.load import Failure, Load
from llmdbenchd.simulate.load_log import load_beats, told
from llmdbenchd.simulate.vllm_lines import LineForm
from llmdbenchd.simulate.wordings import UnknownVersion, Wordings

BEGUN = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()
VERSIONS = [
    *("0.6.0", "0.6.3", "0.6.6", "0.7.3", "0.8.2", "0.8.5", "0.9.2", "0.10.0", "0.10.2"),
    *("0.11.0", "0.11.2", "0.12", "0.13", "0.14.1", "0.16", "0.17.1", "0.18", "0.19", "0.20"),
    *("0.21", "0.24.0", "0.26", "0.27.1", "0.28", "0.30", "0.31", "0.32"),
]


def log_of(load: Load) -> str:
    form = LineForm(Wordings(load.version), milliseconds=load.debug)
    beats = load_beats(load, model="m", max_model_len=4096)
    return "".join(f"{one.line(form, BEGUN + one.at_s)}\n" for one in beats)


def read(log: str) -> Attempt:
    recorder = Recorder(2026)
    recorder.feed(log.encode())
    recorder.finish()
    (attempt,) = recorder.journal.attempts
    return attempt


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_read_back_whole_and_nothing_else(version: str, *, debug: bool) -> None:
    load = Load(version=version, seconds=30.0, debug=debug, sleep_mode=True,
                values={"weights_load_s": 4.25, "kv_cache_tokens": 35648})  # fmt: skip
    attempt = read(log_of(load))

    found = {name: kept[-1].value for name, kept in attempt.readings.items()}
    assert found == told(load)
    assert all(len(kept) == 1 for kept in attempt.readings.values())
    assert attempt.ready is not None
    assert attempt.ready.by == "Available routes are:"
    assert (attempt.text.get("version") or "").startswith(version)
    assert attempt.text["engine"] == ("V1" if Wordings(version).since("0.8.0") else "V0")


def test_what_is_asked_for_is_what_is_told_and_the_rest_shares_the_seconds() -> None:
    load = Load(version="0.19", seconds=60, values={"weights_load_s": 7.5, "graph_capture_s": 20})
    said = told(load)

    assert (said["weights_load_s"], said["graph_capture_s"]) == (7.5, 20)
    assert said["torch_compile_s"] == pytest.approx(said["dynamo_s"] + said["graph_compile_s"])
    last = load_beats(load, model="m", max_model_len=4096)[-1]
    assert last.at_s == pytest.approx(60, abs=0.05)


def test_a_warm_cache_is_told_by_the_version_that_tells_its_seconds() -> None:
    warm = {"graph_cache_load_s": 1.5}

    assert told(Load(version="0.19", values=warm))["graph_cache_load_s"] == 1.5
    assert "graph_compile_s" not in told(Load(version="0.19", values=warm))
    old = read(log_of(Load(version="0.8.2", values=warm)))
    assert old.has("cache_hit_untimed")
    assert "graph_cache_load_s" not in old.readings


def test_a_download_is_part_of_the_load() -> None:
    said = told(Load(version="0.32", seconds=30, values={"weights_download_s": 10}))

    assert said["weights_download_s"] == 10
    assert said["model_load_s"] > said["weights_download_s"] + said["weights_load_s"]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Failure.MODEL, "OSError: m is not a local folder"),
        (Failure.MEMORY, "torch.OutOfMemoryError: CUDA out of memory"),
        (Failure.KV_CACHE, "ValueError: No available memory for the cache blocks"),
    ],
)
@pytest.mark.parametrize("version", ["0.6.6", "0.8.2", "0.10.2", "0.19", "0.32"])
def test_a_start_that_fails_tells_the_root_cause(
    version: str, failure: Failure, reason: str
) -> None:
    attempt = read(log_of(Load(version=version, fail=failure)))

    assert attempt.ready is None
    assert attempt.failed is not None
    assert attempt.failed.reason.startswith(reason)


def test_one_that_is_killed_says_nothing() -> None:
    attempt = read(log_of(Load(version="0.19", fail=Failure.KILLED)))

    assert (attempt.ready, attempt.failed) == (None, None)
    assert "weights_load_s" in attempt.readings
    assert "model_load_s" not in attempt.readings


@pytest.mark.parametrize(
    ("asked", "label"),
    [("0.19", "0.19.1"), ("0.18", "0.18.1"), ("0.21", "0.21.0"), ("0.19.0", "0.19.0"),
     ("0.6", "0.6.5"), ("0.32.0", "0.32.0"), ("0.32", "0.32.0")],
)  # fmt: skip
def test_a_short_version_is_the_newest_of_its_kind(asked: str, label: str) -> None:
    assert Wordings(asked).label == label


@pytest.mark.parametrize("asked", ["0.5.9", "0.33", "1.0", "latest", "", "0.19rc1"])
def test_a_version_that_nobody_looked_at_is_refused(asked: str) -> None:
    with pytest.raises(UnknownVersion):
        Wordings(asked)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (Load(version="2.0"), "0.6.0 to 0.32 are"),
        (Load(version="0.19", seconds=-1), "load-seconds is -1"),
        (Load(version="0.19", values={"speed": 1}), "load-value speed: can be dynamo_s"),
        (Load(version="0.19", values={"engine_init_s": 1}), "load-value engine_init_s: can be"),
        (Load(version="0.19", values={"dynamo_s": float("nan")}), "dynamo_s is nan"),
        (Load(version="0.19", seconds=1, values={"dynamo_s": 2}), "more than load-seconds"),
        (Load(version="0.19", values={"graph_compile_s": 1, "graph_cache_load_s": 1}), "not both"),
    ],
)
def test_a_load_that_makes_no_sense_is_refused(load: Load, words: str) -> None:
    assert words in "; ".join(load.problems())


def test_all_that_is_told_has_a_name_of_the_readers() -> None:
    assert told(Load(version="0.10.2", debug=True)).keys() <= NAMES.keys()


def test_the_stand_in_never_speaks_as_a_plugin_of_another_platform() -> None:
    assert Wordings("0.7.3").say("weights_read", {"weights_load_s": 2.5}) is None
