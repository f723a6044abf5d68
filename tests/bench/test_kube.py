"""The helpers of `make bench-kube`, as far as they need no cluster."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.kube import __main__ as program
from bench.kube import crowd
from bench.kube.__main__ import BEGIN, END, PAGE, PARTS, written
from bench.kube.audit import Audit, spelt
from bench.kube.pattern import Pattern, folder_of
from llmdbenchd.core.launch.manifest import launcher_pod
from tests.cluster.places import INSIDE
from tests.core.launch.plans import PAYLOAD, plan

RUN8 = plan().identity.run8


def asked(program: str, verb: str, resource: str, subresource: str = "") -> str:
    about = {"resource": resource} | ({"subresource": subresource} if subresource else {})
    return json.dumps({"userAgent": program, "verb": verb, "objectRef": about}) + "\n"


@pytest.fixture
def pattern() -> Pattern:
    made = launcher_pod(plan(), PAYLOAD, owner="its-owner", secret="")
    pod: dict[str, Any] = json.loads(json.dumps(made))
    pod["metadata"] |= {"uid": "its-own", "resourceVersion": "7"}
    pod["spec"]["nodeName"] = "node-1"
    folder = {"name": "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR", "value": f"/requests/x_{RUN8}_1"}
    pod["spec"]["containers"][0]["env"].append(folder)
    name = plan().name.removesuffix("-1-of-1")
    return Pattern(pod, ({"metadata": {"name": name, "uid": "its-own"}, "data": {"a": "b"}},))


def test_kubectl_is_built_before_the_network_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def run(words: tuple[str, ...], **_: object) -> SimpleNamespace:
        done.append(words[3])
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr("sys.argv", ["bench.kube"])
    monkeypatch.delenv(INSIDE, raising=False)
    monkeypatch.setattr("signal.signal", lambda *_: None)  # the test's own stays as it is
    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr("tests.cluster.build.program", done.append)

    assert program.main() == 0
    assert done == ["kubectl", "down", "up", "exec", "down"]


def test_requests_are_those_of_one_program_since_the_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.kube.audit.SETTLED_S", 0)
    log = tmp_path / "audit.jsonl"
    log.write_text(asked("llmdbenchd", "create", "pods"))
    audit = Audit(log)
    mark = audit.mark()
    with log.open("a") as file:
        file.write(asked("llmdbenchd", "get", "pods", "log") * 3)
        file.write(asked("llmdbenchd", "create", "pods"))
        file.write(asked("kubectl/v1", "get", "pods"))

    counts = audit.since(mark, "llmdbenchd")

    assert counts == {"get pods/log": 3, "create pods": 1}
    assert spelt(counts, 2) == "1.5 get pods/log, 0.5 create pods"


def test_a_launcher_like_another_has_names_and_a_folder_of_its_own(pattern: Pattern) -> None:
    config_map, pod = pattern.named("copy0001", GREETING="other")

    assert RUN8 not in json.dumps([config_map, pod])
    assert folder_of(pod) == "x_copy0001_1"
    assert pod["spec"]["volumes"][1]["configMap"]["name"] == config_map["metadata"]["name"]
    assert {"name": "GREETING", "value": "other"} in pod["spec"]["containers"][0]["env"]


def test_a_launcher_like_another_belongs_to_nobody(pattern: Pattern) -> None:
    for one in pattern.named("copy0001"):
        assert set(one["metadata"]) == {"name", "labels"}
        assert one["metadata"]["labels"] == {"bench": "copy0001"}
        assert "nodeName" not in one.get("spec", {})


def test_an_answer_is_counted_from_the_event_that_it_answers(tmp_path: Path) -> None:
    notes: list[dict[str, Any]] = [
        {"what": "sent", "at": 1.0},
        {"what": "event", "at": 2.0, "harness": "running"},
        {"what": "saved", "at": 2.01, "phase": "RUNNING"},
        {"what": "sent", "at": 2.02},
        {"what": "event", "at": 2.5, "harness": "running"},
        {"what": "event", "at": 9.0, "harness": "ended"},
        {"what": "sent", "at": 9.01},
        {"what": "saved", "at": 9.03, "phase": "COLLECTING"},
    ]
    probe = tmp_path / "probe.jsonl"
    other = {"run": "other/r001", "what": "event", "at": 2.0, "harness": "ended"}
    probe.write_text("".join(json.dumps({"run": "a/r001", **one}) + "\n" for one in notes))
    with probe.open("a") as file:
        file.write(json.dumps(other) + "\n")

    saved, sent = crowd.answered(probe)

    assert [round(ms) for ms in saved] == [10, 30]
    assert [round(ms) for ms in sent] == [10]


def test_the_table_takes_the_place_of_the_one_before() -> None:
    page = f"before\n{BEGIN}old\n{END}after\n"

    once = written(page, "new")

    assert once == f"before\n{BEGIN}\nnew\n{END}after\n"
    assert written(once, "new") == once


def test_the_page_has_a_place_for_the_table() -> None:
    assert written(PAGE.read_text(encoding="utf-8"), "new")


def test_every_part_says_what_it_is() -> None:
    for name, module in PARTS.items():
        assert (module.NAME, bool(module.TITLE)) == (name, True)
