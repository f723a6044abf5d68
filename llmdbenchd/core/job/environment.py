"""The variables of the era: what a launcher is given, and what a profile's tokens mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from llmdbenchd.core.job.credentials import holds_a_credential, names_a_credential
from llmdbenchd.core.job.matrix import Cell
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.variables import FIELDS
from llmdbenchd.core.job.variables_without_field import WITHOUT_FIELD
from llmdbenchd.core.launch.labels import attempt_name
from llmdbenchd.core.launch.manifest import EPHEMERAL
from llmdbenchd.core.launch.plan import IMAGE, SLEEP, Places, decides_what_runs

_TOKENIZER = "LLMDBENCH_DEPLOY_CURRENT_TOKENIZER"
_PYTHON_HARNESSES = frozenset({"nop"})  # their scripts in the image end in .py
_ANY_METHOD = (
    "LLMDBENCH_RUN_EXPERIMENT", "LLMDBENCH_VLLM_COMMON_NAMESPACE", "LLMDBENCH_DEPLOY_CURRENT",
    "LLMDBENCH_HARNESS", "LLMDBENCH_RUN",
)  # fmt: skip
_OWN_STACK = (
    "LLMDBENCH_RUN_EXPERIMENT", "LLMDBENCH_VLLM_COMMON", "LLMDBENCH_DEPLOY", "LLMDBENCH_HARNESS",
    "LLMDBENCH_RUN",
)  # fmt: skip
_BY_METHOD = {
    "standalone": (*_OWN_STACK, "LLMDBENCH_VLLM_STANDALONE"),
    "modelservice": (
        *_OWN_STACK, "LLMDBENCH_VLLM_MODELSERVICE", "LLMDBENCH_VLLM_INFRA", "LLMDBENCH_VLLM_GAIE",
        "LLMDBENCH_LLMD_IMAGE",
    ),
}  # fmt: skip
_NEVER = frozenset(
    {
        "LLMDBENCH_BASE64_CONTEXT_CONTENTS",  # a kubeconfig
        "LLMDBENCH_CONTROL_ENV_VAR_LIST_TO_POD",
        "LLMDBENCH_HARNESS_STACK_ENDPOINT_INFO",
    }
)
_OURS_TO_SAY = frozenset(  # derived for each run, or a matter of the daemon's settings
    name for row in WITHOUT_FIELD if row.type in {"derived", "setting"} for name in row.variables
)
_NOT_ONE_VALUE = frozenset({"harness.image"})  # four variables, none of which is the field


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that one launcher's environment is made of.

    Attributes:
        spec: the job; `cell` the run.
        endpoint: URL of the target.
        experiment: the experiment id; `stack` the stack's name.
        places: where the launcher sees its files.
        results_folder: one path component below `places.results_prefix`.
        workload_file: the workload's file name below `profiles/<harness>/`.
        launcher: its name; `index` its number, from 1.
    """

    spec: JobSpec
    cell: Cell
    endpoint: str
    experiment: str
    stack: str
    places: Places
    results_folder: str
    workload_file: str
    launcher: str
    index: int


def launcher_environment(launch: Launch) -> dict[str, str]:
    """The launcher's variables; empty ones are left out, as in the field.

    What the contract of the field's image says comes last, so that nobody's variable can
    send a launcher to another launcher's folder. Credentials are never among them, nor a
    kubeconfig, nor values that still hold a token. A value that is a path stays a path.
    """
    copied = _copied(launch)
    given = {"TZ": "UTC"} | copied | dict(launch.spec.harness.env) | _contract(launch)
    return {name: value for name, value in given.items() if value and _may_travel(name, value)}


def prefixes(method: str) -> tuple[str, ...]:
    """Beginnings of the variables that every launcher gets, by the deploy method.

    Those of `harness.env_to_pod` come on top.
    """
    return _BY_METHOD.get(method, _ANY_METHOD)


def workload_variables(
    spec: JobSpec, cell: Cell, *, endpoint: str, workspace: str = IMAGE.workspace
) -> dict[str, str]:
    """The variables that a profile's `REPLACE_ENV_` tokens can name.

    Args:
        spec: the job.
        cell: the run.
        endpoint: URL of the target.
        workspace: the launcher's workspace; a data set lies there by default.
    """
    meant = _in_force(spec) | _current(spec, cell, endpoint) | _dataset(spec, workspace)
    return {name: value for name, value in meant.items() if value and _may_travel(name, value)}


def _in_force(spec: JobSpec) -> dict[str, str]:
    """Everybody's variables, each with the value that won."""
    return spec.given_variables | field_variables(spec)


def field_variables(spec: JobSpec) -> dict[str, str]:
    """What the job's fields are in the era's variables; those without a value are left out."""
    values = spec.model_dump(mode="json", by_alias=True)
    named = {
        row.variables[0]: _as_text(_value(values, row.field), is_switch=bool(row.constant))
        for row in FIELDS
        if row.variables and row.field not in _NOT_ONE_VALUE
    }
    return {name: value for name, value in named.items() if value}


