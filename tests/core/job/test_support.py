"""What an engine cannot do with a job is refused by name, never ignored."""

import pytest

from llmdbenchd.core.job.jobfile import read_job
from llmdbenchd.core.job.support import Support, resolve_engine, unsupported

URL = "endpoint: http://h\n"


def ask(text: str, engine: str = "local", **environment: str) -> Support:
    reading = read_job(text.encode(), stem="x", environment=environment)
    assert reading.problems == ()
    assert reading.spec is not None
    return unsupported(reading.spec, reading.values, engine)


def test_a_whole_job_for_a_local_engine_is_fine() -> None:
    everything = """\
id: a
name: b
description: c
keywords: [d]
priority: 1
not_before: 2026-03-01T08:00:00Z
engine: local
models: [a/b]
endpoint: http://h
harness:
  name: inference-perf
  executable: mine.sh
  wait_timeout: 60
  cpu: 1
  memory: 1Gi
  parallelism: 2
  env: {A: b}
  env_to_pod: [A]
  namespace: n
  debug: false
namespace: m
workload: sanity_random.yaml
overrides: {min: 20}
repeat: 2
timeouts: {start: 5}
fail_above: 0.5
dry_run: true
retry: {attempts: 2}
stop_on_error: true
keep_going: true
share_target: true
skip_run: false
variables: {LLMDBENCH_X: y}
submitted_environment: {LLMDBENCH_Y: z}
dataset: {url: https://h/x.json, dir: data}
endpoint_auth: {secret: s, key: k}
hf_token: {secret: s, key: k}
version: 1
"""

    assert ask(everything) == Support()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("storage: {claim: c}", "storage.claim"),
        ("storage: {class: c}", "storage.class"),
        ("storage: {mode: ephemeral}", "storage.mode"),
        ("skip_run: true", "skip_run"),
        ("follow_servers: true", "follow_servers"),
        ("harness: nop", "harness.name"),
        ("harness: {image: i}", "harness.image"),
        ("harness: {executable: 'image:x.sh'}", "harness.executable"),
        ("harness: {service_account: s}", "harness.service_account"),
        ("harness: {image_pull_secrets: s}", "harness.image_pull_secrets"),
        ("harness: {node_selector: {a: b}}", "harness.node_selector"),
        ("harness: {tolerations: [{key: k}]}", "harness.tolerations"),
        ("harness: {priority_class: p}", "harness.priority_class"),
        ("variables: {LLMDBENCH_HARNESS_PVC_NAME: c}", "storage.claim"),
    ],
)
def test_a_field_without_behaviour_is_refused_at_its_line(text: str, field: str) -> None:
    (found,) = ask(URL + text).refused

    assert found.field == field
    assert found.line == 2
    assert "not yet supported by this engine" in found.message


def test_fields_of_nop_are_refused_beside_a_harness_that_sends_load() -> None:
    for engine in ("local", "kubernetes"):
        (found,) = ask(f"{URL}nop: {{repeat: 2}}", engine).refused

        assert (found.field, found.line) == ("nop.repeat", 2)
        assert "is about the harness nop" in found.message


@pytest.mark.parametrize("engine", ["local", "kubernetes"])
def test_results_may_be_analysed_on_this_machine_wherever_they_are_from(engine: str) -> None:
    assert ask(f"{URL}analyze_locally: true\nharness: {{conda_env: e}}", engine) == Support()


def test_an_environment_without_an_analysis_that_would_use_it_is_told() -> None:
    (warning,) = ask(f"{URL}harness: {{conda_env: e}}").warnings

    assert (warning.field, warning.line) == ("harness.conda_env", 2)
    assert "has no effect without `analyze_locally`" in warning.message


def test_nop_is_analysed_by_the_daemon_in_any_case_and_says_so() -> None:
    found = ask(f"{URL}harness: nop\nanalyze_locally: true", "kubernetes")

    assert found.refused == ()
    assert [(one.field, one.line) for one in found.warnings] == [("analyze_locally", 3)]
    assert "results/1/analysis/" in found.warnings[0].hint


