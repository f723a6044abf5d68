"""The launcher's pod: what the plan says, and nothing that a strict cluster would refuse."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.core.launch.manifest import access_pod, grace_seconds, launcher_pod
from llmdbenchd.core.launch.plan import LauncherPlan, PodTerms, SecretRef, Storage
from tests.core.launch.plans import INSTANCE, PAYLOAD, ephemeral, plan

IMAGE = "example.test/launcher:1"


def _pod(of: LauncherPlan) -> Any:  # noqa: ANN401 - JSON as it goes
    return launcher_pod(of, PAYLOAD, owner="uid-1", secret="a-secret")  # noqa: S106 - a test's


def _environment(of: LauncherPlan) -> dict[str, Any]:
    """What each variable is given as; twice the same name is a defect."""
    variables = _pod(of)["spec"]["containers"][0]["env"]
    by_name = {each["name"]: each.get("value", each.get("valueFrom")) for each in variables}
    assert len(by_name) == len(variables)
    return by_name


def _expanded(value: str, known: dict[str, str]) -> str:
    """As the kubelet expands a value."""

    def one(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return known.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, value)


def test_the_pod_is_named_labelled_and_owned() -> None:
    metadata = _pod(plan(2, 3))["metadata"]

    assert metadata["name"] == plan(2, 3).name
    assert metadata["labels"]["llmdbenchd/index"] == "2"
    assert metadata["labels"]["llmdbenchd/payload"] == PAYLOAD.digest
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "uid": "uid-1"}
    owner["name"] = plan(2, 3).name.removesuffix("-2-of-3")
    assert metadata["ownerReferences"] == [owner]


def test_the_pod_asks_for_no_rights() -> None:
    for of in (plan(), ephemeral(plan())):
        spec = _pod(of)["spec"]

        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_load_is_generated_once() -> None:
    assert _pod(plan())["spec"]["restartPolicy"] == "Never"


def test_a_launcher_on_a_claim_is_one_container_with_exactly_what_was_asked_for() -> None:
    spec = _pod(plan())["spec"]

    (harness,) = spec["containers"]
    size = {"cpu": "250m", "memory": "64Mi"}
    assert harness["name"] == "harness"
    assert harness["image"] == IMAGE
    assert harness["resources"] == {"requests": size, "limits": size}
    assert harness["command"] == ["python3", "-I", "-S", "/llmdbenchd/payload/launch.py"]
    assert spec["volumes"][0] == {
        "name": "results",
        "persistentVolumeClaim": {"claimName": "workload-pvc"},
    }


def test_every_mount_has_its_volume_and_only_ours_are_read_only() -> None:
    for of in (plan(), ephemeral(plan())):
        spec = _pod(of)["spec"]
        volumes = {volume["name"] for volume in spec["volumes"]}
        mounted = [mount for each in spec["containers"] for mount in each["volumeMounts"]]

        assert {mount["name"] for mount in mounted} == volumes
        for mount in mounted:
            assert mount["readOnly"] == (mount["name"] in {"profiles", "payload"})


def test_ephemeral_results_are_kept_by_a_second_container() -> None:
    spec = _pod(ephemeral(plan()))["spec"]

    assert spec["volumes"][0] == {"name": "results", "emptyDir": {}}
    harness, keep = spec["containers"]
    assert keep["name"] == "keep"
    assert keep["command"][-1] == "/llmdbenchd/payload/serve.py"
    told = {each["name"]: each["value"] for each in keep["env"]}
    assert told["LLMDBENCHD_SERVE_SECRET"] == "a-secret"  # noqa: S105 - a test's
    assert told["LLMDBENCHD_SERVE_ROOT"] == "/requests"
    assert "a-secret" not in str(harness)
    results = [
        mount["mountPath"]
        for each in (harness, keep)
        for mount in each["volumeMounts"]
        if mount["name"] == "results"
    ]
    assert results == ["/requests", "/requests"]


def test_the_claim_is_the_plan_s() -> None:
    asked = replace(plan(), storage=Storage(claim="theirs"))

    (results, *_) = _pod(asked)["spec"]["volumes"]
    assert results["persistentVolumeClaim"] == {"claimName": "theirs"}


def test_where_the_job_says_nothing_the_pod_says_nothing() -> None:
    unsaid = {"serviceAccountName", "imagePullSecrets", "nodeSelector", "tolerations"}
    assert not unsaid & _pod(plan())["spec"].keys()


def test_what_only_a_pod_has_is_passed_on() -> None:
    terms = PodTerms(
        image=IMAGE,
        run_as_user=0,
        service_account="runner",
        image_pull_secrets=("one", "two"),
        node_selector={"pool": "load"},
        tolerations=({"key": "load", "operator": "Exists", "tolerationSeconds": 5},),
        priority_class="high",
    )
    spec = _pod(replace(plan(), pod=terms))["spec"]

    assert spec["securityContext"]["runAsUser"] == 0
    assert spec["serviceAccountName"] == "runner"
    assert spec["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
    assert spec["nodeSelector"] == {"pool": "load"}
    assert spec["tolerations"] == list(terms.tolerations)
    assert spec["priorityClassName"] == "high"


def test_a_pod_without_an_image_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no image is named for the launcher"):
        _pod(replace(plan(), pod=PodTerms()))


def test_whatever_wants_to_write_finds_a_folder_that_any_user_may_write() -> None:
    spec = _pod(plan())["spec"]
    scratch = {each["name"] for each in spec["volumes"] if "emptyDir" in each}
    folders = [
        mount["mountPath"]
        for mount in spec["containers"][0]["volumeMounts"]
        if mount["name"] in scratch
    ]
    environment = _environment(plan())

    assert environment["TMPDIR"] in folders
    for name in ("HOME", "HF_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"):
        assert any(f"{environment[name]}/".startswith(f"{folder}/") for folder in folders)


def test_the_job_may_move_a_cache_but_not_what_the_payload_needs() -> None:
    theirs = {"HF_HOME": "/requests/cache", "LLMDBENCHD_PAYLOAD_DIR": "/evil", "POD_UID": "x"}
    environment = _environment(replace(plan(), env=theirs))

    assert environment["HF_HOME"] == "/requests/cache"
    assert environment["LLMDBENCHD_PAYLOAD_DIR"] == "/llmdbenchd/payload"
    assert environment["POD_UID"] == {"fieldRef": {"fieldPath": "metadata.uid"}}


@given(st.text(alphabet="$()AB_ x"))
def test_a_value_arrives_as_it_is_although_kubernetes_expands_values(value: str) -> None:
    written = _environment(replace(plan(), env={"A": "other", "VALUE": value}))["VALUE"]

    assert _expanded(written, {"A": "other", "B": "another"}) == value


def test_a_harmless_value_is_written_as_people_know_it() -> None:
    assert _environment(replace(plan(), env={"VALUE": "$HOME/x"}))["VALUE"] == "$HOME/x"


def test_the_token_goes_by_reference_and_may_be_missing() -> None:
    token = SecretRef(secret="hf", key="HF_TOKEN")  # noqa: S106 - a secret's name
    environment = _environment(replace(plan(), pod=PodTerms(image=IMAGE, hf_token=token)))

    reference = {"secretKeyRef": {"name": "hf", "key": "HF_TOKEN", "optional": True}}
    assert environment["HF_TOKEN"] == reference
    assert environment["HUGGING_FACE_HUB_TOKEN"] == reference
    assert environment["HF_TOKEN_SECRET"] == "hf"  # noqa: S105 - a secret's name
    assert "HF_TOKEN" not in _environment(plan())


def test_the_endpoints_key_goes_by_reference_and_must_be_there() -> None:
    auth = SecretRef(secret="door", key="token")  # noqa: S106 - a secret's name
    environment = _environment(replace(plan(), pod=PodTerms(image=IMAGE, endpoint_auth=auth)))

    assert environment["OPENAI_API_KEY"] == {"secretKeyRef": {"name": "door", "key": "token"}}
    assert "OPENAI_API_KEY" not in _environment(plan())


@pytest.mark.parametrize(("node", "placed"), [("", {}), ("node-1", {"nodeName": "node-1"})])
def test_the_data_access_pod_shows_the_claim_read_only_and_asks_for_no_rights(
    node: str, placed: dict[str, str]
) -> None:
    pod: Any = access_pod(
        plan(),
        PAYLOAD,
        name="window",
        instance=INSTANCE,
        image="daemon/image:1",
        secret="a-secret",  # noqa: S106 - a test's
        node=node,
    )

    spec, labels = pod["spec"], pod["metadata"]["labels"]
    claim = {"claimName": "workload-pvc", "readOnly": True}
    assert spec["volumes"][0] == {"name": "results", "persistentVolumeClaim": claim}
    assert spec["automountServiceAccountToken"] is False
    assert spec["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert labels["app"] != "llmdbench-harness-launcher"
    assert labels["llmdbenchd/instance"] == INSTANCE
    assert {name: spec[name] for name in ("nodeName",) if name in spec} == placed


@pytest.mark.parametrize(("grace_s", "seconds"), [(0, 1), (0.2, 1), (30, 30), (30.5, 31)])
def test_a_grace_period_never_becomes_force(grace_s: float, seconds: int) -> None:
    assert grace_seconds(grace_s) == seconds


@given(st.floats(min_value=0.5, max_value=1e6))
def test_the_payload_counts_on_a_little_less_than_the_pod_gets(grace_s: float) -> None:
    asked = replace(plan(), grace_s=grace_s)

    within = float(_environment(asked)["LLMDBENCHD_GRACE_SECONDS"])
    assert 0 < within < _pod(asked)["spec"]["terminationGracePeriodSeconds"]


def test_a_launcher_that_keeps_its_results_is_asked_to_end_by_a_file() -> None:
    assert _environment(ephemeral(plan()))["LLMDBENCHD_STOP_FILE"] == "/requests/.llmdbenchd-stop"
    assert "LLMDBENCHD_STOP_FILE" not in _environment(plan())