def _contract(launch: Launch) -> dict[str, str]:
    spec, places, harness = launch.spec, launch.places, launch.spec.harness
    ending = "py" if harness.name in _PYTHON_HARNESSES else "sh"
    results = f"{places.results_prefix.rstrip('/')}/{launch.results_folder}"
    return {
        "LLMDBENCH_RUN_EXPERIMENT_LAUNCHER": "1",
        "LLMDBENCH_MAGIC_ENVAR": "harness_pod",
        "LLMDBENCH_RUN_WORKSPACE_DIR": places.workspace,
        "LLMDBENCH_CONTROL_WORK_DIR": results,
        "LLMDBENCH_RUN_EXPERIMENT_ID": launch.experiment,
        "LLMDBENCH_RUN_EXPERIMENT_HARNESS": f"{harness.name}-llm-d-benchmark.{ending}",
        "LLMDBENCH_RUN_EXPERIMENT_ANALYZER": f"{harness.name}-analyze_results.{ending}",
        "LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME": launch.workload_file,
        "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR_PREFIX": places.results_prefix,
        "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR": results,
        "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR_SUFFIX": launch.results_folder.rpartition("_")[0],
        "LLMDBENCH_RUN_EXPERIMENT_PARALLEL_INDEX": str(launch.index),
        "LLMDBENCH_HARNESS_NAME": harness.name,
        "LLMDBENCH_HARNESS_EXECUTABLE": SLEEP if harness.debug else harness.executable,
        "LLMDBENCH_HARNESS_LOAD_PARALLELISM": str(harness.parallelism),
        "LLMDBENCH_HARNESS_STACK_NAME": launch.stack,
        "LLMDBENCH_DEPLOY_METHODS": launch.cell.method,
        "LLMDBENCH_VLLM_COMMON_NAMESPACE": spec.namespace,
        "LLMDBENCH_DESCRIPTION_TEXT": spec.description or "",
        "LLMDBENCH_DESCRIPTION_KEYWORDS": ",".join(spec.keywords),
        "POD_NAME": launch.launcher,
        **_current(spec, launch.cell, launch.endpoint),
        **_dataset(spec, places.workspace),
        **_barrier(launch),
        **_stagger(launch),
    }


def _barrier(launch: Launch) -> dict[str, str]:
    """Where launchers of one attempt wait for each other, or for our word.

    They do the latter where no folder is seen by all of them.
    """
    spec, shared = launch.spec, launch.places.shared
    if spec.harness.parallelism == 1 or not shared:
        return {}
    patience_s = spec.timeouts.bind + spec.timeouts.pull + spec.timeouts.start
    waits = {
        "LLMDBENCHD_BARRIER": f"{launch.index}/{spec.harness.parallelism}",
        "LLMDBENCHD_BARRIER_SECONDS": str(patience_s),
    }
    if shared == launch.places.results_prefix and spec.storage.mode == EPHEMERAL:
        return waits | {"LLMDBENCHD_BARRIER_ROOT": shared}
    folder = f"{shared}/.llmdbenchd-barrier-{attempt_name(launch.launcher)}"
    return waits | {"LLMDBENCHD_BARRIER_DIR": folder}


def _stagger(launch: Launch) -> dict[str, str]:
    """How much later than the first one this launcher begins."""
    later_s = launch.spec.harness.stagger * (launch.index - 1)
    return {"LLMDBENCHD_STAGGER_SECONDS": str(later_s)} if later_s else {}


def _current(spec: JobSpec, cell: Cell, endpoint: str) -> dict[str, str]:
    return {
        "LLMDBENCH_DEPLOY_CURRENT_MODEL": cell.model,
        _TOKENIZER: spec.given_variables.get(_TOKENIZER) or cell.model,
        "LLMDBENCH_HARNESS_NAMESPACE": spec.harness_namespace,
        "LLMDBENCH_HARNESS_STACK_ENDPOINT_URL": endpoint,
        "LLMDBENCH_HARNESS_STACK_TYPE": _stack_type(cell.method),
    }


def _dataset(spec: JobSpec, workspace: str) -> dict[str, str]:
    url, folder = spec.dataset.url or "", spec.dataset.dir or workspace
    return {
        "LLMDBENCH_RUN_DATASET_URL": url,
        "LLMDBENCH_RUN_DATASET_DIR": folder if folder[0] == "/" else f"{workspace}/{folder}",
        "LLMDBENCH_RUN_DATASET_FILE": urlsplit(url).path.rpartition("/")[2] or "NONE",
    }


def _copied(launch: Launch) -> dict[str, str]:
    """The variables that begin with one of the era's prefixes, or of those that were asked."""
    wanted = (*prefixes(launch.cell.method), *launch.spec.harness.env_to_pod)
    meant = _in_force(launch.spec)
    copied = {name: value for name, value in meant.items() if name.startswith(wanted)}
    return {
        name: value
        for name, value in copied.items()
        if name not in _OURS_TO_SAY and not decides_what_runs(name)
    }


def _stack_type(method: str) -> str:
    return "llm-d" if method == "modelservice" else "vllm-prod"


def _may_travel(name: str, value: str) -> bool:
    secret = names_a_credential(name) or holds_a_credential(value)
    return not secret and name not in _NEVER and "REPLACE_ENV" not in value


def _value(values: object, field: str) -> object:
    part = values
    for key in field.split("."):
        part = part.get(key) if isinstance(part, Mapping) else None
    return part


def _as_text(value: object, *, is_switch: bool) -> str:
    """A value as run.sh would have it in a variable; what is no single word is empty.

    Its own switches, which have a flag, are 1 or 0: its scripts compare them as numbers.
    """
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, bool):
        return str(int(value)) if is_switch else str(value).lower()
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
