"""ConfigMaps: every file of a plan or payload comes to its place, or the plan is refused."""

from dataclasses import replace
from typing import Any

import pytest

from llmdbenchd.core.launch.config_maps import LARGEST, Payload, run_config_map, run_volume
from llmdbenchd.core.launch.plan import PlanFile
from tests.core.launch.plans import INSTANCE, PAYLOAD, plan


def _files(volume: Any, config_map: Any) -> dict[str, str]:  # noqa: ANN401 - JSON as it comes
    """What a launcher finds: text by path."""
    source = volume["configMap"]
    assert source["name"] == config_map["metadata"]["name"]
    return {item["path"]: config_map["data"][item["key"]] for item in source["items"]}


def test_the_runs_files_come_to_their_places_below_the_harness_s_profiles() -> None:
    files = (
        PlanFile("profiles/inference-perf/a b.yaml", "one"),
        PlanFile("profiles/inference-perf/a+b.yaml", "two"),
        PlanFile("profiles/inference-perf/deep/a.yaml", "three"),
    )
    asked = replace(plan(), files=files)

    expected = {"a b.yaml": "one", "a+b.yaml": "two", "deep/a.yaml": "three"}
    assert _files(run_volume(asked), run_config_map(asked)) == expected


def test_the_config_map_is_the_attempt_s_and_the_same_for_all_its_launchers() -> None:
    documents = [run_config_map(plan(index, 3)) for index in (1, 2, 3)]

    assert documents[0] == documents[1] == documents[2]
    assert documents[0]["immutable"] is True
    metadata = documents[0]["metadata"]
    assert isinstance(metadata, dict)
    assert "llmdbenchd/index" not in metadata["labels"]
    assert metadata["annotations"] == {"llmdbenchd/job": "a-job", "llmdbenchd/run": "r1"}


def test_a_workload_that_no_config_map_can_hold_is_refused_in_words() -> None:
    fits = PlanFile("profiles/inference-perf/w.yaml", "x" * LARGEST)
    too_much = PlanFile("profiles/inference-perf/w.yaml", "é" * (LARGEST // 2) + "x")

    run_config_map(replace(plan(), files=(fits,)))
    with pytest.raises(ValueError, match=f"have {LARGEST + 1} bytes, and a ConfigMap holds"):
        run_config_map(replace(plan(), files=(too_much,)))


def test_a_file_outside_the_harness_s_profiles_is_refused_in_words() -> None:
    outside = replace(plan(), files=(PlanFile("profiles/guidellm/w.yaml", ""),))

    with pytest.raises(ValueError, match="lies outside profiles/inference-perf/"):
        run_config_map(outside)


def test_the_payload_s_scripts_come_to_their_paths() -> None:
    assert _files(PAYLOAD.volume(), PAYLOAD.config_map()) == PAYLOAD.files


def test_another_payload_has_another_name() -> None:
    texts = [{"a": "bc"}, {"ab": "c"}, {"a": "bd"}, {"a": "b", "c": ""}, {}]
    names = {Payload(INSTANCE, files).name for files in texts}

    assert len(names) == len(texts)
    assert (
        Payload(INSTANCE, {"b": "2", "a": "1"}).name == Payload(INSTANCE, {"a": "1", "b": "2"}).name
    )


def test_the_payload_s_name_says_whose_it_is() -> None:
    assert PAYLOAD.name == f"llmdbench-payload-{INSTANCE}-{PAYLOAD.digest}"
    assert PAYLOAD.labels["llmdbenchd/instance"] == INSTANCE
    assert PAYLOAD.labels["app"] != "llmdbench-harness-launcher"
