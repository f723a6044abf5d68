"""What the API server knows, laid beside what the log knows."""

from typing import Any

import msgspec
import pytest

from llmdbenchd.core.nop.cluster import Step, duration_s, seconds_of
from llmdbenchd.core.nop.timeline import Recorded, Timeline, Verdict, timeline
from llmdbenchd.core.pods.objects import Event, Pod
from tests.core.nop.composing import ENGINE, read, record, server

Json = dict[str, Any]
DAY = "2026-05-01T"


def at(clock: str) -> str:
    return f"{DAY}{clock}Z"


def pod(status: Json, conditions: Json | None = None, **more: object) -> Pod:
    """A pod whose container `vllm` is as told."""
    told = {
        "metadata": {"name": "vllm-0", "creationTimestamp": at("11:58:00")},
        "spec": {
            "containers": [{"name": "vllm", "image": "vllm/vllm-openai:v0.19.1"}],
            "initContainers": [{"name": "mesh", "restartPolicy": "Always"}, {"name": "model"}],
        },
        "status": {
            "conditions": [
                {"type": kind, "status": "True" if when else "False", "lastTransitionTime": when}
                for kind, when in (conditions or {"PodScheduled": at("11:58:05")}).items()
            ],
            "containerStatuses": [{"name": "vllm", **status}] if status else [],
            **more,
        },
    }
    return msgspec.convert(told, Pod)


def event(
    reason: str, clock: str, message: str = "", container: str = "vllm", **more: object
) -> Event:
    path = f"spec.containers{{{container}}}" if container else ""
    told = {"reason": reason, "message": message, "firstTimestamp": at(clock),
            "lastTimestamp": at(clock), "involvedObject": {"fieldPath": path}, **more}  # fmt: skip
    return msgspec.convert(told, Event)


RUNNING: Json = {"state": {"running": {"startedAt": at("11:59:50")}}}
INIT = [
    {"name": "mesh", "state": {"running": {"startedAt": at("11:58:06")}}},
    {"name": "model", "state": {"terminated": {"startedAt": at("11:58:10"),
                                               "finishedAt": at("11:59:10")}}},
    {"name": "waits", "state": {"waiting": {"reason": "PodInitializing"}}},
]  # fmt: skip
EVENTS = [
    event("SuccessfulAttachVolume", "11:58:08", container=""),
    event("Pulling", "11:59:11"),
    event("Pulled", "11:59:12", 'Successfully pulled image "x" in 900ms', container="mesh"),
    event("Pulled", "11:59:45", 'Successfully pulled image "vllm/vllm-openai:v0.19.1" in 33.5s '
          "(34.25s including waiting). Image size: 10737418240 bytes."),
    event("Created", "11:59:46"),
    event("Unhealthy", "12:00:30", "Readiness probe failed", count=7),
]  # fmt: skip


def stamped(lines: list[str]) -> list[str]:
    """Lines as the cluster keeps them."""
    return [f"{at('12:00:00')} {lines[0]}", *lines[1:]]


def starts(*lines: str) -> list[Recorded]:
    return [Recorded(number, one) for number, one in enumerate(read(list(lines), 2026))]


def by_title(told: Timeline) -> dict[str, Step]:
    return {one.title: one for one in told.steps}


def test_the_way_from_creation_to_readiness_is_one_timeline() -> None:
    seen = pod(RUNNING, {"PodScheduled": at("11:58:05"), "Ready": at("12:01:05")},
               initContainerStatuses=INIT)  # fmt: skip
    told = timeline(seen, "vllm", EVENTS, starts(*server()[:-1]))
    steps = by_title(told)

    assert (told.pod, told.verdict, told.restarts, told.gaps) == ("vllm-0", Verdict.READY, 0, ())
    assert {name: steps[name].seconds for name in (
        "schedule", "volumes", "init model", "image pull", "container start", "import",
        "model load", "readiness lag")} == {
        "schedule": 5.0, "volumes": 66.0, "init model": 60.0, "image pull": 34.25,
        "container start": 5.0, "import": 10.0, "model load": 9.0, "readiness lag": 6.0,
    }  # fmt: skip
    assert steps["image pull"].detail == "vllm/vllm-openai:v0.19.1, 10.00 GiB"
    assert steps["model load"].source == "logged"
    assert steps["total"].restart == 0
    assert "init mesh" not in steps
    assert [one.title for one in told.steps][:2] == ["schedule", "volumes"]
    assert [(one.what, one.count) for one in told.noted] == [("Unhealthy", 7)]
    assert told.ready_at == seconds_of(at("12:01:05"))


def test_an_image_that_was_there_took_no_time_and_one_that_nobody_told_of_is_absent() -> None:
    there = [event("Pulled", "11:59:45", 'Container image "x" already present on machine')]
    assert by_title(timeline(pod(RUNNING), "vllm", there, []))["image pull"].seconds == 0.0

    assert "image pull" not in by_title(timeline(pod(RUNNING), "vllm", [], []))


def test_a_pull_without_words_is_the_time_between_its_events() -> None:
    events = [event("Pulling", "11:59:11"), event("Pulled", "11:59:41", "Pulled it")]
    assert by_title(timeline(pod(RUNNING), "vllm", events, []))["image pull"].seconds == 30.0
    short = [event("Pulled", "11:59:41", 'Successfully pulled image "x" in 1m2.5s')]
    pull = by_title(timeline(pod(RUNNING), "vllm", short, []))["image pull"]
    assert (pull.seconds, pull.detail) == (62.5, "vllm/vllm-openai:v0.19.1")
    unstamped = msgspec.convert(
        {"reason": "Pulled", "message": 'Successfully pulled image "x" in 2s'}, Event
    )
    pull = by_title(timeline(pod(RUNNING), "vllm", [unstamped], []))["image pull"]
    assert (pull.seconds, pull.begin_at) == (2.0, None)