def test_what_the_file_does_not_name_is_at_its_beginning() -> None:
    (found,) = ask("models: a/b", "local").refused

    assert (found.line, found.column, found.field) == (1, 1, "endpoint")


def test_a_harness_without_a_script_is_refused() -> None:
    (found,) = ask(f"{URL}harness: mine", "kubernetes").refused

    assert "has no script" in found.message


def test_a_cluster_records_how_its_servers_load() -> None:
    text = f"{URL}harness: nop\nnop: {{restart: true, repeat: 3, sleep_mode: true}}"

    assert ask(text, "kubernetes").refused == ()


def test_the_launcher_variant_is_taken_by_its_variables() -> None:
    text = (
        "harness: nop\nvariables: {LLMDBENCH_VLLM_STANDALONE_LAUNCHER: true, "
        "LLMDBENCH_VLLM_STANDALONE_LAUNCHER_PORT: 9001}"
    )

    assert ask(URL + text, "kubernetes") == Support((), ())


def test_ports_of_a_launcher_that_nobody_asked_for_are_warned_of() -> None:
    found = ask(f"{URL}harness: nop\nnop: {{launcher_port: 9}}", "kubernetes")

    assert found.refused == ()
    assert [one.field for one in found.warnings] == ["nop.launcher_port"]
    port = {"LLMDBENCH_VLLM_STANDALONE_LAUNCHER_PORT": "9"}
    assert ask(f"{URL}harness: nop", "kubernetes", **port) == Support((), ())


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("harness: wrk2", "harness.name"),
        ("harness: {name: nop, parallelism: 2}", "harness.parallelism"),
        ("harness: {name: nop, debug: true}", "harness.debug"),
        ("harness: {name: nop, wait_timeout: 0}", "harness.wait_timeout"),
        ("harness: nop\nnop: {launcher: true, launcher_port: 8002}", "nop.launcher_vllm_port"),
    ],
)
def test_what_a_recording_cannot_have_is_refused(text: str, field: str) -> None:
    (found,) = ask(URL + text, "kubernetes").refused

    assert found.field == field


def test_a_local_engine_needs_a_url() -> None:
    (found,) = ask("engine: local").refused

    assert (found.line, found.column, found.field) == (1, 9, "endpoint")


def test_a_method_without_a_url_is_one_finding() -> None:
    (found,) = ask("models: a\nmethods: standalone").refused

    assert (found.line, found.field) == (2, "methods")


def test_a_method_beside_a_url_is_a_warning() -> None:
    found = ask(URL + "methods: standalone")

    assert found.refused == ()
    assert [one.field for one in found.warnings] == ["methods"]


def test_what_an_environment_says_without_effect_is_a_warning() -> None:
    found = ask(URL + "submitted_environment: {LLMDBENCH_HARNESS_PVC_SIZE: 5Gi}",
                LLMDBENCH_HARNESS_PVC_NAME="mine")  # fmt: skip

    assert found.refused == ()
    assert [(one.field, one.line) for one in found.warnings] == [
        ("storage.size", 2),
        ("storage.claim", 0),
    ]
    assert "LLMDBENCH_HARNESS_PVC_NAME (daemon environment)" in found.warnings[1].message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LLMDBENCH_HARNESS_NAME", "nop"),
        ("LLMDBENCH_HARNESS_SKIP_RUN", "1"),
    ],
)
def test_what_an_environment_says_about_the_load_itself_is_refused(
    variable: str, value: str
) -> None:
    assert len(ask(URL, **{variable: value}).refused) == 1


