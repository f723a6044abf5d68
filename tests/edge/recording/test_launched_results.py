"""What a launcher started is in the same results as the server beside it, read from the folder."""

import json
from pathlib import Path

import pytest
import yaml

from llmdbenchd.core.nop.calls import Cycle
from llmdbenchd.core.nop.instances import Launch, Wanted
from llmdbenchd.core.nop.order import Order
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.recording.folder import Facts, Folder, Pass
from llmdbenchd.edge.recording.writing import write_results
from llmdbenchd.edge.reports import ReportContext, convert
from tests.core.nop.recorded import SLEEP, TEXTS, log, pod, running, status

REAL_TIME = pytest.mark.looptime(False)  # noqa: FBT003 -- the marker takes it so
LAUNCH = Launch(
    namespace="n",
    pod="vllm-0",
    uid="u",
    wanted=Wanted("--port 8002 --model a/b", frozenset({"old"})),
    begun=1772366390.0,
    instance="a",
    ready_at=1772366410.0,
    is_over=True,
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A recording in which a launcher started a server, which slept once."""
    made = Folder(tmp_path / "recordings" / "nop-1")
    made.make(Order(asked=Asked(method="standalone", model="a/b"), launcher=True))
    server = made.server("u")
    server.keep(pod(status(state=running(1), restartCount=0), ready=True), Facts(number=0))
    server.log("vllm", 0).parent.mkdir()
    server.log("vllm", 0).write_bytes(log((*TEXTS, *SLEEP)))
    cycle = Cycle(server="vllm-0:8002", level=1, begun=5.0, sleep_s=0.2)
    made.keep_passes([Pass(begun=1.0, ended=9.0, is_good=True, cycles=(cycle,))])
    made.keep_launch(LAUNCH)
    launched = made.launched(LAUNCH)
    launched.parent.mkdir()
    slower = tuple(one.replace("0.750000 seconds", "1.500000 seconds") for one in TEXTS)
    launched.write_bytes(log(slower))
    return made


@REAL_TIME
async def test_both_are_in_one_report_that_the_fields_converter_takes(
    folder: Folder, tmp_path: Path
) -> None:
    assert write_results(folder, 9.0)
    results = folder.path / "results"

    context = ReportContext(experiment_id="e")
    told = await convert(results, "nop", into=tmp_path / "out", context=context)

    assert (told.made, told.problems) == (("benchmark_report,_result.yaml.yaml",), ())
    report = yaml.safe_load((tmp_path / "out" / told.made[0]).read_text())
    [metrics] = report["metrics"]["metadata"][:1]
    assert [(one["name"], one["load"]["time"]["value"]) for one in metrics["value"]] == [
        ("vLLM Standalone", 0.75),
        ("vLLM Launcher", 1.5),
    ]


def test_its_log_its_sleeps_and_what_was_asked_for_come_home(folder: Folder) -> None:
    assert write_results(folder, 9.0)
    home = folder.path / "results"

    mine = home / "vllm-0_launcher-instance"
    assert (mine / "vllm.log").read_bytes() == folder.launched(LAUNCH).read_bytes()
    assert "Model Loading" in (mine / "categories.log").read_text()
    drawn = json.loads((home / "timeline.json").read_text())
    cycles = {one["name"]: one["cycles"] for one in drawn["servers"]}
    assert cycles["vllm-0_vllm"] == []
    assert cycles["vllm-0_launcher-instance"][0]["sleep_s"] == 0.2
    [one] = json.loads((home / "recordings.json").read_text())
    assert one["launches"][0]["wanted"] == {"options": LAUNCH.wanted.options, "before": ["old"]}


def test_an_instance_of_which_no_line_is_known_is_no_start(folder: Folder) -> None:
    folder.launched(LAUNCH).unlink()

    assert write_results(folder, 9.0)
    document = yaml.safe_load((folder.path / "results/result.yaml").read_text())
    assert [one["name"] for one in document["vllm_metrics"]] == ["vLLM Standalone"]
