"""The one table of what a job can say: field, variable, flag, default, meaning.

Whoever adds a field or accepts a variable adds one row here; the JSON Schema, `check
--explain`, the flags of `submit` and the docs are made from it, and a test holds it
against the model's fields in both directions.
"""

from llmdbenchd.core.job.row import Row
from llmdbenchd.core.job.variables_without_field import WITHOUT_FIELD

# A table is read by lines; the formatter would give every cell its own.
# fmt: off

FIELDS: tuple[Row, ...] = (
    Row("id", "text", "made", "idempotency key: a second file with an id already known is refused"),
    Row("name", "text", "the file's stem", "for people"),
    Row("description", "text", "none", "goes into the report"),
    Row("keywords", "list", "none", "go into the report"),
    Row("priority", "number", "0", "-100 to 100, higher first"),
    Row("not_before", "instant", "none", "ISO-8601 time with its zone; nothing begins earlier"),
    Row("engine", "choice", "auto", "kubernetes, local, or auto (a cluster when there is one)"),
    Row("scenario", "text", "none", "scenario file: a path, or a name below the scenarios folder",
        ("LLMDBENCH_DEPLOY_SCENARIO",), ("-c", "--scenario"), "seed"),
    Row("models", "list", "meta-llama/Llama-3.2-1B-Instruct", "models, one run each",
        ("LLMDBENCH_DEPLOY_MODEL_LIST",), ("-m", "--models"), "seed"),
    Row("methods", "list", "modelservice",
        "standalone, modelservice, or part of a service's or pod's name",
        ("LLMDBENCH_DEPLOY_METHODS",), ("-t", "--methods"), "seed"),
    Row("endpoint", "URL", "none", "run against this URL; nothing is discovered", (),
        ("-U", "--endpoint-url"), "later"),
    Row("namespace", "text", "llmdbench", "where the stack is",
        ("LLMDBENCH_VLLM_COMMON_NAMESPACE",), ("-p", "--namespace"), "seed", part=1),
    Row("harness.namespace", "text", "= namespace", "where launchers go",
        ("LLMDBENCH_HARNESS_NAMESPACE",), ("-p", "--namespace"), "seed", part=2),
    Row("harness.name", "text", "inference-perf", "load generator: a folder of workload/profiles",
        ("LLMDBENCH_HARNESS_NAME",), ("-l", "--harness"), "seed"),
    Row("workload", "text or mapping", "sanity_random.yaml, or the harness's only profile",
        "profile: a name in the harness's folder, a path, or the workload itself",
        ("LLMDBENCH_HARNESS_EXPERIMENT_PROFILE",), ("-w", "--workload"), "seed"),
    Row("overrides", "mapping or text", "none",
        "changes to the profile, such as min=20,total_count=200",
        ("LLMDBENCH_HARNESS_EXPERIMENT_PROFILE_OVERRIDES",), ("-o", "--overrides"), "seed"),
    Row("treatments", "text or mapping", "none", "experiment: a file, or its contents",
        ("LLMDBENCH_HARNESS_EXPERIMENT_TREATMENTS",), ("-e", "--experiments", "--experiment"),
        "code"),
    Row("repeat", "number", "1", "repetitions of each cell", (), ("--repeat",)),
    Row("harness.executable", "text", "llm-d-benchmark.sh",
        "what the launcher runs; image:NAME takes the image's own",
        ("LLMDBENCH_HARNESS_EXECUTABLE",), (), "seed"),
    Row("harness.image", "text", "the setting image", "image of the launcher",
        ("LLMDBENCH_IMAGE_REGISTRY", "LLMDBENCH_IMAGE_REPO", "LLMDBENCH_IMAGE_NAME",
         "LLMDBENCH_IMAGE_TAG"), (), "code"),
    Row("harness.conda_env", "text", "<harness>-runner",
        "environment for local analysis; only with analyze_locally",
        ("LLMDBENCH_HARNESS_CONDA_ENV_NAME",), (), "seed"),
    Row("harness.wait_timeout", "seconds", "3600",
        "from all launchers running to all ended; 0 = start, leave running",
        ("LLMDBENCH_HARNESS_WAIT_TIMEOUT",), ("-s", "--wait"), "seed"),
    Row("timeouts.bind", "seconds", "240", "patience with a claim or node to be bound"),
    Row("timeouts.pull", "seconds", "1800", "patience with the pull of the image"),
    Row("timeouts.target", "seconds", "900", "patience with a target that does not serve yet"),
    Row("timeouts.start", "seconds", "900", "patience with the start of the launchers",
        ("LLMDBENCH_CONTROL_WAIT_TIMEOUT",), (), "code"),
    Row("timeouts.collect", "seconds", "3600", "patience with the copy of the results"),
    Row("fail_above", "share", "0.99", "tolerated share of failed requests"),
    Row("harness.cpu", "quantity", "16", "CPU of each launcher, request = limit",
        ("LLMDBENCH_HARNESS_CPU_NR",), (), "seed"),
    Row("harness.memory", "quantity", "32Gi", "memory of each launcher, request = limit",
        ("LLMDBENCH_HARNESS_CPU_MEM",), (), "seed"),
    Row("storage.claim", "text", "workload-pvc", "claim that takes the results",
        ("LLMDBENCH_HARNESS_PVC_NAME",), ("-k", "--pvc"), "seed"),
    Row("storage.size", "quantity", "20Gi", "asked for when the claim is made",
        ("LLMDBENCH_HARNESS_PVC_SIZE",), (), "seed"),
    Row("storage.class", "text", "the cluster's default", "storage class of the claim",
        ("LLMDBENCH_VLLM_COMMON_PVC_STORAGE_CLASS",), (), "code"),
    Row("storage.access", "choice", "ReadWriteMany", "access mode of the claim",
        ("LLMDBENCH_VLLM_COMMON_PVC_ACCESS_MODE",), (), "code"),
    Row("storage.mode", "choice", "claim", "claim, or ephemeral (held until copied)", (),
        ("--no-pvc",), "later", constant="ephemeral"),
    Row("skip_run", "yes or no", "false", "start nothing; collect what is already on the claim",
        ("LLMDBENCH_HARNESS_SKIP_RUN",), ("-z", "--skip"), "seed", constant="true"),
    Row("harness.parallelism", "number", "1", "identical launchers, all with the same workload",
        ("LLMDBENCH_HARNESS_LOAD_PARALLELISM",), ("-j", "--parallelism"), "seed"),
    Row("harness.env_to_pod", "list", "LLMDBENCH_RUN_EXPERIMENT",
        "prefixes of variables to copy into every launcher", ("LLMDBENCH_HARNESS_ENVVARS_TO_YAML",),
        ("-g", "--envvarspod"), "seed"),
    Row("harness.debug", "yes or no", "false", "the launcher sleeps; every profile is mounted",
        ("LLMDBENCH_HARNESS_DEBUG",), ("-d", "--debug"), "seed", constant="true"),
    Row("analyze_locally", "yes or no", "false", "analyse the results on this machine too",
        ("LLMDBENCH_RUN_EXPERIMENT_ANALYZE_LOCALLY",), (), "seed"),
    Row("dataset.url", "URL", "none", "downloaded in the launcher", ("LLMDBENCH_RUN_DATASET_URL",),
        ("-x", "--dataset"), "code"),
    Row("dataset.dir", "text", "the workspace", "where the download goes",
        ("LLMDBENCH_RUN_DATASET_DIR",), (), "code"),
    Row("dry_run", "yes or no", "false", "plan and print, touch nothing",
        ("LLMDBENCH_CONTROL_DRY_RUN",), ("-n", "--dry-run"), "code", constant="true"),
    Row("retry.attempts", "number", "1", "attempts in all"),
    Row("retry.delay", "seconds", "30", "before the second attempt; doubled for each further one"),
    Row("stop_on_error", "yes or no", "false", "a failed run ends the job"),
    Row("keep_going", "yes or no", "false", "when one launcher fails, let the others finish"),
    Row("share_target", "yes or no", "false", "do not take the lease on the target"),
    Row("harness.service_account", "text", "none", "service account of the launcher", (),
        ("-q", "--serviceaccount"), "later"),
    Row("harness.image_pull_secrets", "list", "none", "secrets to pull the image with"),
    Row("harness.node_selector", "mapping", "none", "labels that the launcher's node must have"),
    Row("harness.tolerations", "list of mappings", "none", "taints that the launcher tolerates"),
    Row("harness.priority_class", "text", "none", "priority class of the launcher"),
    Row("harness.env", "mapping", "none", "variables for the launcher"),
    Row("nop.load_format", "text", "auto", "load format of the server under test",
        ("LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT",), (), "seed"),
    Row("nop.sleep_mode", "yes or no", "false",
        "the server's sleep mode; needed to measure sleep and wake",
        ("LLMDBENCH_VLLM_COMMON_ENABLE_SLEEP_MODE",), (), "seed"),
    Row("nop.logging_level", "choice", "INFO",
        "the server's logging level; DEBUG for all categories",
        ("LLMDBENCH_VLLM_COMMON_VLLM_LOGGING_LEVEL",), (), "seed"),
    Row("nop.preprocess", "text", "/bin/true", "shell text run before the server",
        ("LLMDBENCH_VLLM_STANDALONE_PREPROCESS", "LLMDBENCH_VLLM_COMMON_PREPROCESS"), (), "seed"),
    Row("nop.launcher", "yes or no", "false", "the server's pod has the launcher container",
        ("LLMDBENCH_VLLM_STANDALONE_LAUNCHER",), (), "seed"),
    Row("nop.launcher_port", "number", "8001", "REST port of that launcher",
        ("LLMDBENCH_VLLM_STANDALONE_LAUNCHER_PORT",), (), "seed"),
    Row("nop.launcher_vllm_port", "number", "8002", "port of the server that it starts",
        ("LLMDBENCH_VLLM_STANDALONE_LAUNCHER_VLLM_PORT",), (), "seed"),
    Row("nop.restart", "yes or no", "false", "restart the server before each recording"),
    Row("nop.repeat", "number", "1", "recordings in one run"),
    Row("follow_servers", "yes or no", "false", "record the servers' logs beside any run"),
    Row("endpoint_auth.secret", "text", "none", "secret that holds the endpoint's token"),
    Row("endpoint_auth.key", "text", "none", "key of the token in that secret"),
    Row("hf_token.secret", "text", "none (llm-d-hf-token with hf_token: {})",
        "secret that holds the Hugging Face token", ("LLMDBENCH_VLLM_COMMON_HF_TOKEN_NAME",), (),
        "code"),
    Row("hf_token.key", "text", "HF_TOKEN", "key of the token in that secret",
        ("LLMDBENCH_VLLM_COMMON_HF_TOKEN_KEY",), (), "code"),
    Row("variables", "mapping", "none", "LLMDBENCH_* values by the variables' own names"),
    Row("submitted_environment", "mapping", "none",
        "the caller's own LLMDBENCH_*, written by submit"),
    Row("version", "number", "1", "of this schema"),
)

# fmt: on

TABLE: tuple[Row, ...] = (*FIELDS, *WITHOUT_FIELD)
BY_FIELD = {row.field: row for row in FIELDS}
KNOWN_VARIABLES = tuple(variable for row in TABLE for variable in row.variables)


def row_of(path: tuple[str | int, ...]) -> Row | None:
    """The row of a place in the job file: the field itself, or the one that it is part of."""
    for length in range(len(path), 0, -1):
        row = BY_FIELD.get(".".join(map(str, path[:length])))
        if row is not None:
            return row
    return None
