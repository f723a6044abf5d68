"""What a launcher is given, and what a profile's tokens mean."""

import base64

import pytest

from llmdbenchd.core.job.attempt import Attempt
from llmdbenchd.core.job.environment import workload_variables
from llmdbenchd.core.job.matrix import runs
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan, Places
from llmdbenchd.core.nop.order import FILE, read

PLACES = Places("/w", "/requests")


def spec_of(**fields: object) -> JobSpec:
    return JobSpec.model_validate({"endpoint": "http://h:8000", "models": "a/b-1b", **fields})


def attempt_of(spec: JobSpec, number: int = 1) -> Attempt:
    return Attempt(
        spec=spec,
        cell=runs(spec)[0],
        endpoint="http://h:8000",
        instance="i",
        job="j",
        epoch=100,
        number=number,
        workload_file="sanity_random.yaml",
        workload_text="load: {}\n",
    )


def plan_of(spec: JobSpec, index: int = 1) -> LauncherPlan:
    return attempt_of(spec).plan(index, PLACES)


def test_a_launcher_is_given_the_contract_of_the_fields_image() -> None:
    plan = plan_of(spec_of(harness={"parallelism": 2}, description="text"), index=2)
    run8 = attempt_of(spec_of()).run8

    assert plan.env["LLMDBENCH_RUN_EXPERIMENT_LAUNCHER"] == "1"
    assert plan.env["LLMDBENCH_RUN_WORKSPACE_DIR"] == "/w"
    assert plan.env["LLMDBENCH_CONTROL_WORK_DIR"] == f"/requests/{plan.results_folder}"
    assert plan.env["LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR"] == f"/requests/{plan.results_folder}"
    assert plan.results_folder == f"inference-perf_100-{run8}_endpoint-1b-base_2"
    assert plan.env["LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME"] == "sanity_random.yaml"
    assert [file.path for file in plan.files] == ["profiles/inference-perf/sanity_random.yaml"]
    assert plan.env["LLMDBENCH_DEPLOY_CURRENT_MODEL"] == "a/b-1b"
    assert plan.env["LLMDBENCH_HARNESS_STACK_ENDPOINT_URL"] == "http://h:8000"
    assert plan.env["LLMDBENCH_HARNESS_LOAD_PARALLELISM"] == "2"
    assert plan.env["LLMDBENCH_DESCRIPTION_TEXT"] == "text"
    assert plan.env["POD_NAME"] == plan.name
    assert all(plan.env.values())


def test_launchers_of_one_run_differ_in_their_place_only() -> None:
    spec = spec_of(harness={"parallelism": 2})
    one, two = plan_of(spec), plan_of(spec, 2)
    differing = {name for name in one.env if one.env[name] != two.env[name]}

    assert attempt_of(spec).launchers() == (one.name, two.name)
    assert differing == {
        "LLMDBENCH_CONTROL_WORK_DIR",
        "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR",
        "LLMDBENCH_RUN_EXPERIMENT_PARALLEL_INDEX",
        "POD_NAME",
    }


def test_a_retry_has_other_names() -> None:
    first, second = attempt_of(spec_of()), attempt_of(spec_of(), number=2)

    assert first.launcher(1) != second.launcher(1)
    assert first.results_folder(1) != second.results_folder(1)
    assert first.run8 == second.run8


OF_THE_CALLER = {
    "LLMDBENCH_RUN_EXPERIMENT_X": "1",
    "LLMDBENCH_RUN_X": "1",
    "LLMDBENCH_HARNESS_X": "1",
    "LLMDBENCH_DEPLOY_X": "1",
    "LLMDBENCH_DEPLOY_CURRENT_X": "1",
    "LLMDBENCH_VLLM_COMMON_X": "1",
    "LLMDBENCH_VLLM_COMMON_NAMESPACE_X": "1",
    "LLMDBENCH_VLLM_STANDALONE_X": "1",
    "LLMDBENCH_VLLM_MODELSERVICE_X": "1",
    "LLMDBENCH_VLLM_INFRA_X": "1",
    "LLMDBENCH_VLLM_GAIE_X": "1",
    "LLMDBENCH_LLMD_IMAGE_X": "1",
    "LLMDBENCH_CONTROL_X": "1",
    "LLMDBENCH_MINE": "1",
}