KILLED = {"exitCode": 137, "reason": "OOMKilled", "startedAt": at("11:59:50"),
          "finishedAt": at("12:00:30")}  # fmt: skip


def test_a_container_that_was_killed_and_restarted_has_two_lives_and_two_starts() -> None:
    status = {"restartCount": 1, "lastState": {"terminated": KILLED},
              "state": {"running": {"startedAt": at("12:00:50")}}}  # fmt: skip
    told = timeline(pod(status), "vllm", EVENTS, starts(*server()[:9], *server(begin=60)))

    assert [(one.restart, one.why, one.is_out_of_memory) for one in told.lives] == [
        (0, "OOMKilled, exit code 137", True),
        (1, "", False),
    ]
    assert [(one.restart, one.seconds) for one in told.steps if one.title == "import"] == [
        (0, 10.0),
        (1, 10.0),
    ]
    assert by_title(told)["container start"].seconds == 5.0
    assert (told.verdict, told.reason) == (
        Verdict.STARTING,
        "its log says that it is ready; the pod is not ready yet",
    )


def test_lives_of_which_no_line_is_known_are_gaps_and_never_hidden() -> None:
    status = {"restartCount": 3, "lastState": {"terminated": KILLED},
              "state": {"waiting": {"reason": "CrashLoopBackOff"}}}  # fmt: skip
    fails = record("EngineCore failed to start.", level="ERROR", process=ENGINE)
    trace = ["Traceback (most recent call last):", "ValueError: no room"]
    (attempt,) = read([*server()[:9], fails, *trace], 2026)
    told = timeline(pod(status), "vllm", [], [Recorded(3, attempt)])

    assert told.gaps == (0, 1, 2)
    assert told.verdict is Verdict.FAILED
    assert told.reason == (
        "CrashLoopBackOff: the container ended: OOMKilled, exit code 137; its log says: "
        "ValueError: no room"
    )


@pytest.mark.parametrize(
    ("status", "lines", "verdict", "reason"),
    [
        ({}, [], Verdict.STARTING, "it has not said that it is ready"),
        ({"state": {"waiting": {"reason": "ImagePullBackOff"}}}, [], Verdict.STARTING,
         "ImagePullBackOff"),
        (RUNNING, [*server()[:9], record("EngineCore failed to start.", process=ENGINE)],
         Verdict.FAILED, "EngineCore failed to start."),
        (RUNNING, server()[:9], Verdict.STARTING, "it has not said that it is ready"),
        ({"state": {"terminated": {"exitCode": 1, "signal": 9, "finishedAt": at("12:00:09"),
                                   "startedAt": at("11:59:50")}}}, server()[:3], Verdict.FAILED,
         "the container ended: ended, exit code 1, signal 9"),
    ],
)  # fmt: skip
def test_the_verdict_is_the_nearest_that_is_known(
    status: Json, lines: list[str], verdict: Verdict, reason: str
) -> None:
    told = timeline(pod(status), "vllm", EVENTS, starts(*lines))

    assert (told.verdict, told.reason) == (verdict, reason)


def test_what_is_not_told_is_no_step() -> None:
    unready = {"PodScheduled": None, "Ready": at("12:01:05")}
    told = timeline(pod(RUNNING, unready), "vllm", [], starts("vLLM API server version 0.19.1"))

    assert [one.title for one in told.steps] == []
    ready = timeline(pod(RUNNING, unready), "vllm", [], starts(*server()))
    assert "readiness lag" not in by_title(ready)  # the web server's line has no stamp


def test_events_of_a_series_are_counted_and_sorted() -> None:
    series = event("BackOff", "12:00:00", series={"count": 4, "lastObservedTime": at("12:00:40")})
    once = event("FailedMount", "11:58:09", "no such secret")
    never = msgspec.convert({"reason": "Killing"}, Event)
    told = timeline(pod(RUNNING), "vllm", [series, once, never], [])

    assert [(one.what, one.count) for one in told.noted] == [
        ("Killing", 1),
        ("FailedMount", 1),
        ("BackOff", 4),
    ]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("12.3s", 12.3), ("250ms", 0.25), ("1m", 60.0), ("1h2m3.5s", 3723.5), ("", None),
     ("soon", None), ("5", None)],
)  # fmt: skip
def test_durations_are_read_as_go_writes_them(written: str, seconds: float | None) -> None:
    assert duration_s(written) == seconds


def test_what_is_no_time_is_none() -> None:
    assert (seconds_of("yesterday"), seconds_of(None), seconds_of("")) == (None, None, None)


def test_the_clusters_stamps_make_even_the_web_servers_line_a_time() -> None:
    lines = [f"{at('12:01:02')} {server()[-1]}"]
    (attempt,) = read([*stamped(server()[:-1]), *lines], 2026)
    seen = pod(RUNNING, {"Ready": at("12:01:05")})
    told = timeline(seen, "vllm", [], [Recorded(0, attempt)])

    assert by_title(told)["readiness lag"].seconds == 3.0
