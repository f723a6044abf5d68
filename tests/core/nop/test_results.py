"""What comes home of a recording: numbers as the log told them, null where it told nothing."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from llmdbenchd.core.nop.attempt import Attempt, Mark
from llmdbenchd.core.nop.calls import RELOAD, Cycle, first_token, sleep, wakes
from llmdbenchd.core.nop.chart import chart
from llmdbenchd.core.nop.drawing import drawing
from llmdbenchd.core.nop.order import Order, read, written
from llmdbenchd.core.nop.pages import analysis, categories_log
from llmdbenchd.core.nop.results import nested, result
from llmdbenchd.core.nop.stages import Stage
from llmdbenchd.core.nop.story import Start, Story, as_the_field_calls_them, gpus_of, no_gpu_of
from llmdbenchd.core.nop.timeline import Recorded, of_an_instance
from llmdbenchd.core.target.asked import Asked
from tests.core.nop.recorded import FAILED, TEXTS, recorded, story

ORDER = Order(asked=Asked(method="standalone", namespace="n", model="a/b"), restart=True)
CYCLES = (
    Cycle(server="vllm-0", level=1, begun=1.0, sleep_s=0.2, wake_s=0.1, first_token_s=0.05),
    Cycle(server="vllm-0", level=2, begun=2.0, trouble="it sleeps already"),
)
GPU = "gpu_uuid='GPU-1' gpu_name='H100' compute_cap='9.0' persistence_mode='Enabled'"


def document(*stories: Story, order: Order = ORDER) -> dict[str, Any]:
    made: dict[str, Any] = result(stories, order, begun=10.0, ended=12.5)
    return made


def test_an_order_is_read_back() -> None:
    assert read(written(ORDER)) == ORDER


def test_the_result_has_the_fields_shape_and_the_logs_numbers() -> None:
    made = document(story(gpus=gpus_of(["x", GPU])))

    [one] = made["vllm_metrics"]
    assert one["name"] == "vllm-0_vllm"
    assert one["load"] == {"time": 0.75, "size": 0.93, "transfer_rate": 1.24}
    assert (one["compile_graph"], one["torch_compile"]) == (0.52, 0.83)
    assert "load_cached_compiled_graph" not in one
    assert (one["pod_start"], one["container_start"]) == (30.0, 10.0)
    assert [each["type"] for each in one["sleep_wake"]] == ["sleep", "wake"]
    assert one["sleep_wake"][0]["gpu_freed"] == 69.5
    assert made["scenario"]["sleep_mode"] is True
    assert made["scenario"]["gpus"][0]["name"] == "H100"
    assert made["scenario"]["platform"]["engines"][0]["version"] == "0.19.1"
    assert made["time"] == {"start": 10.0, "stop": 12.5, "duration": 2.5}
    compilation = next(c for c in one["categories"] if c["title"] == "Pytorch Compilation")
    assert [part["title"] for part in compilation["categories"]] == ["Dynamo", "Inductor"]


def test_what_no_log_tells_is_null_with_its_reason_and_never_zero() -> None:
    made = document(story(TEXTS[:1], ready=False, made_at=None, stamped=False))

    [one] = made["vllm_metrics"]
    assert one["load"] == {"time": None, "size": None, "transfer_rate": None}
    assert (one["pod_start"], one["vllm_ready_timestamp"]) == (None, None)
    assert one["absent"]["model_load_s"]
    assert made["scenario"]["load_format"] == "auto"


def test_every_start_has_a_name_of_its_own() -> None:
    starts = story().starts + story(FAILED).starts
    cut = story(TEXTS[:4])
    two = story(starts=starts), story(number=2, starts=cut.starts, is_cold=False)

    assert [one["name"] for one in document(*two)["vllm_metrics"]] == [
        "vllm-0_vllm #1",
        "vllm-0_vllm #1 (start 2: failed)",
        "vllm-0_vllm #2",
    ]
    assert [one["ending"] for one in chart(two)["starts"]] == ["ready", "failed", "cut off"]  # type: ignore[attr-defined] # plain JSON has any shape


def instance(texts: tuple[str, ...] = TEXTS, trouble: str = "", **fields: Any) -> Story:  # noqa: ANN401 - fields of a story
    """A story of what a launcher started."""
    starts = recorded(texts)
    container = "launcher-instance"
    seen = of_an_instance("vllm-0", container, starts, 1772366390.0, trouble)
    told = tuple(Start(one, "vllm.log") for one in starts)
    return story(container=container, timeline=seen, starts=told, made_at=None, **fields)


LAUNCHERS = {"vllm-0": "launcher", "vllm-1": "launcher"}


def test_one_report_has_both_the_standalone_server_and_what_the_launcher_started() -> None:
    own = [story(), story(starts=(), container="launcher")]

    both = as_the_field_calls_them(own, [instance()], LAUNCHERS)

    made = document(*[one for one in both if one.starts])
    names = [one["name"] for one in made["vllm_metrics"]]
    assert names == ["vLLM Standalone", "vLLM Launcher"]
    assert [one["load"]["time"] for one in made["vllm_metrics"]] == [0.75, 0.75]
    assert made["vllm_metrics"][1]["container_start"] is None
    assert len(made["scenario"]["platform"]["engines"]) == 2
    text = analysis(both, made, ORDER)
    assert text.index("vLLM Standalone: ready") < text.index("vLLM Launcher: ready")
    drawn = json.loads(json.dumps(chart(both)))
    assert drawn["servers"][2]["verdict"] == "ready"


def test_a_launcher_that_keeps_no_logs_of_instances_has_them_in_its_own() -> None:
    own = [story(container="launcher"), story()]

    both = as_the_field_calls_them(own, [instance(("nothing",))], LAUNCHERS)

    assert [(one.container, one.title) for one in both if one.starts] == [
        ("vllm", "vLLM Standalone"),
        ("launcher", "vLLM Launcher"),
    ]
    told = as_the_field_calls_them(own, [instance()], LAUNCHERS)
    assert [one.title for one in told] == ["vLLM Standalone", "", "vLLM Launcher"]


def test_of_several_pods_each_has_its_name_in_the_report() -> None:
    own = [story(), story(pod="vllm-1")]

    both = as_the_field_calls_them(own, [instance()], LAUNCHERS)

    assert [one.title for one in both] == [
        "vLLM Standalone vllm-0",
        "vLLM Standalone vllm-1",
        "vLLM Launcher vllm-0",
    ]


@pytest.mark.parametrize(
    ("told", "verdict", "reason"),
    [
        (instance(), "ready", "its log says that it is ready"),
        (instance(TEXTS[:4]), "starting", "it has not said that it is ready"),
        (instance(FAILED), "failed", "EngineCore failed to start."),
        (instance(("nothing",)), "starting", "it has not said that it is ready"),
        (instance(trouble="it is stopped"), "failed", "it is stopped"),
    ],
)
def test_what_became_of_an_instance(told: Story, verdict: str, reason: str) -> None:
    assert (told.timeline.verdict, told.timeline.reason) == (verdict, reason)


def test_an_instances_way_begins_with_our_asking() -> None:
    first, *_ = instance().timeline.steps

    assert (first.title, first.detail) == ("import", "asked for to the first line")


def test_a_container_that_tells_of_no_start_is_no_engine() -> None:
    made = document(story(starts=()), order=ORDER)

    assert made["scenario"]["platform"]["engines"] == []
    assert made["scenario"]["model"] == {"name": "a/b"}
    assert story(starts=()).best is None


@pytest.mark.parametrize("is_gone", [False, True])
def test_the_chart_is_json_and_its_picture_is_xml(*, is_gone: bool) -> None:
    stories = story(cycles=CYCLES, is_gone=is_gone), story(TEXTS[:4], is_cold=False, number=2)
    told = json.loads(json.dumps(chart(stories)))

    bars = {bar["title"]: bar for bar in told["starts"][0]["bars"]}
    assert bars["model load"]["seconds"] == 0.75
    assert bars["import"]["begin_s"] == 0
    assert told["starts"][0]["memory"]["KV cache"] == 41.12
    assert told["servers"][0]["verdict"] == ("gone" if is_gone else "ready")
    picture = ET.fromstring(drawing(told))  # noqa: S314 - our own picture
    words = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "Sleep and wake (s, by our clock)" in words
    assert "Device memory (GiB)" in words


def test_a_picture_of_nothing_is_a_picture() -> None:
    assert drawing({"starts": [], "servers": []}).startswith("<svg")


def test_the_texts_say_what_is_known_and_why_the_rest_is_not() -> None:
    told = story(cycles=CYCLES, gaps=("vllm.log: lines are missing",))
    text = analysis([told], document(told), ORDER)

    assert "Load format : auto" in text
    assert "model load, download included     : 0.75 s" in text
    assert "log gap: vllm.log: lines are missing" in text
    assert "Unhealthy x2: probe failed" in text
    assert "it sleeps already" in text
    assert "- Dynamo" in text
    failed = story(TEXTS[:1], is_gone=True, gpus=gpus_of([GPU]), stamped=False)
    text = analysis([failed], document(failed), ORDER)
    assert "cut off" in text
    assert "H100 GPU-1" in text
    silent = story(starts=())
    assert "no line is known of start" not in text
    lost = story(starts=(), timeline=silent.timeline.__class__(
        **{f: getattr(silent.timeline, f) for f in silent.timeline.__slots__} | {"gaps": (0,)}
    ))  # fmt: skip
    assert "no line is known of start 1" in analysis([lost], document(lost), ORDER)


def test_a_pod_without_a_gpu_that_was_prepared_is_no_pod_that_was_not() -> None:
    why = no_gpu_of(["x", "preprocess: no GPU: nvidia-smi is not here"])
    plain, prepared = story(), story(no_gpu=why)

    assert no_gpu_of(["x"]) == ""
    assert "not told: the preprocess script did not run" in analysis(
        [plain], document(plain), ORDER
    )
    text = analysis([prepared], document(prepared), ORDER)
    assert "    none: nvidia-smi is not here" in text
    assert "did not run in the pod" not in text


def test_the_text_says_which_categories_a_server_below_debug_cannot_tell() -> None:
    told = story()

    text = analysis([told], document(told), ORDER)

    assert "not told: Detect Platform, LLM Imports, Worker Initialization" in text
    assert "its level is not DEBUG" in text


def test_categories_are_told_as_the_field_tells_them() -> None:
    text = categories_log(story().starts)

    assert text.startswith("##### vllm.log: start 1, ready")
    assert "Log category : Model Loading" in text
    assert "Elapsed      : 0.75 s (logged)" in text
    assert "  Log category : Dynamo" in text


def test_what_lies_between_categories_is_told_where_the_field_tells_it_and_nowhere_else() -> None:
    told = story()

    assert "Uncategorized" in categories_log(told.starts)
    assert "Uncategorized" not in analysis([told], document(told), ORDER)
    titles = {one["title"] for one in document(told)["vllm_metrics"][0]["categories"]}
    assert "Model Loading" in titles
    assert "Uncategorized" not in titles


def test_a_category_of_lines_that_name_no_process_is_of_none() -> None:
    stage = Stage("Model Loading", "", 1, 2, 0.5, is_logged=True, within_s=0.0)

    assert nested([stage]) == [{"title": "Model Loading", "elapsed": 0.5}]


def test_lines_without_times_have_categories_without_seconds() -> None:
    attempt = Attempt(number=1, first_line=1)
    kinds = ("no_plugins", "platform")
    attempt.marks = {
        kind: [Mark(kind, line, None, None, 0.0)] for line, kind in enumerate(kinds, 1)
    }
    start = Start(Recorded(0, attempt), "vllm.log")
    told = story(starts=(start, *story().starts))

    assert "unknown: its lines have no times" in categories_log(told.starts)
    assert "Detect Platform" in analysis([told], document(told), ORDER)
    assert document(told)["vllm_metrics"][0]["categories"] == []


def test_weights_that_level_two_discarded_are_loaded_again() -> None:
    assert [call.name for call in wakes(1)] == ["wake_up"]
    assert [call.name for call in wakes(2)] == ["wake_up", RELOAD, "wake_up"]
    assert sleep(2).query == {"level": "2"}
    assert first_token("m").body == {"model": "m", "prompt": "Once upon a time,", "max_tokens": 1}