def test_a_cluster_has_claims_images_and_secrets() -> None:
    found = ask(
        URL
        + """\
storage: {claim: c, mode: ephemeral, size: 1Gi, class: fast, access: ReadWriteOnce}
hf_token: {secret: s, key: k}
endpoint_auth: {secret: s, key: k}
dataset: {url: https://h/x.json, dir: /requests/data}
harness:
  executable: image:llm-d-benchmark.sh
  image: a/b:c
  service_account: s
  image_pull_secrets: [p]
  node_selector: {a: b}
  tolerations: [{key: a}]
  priority_class: p
""",
        "kubernetes",
    )

    assert found == Support()


@pytest.mark.parametrize("text", ["name: x", "methods: [standalone]", "methods: my-vllm"])
def test_on_a_cluster_the_endpoint_is_looked_up(text: str) -> None:
    assert ask(text, "kubernetes") == Support()


@pytest.mark.parametrize("engine", ["local", "kubernetes"])
@pytest.mark.parametrize("model", ["auto", "gpt2"])
def test_a_model_may_be_what_is_served_or_have_no_size_in_its_name(model: str, engine: str) -> None:
    assert ask(f"{URL}models: {model}", engine) == Support()


@pytest.mark.parametrize(
    ("asked", "configured", "engine"),
    [
        ("auto", True, "kubernetes"),
        ("auto", False, "local"),
        ("local", True, "local"),
        ("kubernetes", False, "kubernetes"),
    ],
)
def test_auto_means_a_cluster_where_there_is_one(
    asked: str, *, configured: bool, engine: str
) -> None:
    found, why = resolve_engine(asked, cluster_configured=configured)

    assert found == engine
    assert why


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "PYTHONPATH", "LLMDBENCHD_PAYLOAD_DIR"])
def test_no_variable_decides_which_programs_run_on_the_daemons_machine(name: str) -> None:
    text = f"{URL}harness: {{env: {{{name}: /mine, MINE: '1'}}}}"

    (found,) = ask(text, "local").refused

    assert (found.field, name in found.message) == ("harness.env", True)
    assert ask(text, "kubernetes").refused == ()


def test_what_lies_on_a_claim_is_collected_on_a_cluster_and_nowhere_else() -> None:
    assert ask(URL + "skip_run: true\ncollect_all: true", "kubernetes") == Support()
    assert [one.field for one in ask(URL + "skip_run: true").refused] == ["skip_run"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("collect_all: true", "collect_all"),
        ("skip_run: true\nstorage: {mode: ephemeral}", "storage.mode"),
    ],
)
def test_what_leaves_nothing_to_collect_is_refused(text: str, field: str) -> None:
    assert [one.field for one in ask(URL + text, "kubernetes").refused] == [field]


@pytest.mark.parametrize("more", ["harness: nop", "skip_run: true"])
def test_where_servers_are_not_followed_beside_a_run_that_is_said(more: str) -> None:
    assert ask(f"{URL}follow_servers: true", "kubernetes") == Support()
    found = ask(f"{URL}follow_servers: true\n{more}", "kubernetes")

    assert found.refused == ()
    assert [(one.field, "has no effect" in one.message) for one in found.warnings] == [
        ("follow_servers", True)
    ]


def test_what_is_collected_is_collected_once() -> None:
    found = ask(URL + "skip_run: true\nrepeat: 3", "kubernetes")

    assert found.refused == ()
    assert [one.field for one in found.warnings] == ["repeat"]


@pytest.mark.parametrize("harness", ["aiperf", "guidellm", "inference-perf", "vllm-benchmark"])
def test_every_harness_takes_a_key(harness: str) -> None:
    text = f"{URL}endpoint_auth: {{secret: s, key: k}}\nharness: {harness}"

    assert ask(text, "kubernetes") == Support()


def test_what_is_served_behind_a_key_is_warned_of_before_anybody_waits() -> None:
    found = ask(URL + "endpoint_auth: {secret: s, key: k}\nmodels: [auto]", "kubernetes")

    assert found.refused == ()
    (warning,) = found.warnings
    assert (warning.field, warning.line) == ("models", 3)
    assert "write models: [NAME]" in warning.message