def copied(method: str, **harness: object) -> set[str]:
    spec = spec_of(
        endpoint=None, methods=method, submitted_environment=OF_THE_CALLER, harness=harness
    )
    env = plan_of(spec).env
    return {name.removeprefix("LLMDBENCH_").removesuffix("_X") for name in OF_THE_CALLER} & {
        name.removeprefix("LLMDBENCH_").removesuffix("_X") for name in env if name in OF_THE_CALLER
    }


ALWAYS = {
    "RUN_EXPERIMENT", "RUN", "HARNESS", "DEPLOY_CURRENT", "VLLM_COMMON_NAMESPACE",
}  # fmt: skip
STACK = ALWAYS | {"DEPLOY", "VLLM_COMMON"}


def test_the_callers_variables_are_copied_by_the_rules_of_the_method() -> None:
    assert copied("anything") == ALWAYS
    assert copied("standalone") == STACK | {"VLLM_STANDALONE"}
    assert copied("modelservice") == STACK | {
        "VLLM_MODELSERVICE", "VLLM_INFRA", "VLLM_GAIE", "LLMD_IMAGE",
    }  # fmt: skip


def test_prefixes_that_are_asked_for_come_on_top_of_the_built_in_ones() -> None:
    asked = copied("anything", env_to_pod="LLMDBENCH_MI,LLMDBENCH_CONTROL")

    assert asked == ALWAYS | {"MINE", "CONTROL"}


def test_a_launcher_sees_the_value_that_won_whoever_gave_it() -> None:
    spec = spec_of(harness={"cpu": 3}, submitted_environment={"LLMDBENCH_HARNESS_CPU_NR": "5"})

    assert plan_of(spec).env["LLMDBENCH_HARNESS_CPU_NR"] == "3"


def test_a_scenarios_variables_go_by_the_same_rules_and_yield_to_the_jobs_own() -> None:
    scenario = {
        "LLMDBENCH_RUN_X": "scenario", "LLMDBENCH_HARNESS_X": "scenario",
        "LLMDBENCH_VLLM_COMMON_X": "1", "LLMDBENCH_CONTROL_X": "1", "OTHER_X": "1", "NOBODYS": "1",
        "LLMDBENCH_HARNESS_CPU_NR": "8",
    }  # fmt: skip
    spec = spec_of(
        scenario=scenario,
        harness={"env_to_pod": "OTHER", "cpu": "3"},
        submitted_environment={"LLMDBENCH_RUN_X": "caller"},
        variables={"LLMDBENCH_HARNESS_X": "job"},
    )
    env = plan_of(spec).env

    assert (env["LLMDBENCH_RUN_X"], env["LLMDBENCH_HARNESS_X"]) == ("scenario", "job")
    assert (env["OTHER_X"], env["LLMDBENCH_HARNESS_CPU_NR"]) == ("1", "3")
    assert not env.keys() & {"LLMDBENCH_VLLM_COMMON_X", "LLMDBENCH_CONTROL_X", "NOBODYS"}


def test_a_scenarios_credentials_stay_at_home_whatever_is_asked_for() -> None:
    hidden = {"LLMDBENCH_RUN_TOKEN": "x", "MY_KEY": "x", "MINE": kubeconfig()}
    spec = spec_of(harness={"env_to_pod": "LLMDBENCH,M"}).model_copy(update={"scenario": hidden})

    assert not plan_of(spec).env.keys() & hidden.keys()
    assert not workload_variables(spec, runs(spec)[0], endpoint="http://h").keys() & hidden.keys()


def test_no_scenario_decides_which_programs_run_in_a_launcher() -> None:
    spec = spec_of(
        scenario={"PATH": "/mine", "LD_PRELOAD": "x.so", "PALE": "1"},
        harness={"env_to_pod": "PA,LD_"},
    )

    assert plan_of(spec).env.keys() & {"PATH", "LD_PRELOAD", "PALE"} == {"PALE"}


