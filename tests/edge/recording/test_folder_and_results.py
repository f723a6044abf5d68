"""A recording is its folder: everything is read again from it, and results come of it alone."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
import yaml

from llmdbenchd.core.nop.behind import Behind
from llmdbenchd.core.nop.calls import Cycle
from llmdbenchd.core.nop.order import Order
from llmdbenchd.core.nop.timeline import timeline
from llmdbenchd.core.pods.objects import Event
from llmdbenchd.core.results.manifest import NAME, parse
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.environments import Environments
from llmdbenchd.edge.files.archive import Archive
from llmdbenchd.edge.files.evidence import DiskEvidence
from llmdbenchd.edge.recording.engine import RecordingEngine
from llmdbenchd.edge.recording.folder import End, Facts, Folder, Pass, recordings
from llmdbenchd.edge.recording.keeping import served
from llmdbenchd.edge.recording.writing import write_results
from llmdbenchd.edge.reports import ReportContext, convert
from llmdbenchd.kit.stamps import Gap, mark
from llmdbenchd.ports import Unavailable
from tests.core.nop.recorded import LOOP, SLEEP, TEXTS, ended, log, pod, running, status
from tests.core.run.cases import record as case

REAL_TIME = pytest.mark.looptime(False)  # noqa: FBT003 -- the marker takes it so
ORDER = Order(asked=Asked(method="standalone", namespace="n", model="a/b"))
CYCLE = Cycle(server="vllm-0", level=1, begun=5.0, sleep_s=0.2, wake_s=0.1, first_token_s=0.1)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "recordings" / "nop-1")
    made.make(ORDER)
    return made


def test_what_it_knows_is_read_again(folder: Folder) -> None:
    one = Pass(begun=1.0, removed=("u",), cycles=(CYCLE,))
    folder.keep_passes([one])
    folder.keep_behind(Behind(namespace="n", selectors=({"app": "vllm"},)))
    folder.make(Order(asked=Asked(model="another")))

    again = Folder(folder.path)
    assert again.passes() == (one,)
    assert again.order() == ORDER
    assert again.behind() == Behind(namespace="n", selectors=({"app": "vllm"},))
    assert [one.name for one in recordings(folder.path.parent)] == ["nop-1"]


def test_its_sight_is_what_the_folder_says(folder: Folder) -> None:
    assert folder.sight() == Running()
    folder.end(End(1, "it failed"))
    assert folder.sight() == Ended(Cause.EXITED, 1, detail="it failed")
    folder.end(End(0, "stopped", stopped=True))
    assert folder.sight() == Ended(Cause.STOPPED, None, detail="stopped")
    folder.remove()
    folder.remove()
    assert folder.sight() == Absent()
    with pytest.raises(Unavailable, match="not there any more"):
        folder.order()


def test_lives_of_which_a_pod_tells_no_more_are_kept(folder: Folder) -> None:
    server = folder.server("u")
    first = status(state=ended(1, 5), restartCount=0)
    second = status(state=running(9), lastState=ended(1, 5), restartCount=1)
    in_a_loop = status(state=LOOP, lastState=ended(2, 9), restartCount=1)
    for one in (first, second, in_a_loop):
        server.keep(pod(one), Facts(number=0))

    known = Folder(folder.path).server("u").lives()["vllm"]
    assert [(life.restart, life.why) for life in known] == [
        (0, "Error, exit code 1"),
        (1, "Error, exit code 2"),
    ]
    told = timeline(server.pod(), "vllm", (), (), known)
    assert told.lives == known


def test_events_that_the_api_server_forgets_are_kept(folder: Folder) -> None:
    server = folder.server("u")
    server.keep(pod(), Facts(number=0))
    first, second = Event(reason="Pulled"), Event(reason="Unhealthy", count=1)
    server.keep_events([first, second])
    server.keep_events([Event(reason="Unhealthy", count=2)])

    assert [(one.reason, one.count) for one in server.events()] == [
        ("Pulled", None),
        ("Unhealthy", 2),
    ]


def record(folder: Folder) -> None:
    """Two lives of one container: the first was cut off, with a gap."""
    server = folder.server("u")
    states = status(state=running(1), lastState=ended(), restartCount=1)
    server.keep(pod(states, ready=True), Facts(number=0))
    first, second = server.log("vllm", 0), server.log("vllm", 1)
    first.parent.mkdir()
    gap = mark(Gap("2026-03-01T12:00:04.000000000Z", None, "rotated"))
    first.write_bytes(log(TEXTS[:5]) + gap)
    second.write_bytes(log((*TEXTS, *SLEEP)))
    folder.keep_passes([Pass(begun=1.0, ended=9.0, is_good=True, cycles=(CYCLE,))])


@REAL_TIME
async def test_the_fields_own_converter_takes_the_result(folder: Folder, tmp_path: Path) -> None:
    record(folder)
    assert write_results(folder, 9.0)
    results = folder.path / "results"

    told = await convert(
        results, "nop", into=tmp_path / "out", context=ReportContext(experiment_id="e")
    )

    assert (told.made, told.problems) == (("benchmark_report,_result.yaml.yaml",), ())
    report = yaml.safe_load((tmp_path / "out" / told.made[0]).read_text())
    [metrics] = report["metrics"]["metadata"][:1]
    assert metrics["value"][1]["load"]["time"] == {"units": "s", "value": 0.75}
    assert metrics["value"][1]["memory_profiling"]["time"]["value"] is None


def test_results_are_whole_and_may_be_made_again(folder: Folder) -> None:
    record(folder)
    assert write_results(folder, 9.0)
    assert write_results(folder, 9.0)

    home = folder.path / "results"
    names = {entry.path for entry in parse((home / NAME).read_bytes())}
    assert names == {
        "analysis/result.txt",
        "recordings.json",
        "result.yaml",
        "timeline.json",
        "timeline.svg",
        "vllm-0_vllm/categories.log",
        "vllm-0_vllm/vllm-0.log",
        "vllm-0_vllm/vllm.log",
    }
    told = json.loads((home / "timeline.json").read_text())
    assert [one["ending"] for one in told["starts"]] == ["cut off", "ready"]
    assert "rotated" in told["servers"][0]["gaps"][0]
    assert "rotated" in (home / "analysis/result.txt").read_text()


def test_a_pod_that_was_made_anew_under_its_name_does_not_take_the_first_ones_place(
    folder: Folder,
) -> None:
    record(folder)
    again = folder.server("v")
    again.keep(pod(status(state=running(1)), ready=True), Facts(number=0))
    again.log("vllm", 0).parent.mkdir()
    again.log("vllm", 0).write_bytes(log(TEXTS[:2]))
    later = msgspec.structs.replace(again.pod().metadata, creation_timestamp="2026-03-01T13:00:00Z")
    again.keep(msgspec.structs.replace(again.pod(), metadata=later), Facts(number=0))

    assert write_results(folder, 9.0)
    home = folder.path / "results"
    assert (home / "vllm-0_vllm/vllm.log").read_bytes() == log(TEXTS[:2])
    assert (home / "vllm-0_1_vllm/vllm.log").read_bytes() == log((*TEXTS, *SLEEP))


@REAL_TIME
async def test_an_archive_is_told_of_each_log_with_its_gaps_and_of_the_page(
    folder: Folder, tmp_path: Path
) -> None:
    record(folder)
    assert write_results(folder, 9.0)
    with ThreadPoolExecutor(1) as disk:
        evidence = DiskEvidence(
            tmp_path / "state",
            Archive(tmp_path / "archive"),
            disk,
            served=served,
            environments=Environments({}, tmp_path),
        )
        home = await evidence.results(case(Phase.REPORTING, seen=(1,)), 1)
        shutil.copytree(folder.path / "results", home, dirs_exist_ok=True)
        natives = await evidence.natives(case(Phase.REPORTING, seen=(1,)), "nop")

    assert natives.files == 1
    assert natives.told == (home / "analysis/result.txt").read_text()
    first, last = natives.server_logs.items()
    assert (first[0], len(first[1].gaps)) == ("results/1/vllm-0_vllm/vllm-0.log", 1)
    assert (last[0], last[1].gaps) == ("results/1/vllm-0_vllm/vllm.log", ())


def test_without_a_start_there_is_no_result(folder: Folder) -> None:
    assert not write_results(folder, 9.0)
    assert [path.name for path in (folder.path / "results").glob("*.yaml")] == []


@REAL_TIME
async def test_what_the_recorder_says_is_followed_to_its_end_and_resumed(
    folder: Folder, tmp_path: Path
) -> None:
    engine = RecordingEngine(folder.path.parent, None, clock=lambda: 0.0, min_free=0)  # type: ignore[arg-type] # no API server is needed
    folder.say("2026-03-01T12:00:00.000000000Z", "one")
    folder.say("2026-03-01T12:00:01.000000000Z", "two")
    folder.end(End(0, "ready"))
    into = tmp_path / "live" / "launcher-1.log"
    into.parent.mkdir()
    whole = (folder.path / "recorder.log").read_bytes()
    into.write_bytes(whole[:10])

    assert await engine.follow("nop-1", into) == len(whole)
    assert into.read_bytes() == whole
    await engine.remove("nop-1")
    assert await engine.look("nop-1") == Absent()
