"""A person looks at what would be made before anything is."""

import json

import yaml

from llmdbenchd.core.launch.preview import preview
from tests.core.launch.plans import PAYLOAD, plan


def test_without_a_cluster_each_launcher_has_its_plan() -> None:
    plans = [plan(1, 2), plan(2, 2)]
    files = preview(plans, None)

    assert list(files) == [f"plan/{one.name}.json" for one in plans]
    told = json.loads(files[f"plan/{plans[1].name}.json"])
    assert (told["identity"]["index"], told["cpu"]) == (2, "250m")
    assert told["env"]["GREETING"] == "hello"


def test_on_a_cluster_every_object_is_there_in_the_order_of_its_making() -> None:
    plans = [plan(1, 2), plan(2, 2)]
    found = list(yaml.safe_load_all(preview(plans, PAYLOAD)["plan/manifests.yaml"]))

    kinds = [one["kind"] for one in found]
    assert kinds == ["ConfigMap", "ConfigMap", "Pod", "Pod"]
    assert found[0]["metadata"]["name"] == PAYLOAD.name
    assert [one["metadata"]["name"] for one in found[2:]] == [one.name for one in plans]
    assert found[1]["data"] == {"1.sanity.yaml": "load: {}\n"}