def kubeconfig() -> str:
    return "apiVersion: v1\nkind: Config\nusers: []\n"


def test_no_kubeconfig_travels_in_a_pod_in_any_form() -> None:
    packed = base64.b64encode(kubeconfig().encode()).decode()
    given = {"LLMDBENCH_BASE64_CONTEXT_CONTENTS": "x", "LLMDBENCH_RUN_PATH": "/root/.kube/config"}
    hidden = {"LLMDBENCH_RUN_A": kubeconfig(), "LLMDBENCH_RUN_B": packed}
    asked = {"env_to_pod": "LLMDBENCH", "env": {"C": packed}}
    spec = spec_of(harness={"env_to_pod": "LLMDBENCH"}, variables=given)
    slipped = spec.model_copy(update={"submitted_environment": hidden})

    env = plan_of(slipped).env

    assert env["LLMDBENCH_RUN_PATH"] == "/root/.kube/config"  # a path stays a path
    assert not env.keys() & {"LLMDBENCH_BASE64_CONTEXT_CONTENTS", *hidden}
    for fields in ({"variables": hidden}, {"harness": asked}):
        with pytest.raises(ValueError, match="credential"):
            spec_of(**fields)


@pytest.mark.parametrize(
    "name", ["LLMDBENCH_CONTROL_ENV_VAR_LIST_TO_POD", "LLMDBENCH_HARNESS_STACK_ENDPOINT_INFO"]
)
def test_what_the_field_never_copied_is_never_copied(name: str) -> None:
    spec = spec_of(harness={"env_to_pod": "LLMDBENCH"}, submitted_environment={name: "1"})

    assert name not in plan_of(spec).env


def test_nobodys_variable_sends_a_launcher_elsewhere() -> None:
    elsewhere = {"LLMDBENCH_CONTROL_WORK_DIR": "/elsewhere", "TZ": "Asia/Tokyo"}
    env = plan_of(spec_of(harness={"env": elsewhere})).env

    assert env["LLMDBENCH_CONTROL_WORK_DIR"].startswith("/requests/")
    assert env["TZ"] == "Asia/Tokyo"


def test_values_that_still_hold_a_token_stay_at_home() -> None:
    given = {"LLMDBENCH_RUN_EXPERIMENT_X": "REPLACE_ENV_LLMDBENCH_Y"}

    assert "LLMDBENCH_RUN_EXPERIMENT_X" not in plan_of(spec_of(submitted_environment=given)).env


def test_a_credential_that_slipped_in_is_left_out() -> None:
    spec = spec_of().model_copy(
        update={"submitted_environment": {"LLMDBENCH_RUN_EXPERIMENT_TOKEN": "x"}}
    )

    assert "LLMDBENCH_RUN_EXPERIMENT_TOKEN" not in plan_of(spec).env
    assert "LLMDBENCH_RUN_EXPERIMENT_TOKEN" not in workload_variables(
        spec, runs(spec)[0], endpoint="http://h"
    )


def test_tokens_can_name_every_value_in_force() -> None:
    spec = spec_of(
        storage={"claim": "c"},
        variables={"LLMDBENCH_OWN": "o", "LLMDBENCH_DEPLOY_CURRENT_TOKENIZER": "t"},
        dataset={"url": "http://d/x/data.json?a=b"},
    )
    found = workload_variables(spec, runs(spec)[0], endpoint="http://h:1")

    assert found["LLMDBENCH_DEPLOY_CURRENT_MODEL"] == "a/b-1b"
    assert found["LLMDBENCH_DEPLOY_CURRENT_TOKENIZER"] == "t"
    assert found["LLMDBENCH_HARNESS_STACK_ENDPOINT_URL"] == "http://h:1"
    assert found["LLMDBENCH_HARNESS_PVC_NAME"] == "c"
    assert found["LLMDBENCH_OWN"] == "o"
    assert found["LLMDBENCH_RUN_DATASET_DIR"] == "/workspace"
    assert found["LLMDBENCH_RUN_DATASET_FILE"] == "data.json"
    assert found["LLMDBENCH_HARNESS_NAMESPACE"] == "llmdbench"
    assert all(found.values())


def test_without_a_data_set_its_file_is_none_in_words() -> None:
    spec = spec_of()
    found = workload_variables(spec, runs(spec)[0], endpoint="http://h:1")

    assert found["LLMDBENCH_RUN_DATASET_FILE"] == "NONE"
    assert found["LLMDBENCH_DEPLOY_CURRENT_TOKENIZER"] == "a/b-1b"


def test_no_variable_replaces_the_program_that_was_checked() -> None:
    other = {"LLMDBENCH_HARNESS_EXECUTABLE": "/bin/other"}
    spec = spec_of(harness={"env": other}, variables=other)
    named = spec_of(harness={"executable": "mine.sh", "env": other})

    assert plan_of(spec).env["LLMDBENCH_HARNESS_EXECUTABLE"] == plan_of(spec).executable
    assert plan_of(named).env["LLMDBENCH_HARNESS_EXECUTABLE"] == "mine.sh"


def test_launchers_of_one_attempt_wait_for_each_other_where_all_of_them_see() -> None:
    attempt = attempt_of(spec_of(harness={"parallelism": 2}))
    first, second = (attempt.plan(index, IMAGE).env for index in (1, 2))

    assert (first["LLMDBENCHD_BARRIER"], second["LLMDBENCHD_BARRIER"]) == ("1/2", "2/2")
    assert first["LLMDBENCHD_BARRIER_DIR"] == second["LLMDBENCHD_BARRIER_DIR"]
    assert first["LLMDBENCHD_BARRIER_DIR"].startswith("/requests/.llmdbenchd-barrier-llmdbench-")
    assert first["LLMDBENCHD_BARRIER_SECONDS"] == "2940"


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({}, IMAGE),
        ({"harness": {"parallelism": 2}}, Places("/w", "/r")),
    ],
)
def test_a_launcher_waits_for_nobody_whom_it_cannot_see(
    fields: dict[str, object], places: Places
) -> None:
    env = attempt_of(spec_of(**fields)).plan(1, places).env

    assert not [name for name in env if name.startswith("LLMDBENCHD_BARRIER")]


def test_launchers_with_a_disk_of_their_own_wait_for_our_word() -> None:
    spec = spec_of(harness={"parallelism": 2}, storage={"mode": "ephemeral"})
    env = attempt_of(spec).plan(1, IMAGE).env

    assert {name: value for name, value in env.items() if name.startswith("LLMDBENCHD_")} == {
        "LLMDBENCHD_BARRIER": "1/2",
        "LLMDBENCHD_BARRIER_ROOT": "/requests",
        "LLMDBENCHD_BARRIER_SECONDS": "2940",
    }


def test_a_recorder_is_given_its_order() -> None:
    nop = {"restart": True, "repeat": 3, "launcher": True, "launcher_vllm_port": 9}
    plan = plan_of(spec_of(harness="nop", nop=nop))

    order = read(next(one.text for one in plan.files if one.path == FILE))
    assert (order.restart, order.repeat, order.asked.loading) == (True, 3, True)
    assert (order.launcher, order.launcher_port, order.launcher_vllm_port) == (True, 8001, 9)
    assert order.asked.model == "a/b-1b"
    assert not [one for one in plan_of(spec_of()).files if one.path == FILE]


@pytest.mark.parametrize(
    ("given", "folder"), [("data", "/workspace/data"), ("/requests/data", "/requests/data")]
)
def test_a_data_sets_folder_is_seen_from_the_workspace(given: str, folder: str) -> None:
    spec = spec_of(dataset={"url": "http://d/x.json", "dir": given})
    env = attempt_of(spec).plan(1, IMAGE).env

    assert env["LLMDBENCH_RUN_DATASET_DIR"] == folder
