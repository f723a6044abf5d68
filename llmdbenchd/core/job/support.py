"""What an engine can do with a job today: the rest is refused by name, never ignored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmdbenchd.core.job.jobfile import Value
from llmdbenchd.core.job.layers import DEFAULT, NOT_OF_THIS_JOB, SCENARIO
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.problems import Problem, in_line_order
from llmdbenchd.core.launch.manifest import EPHEMERAL
from llmdbenchd.core.launch.plan import IMAGES_OWN, decides_what_runs
from llmdbenchd.core.target.asked import AUTO
from llmdbenchd.core.target.serving import NAME_IT

LOCAL = "local"
KUBERNETES = "kubernetes"
NOP = "nop"
_NOT_YET = "not yet supported by this engine"
_ON_A_CLUSTER = f"{_NOT_YET}: it is about pods, and this engine starts processes"
_HARNESSES = frozenset(
    {"aiperf", "guidellm", "inference-perf", "inferencemax", NOP, "vllm-benchmark"}
)
_PORTS = ("nop.launcher_port", "nop.launcher_vllm_port")
_OF_NOP = "is about the harness nop, and this one sends load"
_OF_A_FILE = "llmdbenchd nop FILE reads the log of a server on this machine"

_WITHOUT_EFFECT: Mapping[str, Mapping[str, str]] = {  # the load is the same without them
    LOCAL: {
        "storage": f"{_NOT_YET}: results are kept on this machine, without a claim",
        "harness.image": _ON_A_CLUSTER,
        "harness.service_account": _ON_A_CLUSTER,
        "harness.image_pull_secrets": _ON_A_CLUSTER,
        "harness.node_selector": _ON_A_CLUSTER,
        "harness.tolerations": _ON_A_CLUSTER,
        "harness.priority_class": _ON_A_CLUSTER,
    },
    KUBERNETES: {},
}
_DECISIVE: Mapping[str, Mapping[str, str]] = {  # without them something else would be run
    LOCAL: {
        "skip_run": f"{_NOT_YET}: there is no claim; results are home when a launcher is removed",
        "follow_servers": f"{_NOT_YET}: the servers' logs are followed on a cluster only",
    },
    KUBERNETES: {},
}


@dataclass(frozen=True, slots=True)
class Support:
    """What an engine cannot do with a job.

    Attributes:
        refused: reasons not to take the job, in line order.
        warnings: values from an environment or a scenario without effect on this engine.
    """

    refused: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def resolve_engine(spec_engine: str, *, cluster_configured: bool) -> tuple[str, str]:
    """The engine of a job, and why that one.

    Args:
        spec_engine: `kubernetes`, `local` or `auto`.
        cluster_configured: whether a kubeconfig or an in-cluster configuration was found.
    """
    if spec_engine != "auto":
        return spec_engine, "as the job says"
    if cluster_configured:
        return KUBERNETES, "a cluster is configured"
    return LOCAL, "no cluster is configured"


def unsupported(spec: JobSpec, values: Mapping[str, Value], engine: str) -> Support:
    """What this engine cannot do with a job in which nothing else is wrong.

    Args:
        spec: the job.
        values: its values with their origins, as `read_job` gives them.
        engine: `local` or `kubernetes`.
    """
    refused = [*_decisive(spec, values, engine), *_target(spec, values, engine)]
    warnings: list[Problem] = []
    of_nop = {} if spec.harness.name == NOP else {"nop": _OF_NOP}
    without = {**_WITHOUT_EFFECT[engine], **of_nop}
    for problem in _given(values, without):
        origin = values[problem.field].origin
        if origin == SCENARIO and problem.field.startswith("nop."):
            continue  # it is about the servers of a stack, whatever is run against them
        (warnings if origin in NOT_OF_THIS_JOB else refused).append(problem)
    if spec.endpoint and _is_given(values["methods"]):
        warnings.append(_at(values, "methods", "has no effect beside `endpoint`"))
    warnings += _ports_of_nobody(spec, values)
    if spec.endpoint_auth and AUTO in spec.models and not spec.skip_run:
        message = f"is refused when the run begins if the endpoint wants its key: {NAME_IT}"
        warnings.append(_at(values, "models", message))
    if spec.harness.parallelism == 1 and _is_given(values["harness.stagger"]):
        warnings.append(_at(values, "harness.stagger", "has no effect with one launcher"))
    if spec.skip_run and _is_given(values["repeat"]):
        warnings.append(_at(values, "repeat", "has no effect with `skip_run`"))
    if spec.follow_servers and (why := _follows_nobody(spec)):
        warnings.append(_at(values, "follow_servers", why))
    warnings += _of_analysis(spec, values)
    return Support(in_line_order(refused), in_line_order(warnings))


def _ports_of_nobody(spec: JobSpec, values: Mapping[str, Value]) -> Iterator[Problem]:
    """Ports of a launcher that is not asked for; scenarios and environments always have some."""
    if spec.harness.name == NOP and not spec.nop.launcher:
        reasons = dict.fromkeys(_PORTS, "has no effect without `nop.launcher: true`")
        for problem in _given(values, reasons):
            if values[problem.field].origin not in {SCENARIO, *NOT_OF_THIS_JOB}:
                yield problem


def _follows_nobody(spec: JobSpec) -> str:
    """Why no servers' logs are recorded beside the run, if that is so."""
    if spec.harness.name == NOP:
        return "has no effect with the harness nop: it records them anyhow"
    return "has no effect with `skip_run`: nothing is launched" if spec.skip_run else ""


def _of_analysis(spec: JobSpec, values: Mapping[str, Value]) -> Iterator[Problem]:
    """What does nothing about the analysis on our own machine."""
    if not spec.analyze_locally and _is_given(values["harness.conda_env"]):
        yield _at(values, "harness.conda_env", "has no effect without `analyze_locally`")
    if spec.analyze_locally and spec.harness.name == NOP:
        message = "has no effect with nop: its analysis is made on this machine in any case"
        yield _at(values, "analyze_locally", message, "see results/1/analysis/ in the archive")


def _target(spec: JobSpec, values: Mapping[str, Value], engine: str) -> Iterator[Problem]:
    """A launcher needs a URL where nothing can be looked up."""
    if spec.endpoint or engine != LOCAL:
        return
    hint = "write endpoint: http://HOST:PORT"
    methods = values["methods"]
    if _is_given(methods) and methods.origin not in NOT_OF_THIS_JOB:
        message = f"{_NOT_YET}: nothing is discovered without a cluster"
        yield _at(values, "methods", message, hint)
        return
    where = _at(values, "engine", "", "")
    message = f"is needed by the engine {engine}, which discovers nothing"
    yield Problem(where.line, where.column, "endpoint", message, hint)


def _collecting(spec: JobSpec, values: Mapping[str, Value]) -> Iterator[Problem]:
    """What only a run that launches nothing can do, and what that cannot."""
    if spec.collect_all and not spec.skip_run:
        hint = "write skip_run: true, or remove it"
        yield _at(values, "collect_all", "has no effect without `skip_run`", hint)
    if spec.skip_run and spec.storage.mode == EPHEMERAL:
        message = "leaves nothing to collect: results were held in launchers that are gone"
        yield _at(values, "storage.mode", message, "write storage: {claim: NAME}")


def _decisive(spec: JobSpec, values: Mapping[str, Value], engine: str) -> Iterator[Problem]:
    yield from _collecting(spec, values)
    if spec.harness.name not in _HARNESSES:
        message = f"{_NOT_YET}: it has no script; {', '.join(sorted(_HARNESSES))} have one"
        yield _at(values, "harness.name", message)
    yield from _recording(spec, values, engine)
    if spec.harness.executable.startswith(IMAGES_OWN) and engine == LOCAL:
        yield _at(values, "harness.executable", f"{_NOT_YET}: a process has no image")
    if engine == LOCAL:
        for name in filter(decides_what_runs, spec.harness.env):
            message = f"`{name}` would decide which programs run on the daemon's own machine"
            yield _at(values, "harness.env", message, "remove it, or see the setting executables")
    yield from _given(values, _DECISIVE[engine])


def _recording(spec: JobSpec, values: Mapping[str, Value], engine: str) -> Iterator[Problem]:
    """The harness nop sends no load and has no pod; its servers are pods."""
    if spec.harness.name != NOP:
        return
    if engine == LOCAL:
        message = f"{_NOT_YET}: nop records pods of a cluster; {_OF_A_FILE}"
        yield _at(values, "harness.name", message)
    if spec.harness.parallelism > 1:
        yield _at(values, "harness.parallelism", "nop has one recorder", "write nop.repeat: N")
    if spec.harness.debug:
        yield _at(values, "harness.debug", "nop has no pod that one could look into")
    if spec.nop.launcher and spec.nop.launcher_port == spec.nop.launcher_vllm_port:
        message = "is the launcher's own port: the server that it starts needs another"
        yield _at(values, "nop.launcher_vllm_port", message, "write 8002, as the field does")
    if not spec.harness.wait_timeout:
        message = "a recording that is left alone ends when the daemon does"
        yield _at(values, "harness.wait_timeout", message, "write how many seconds it may take")


def _given(values: Mapping[str, Value], reasons: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for each field that is given and has a reason against it."""
    for field, value in values.items():
        section = field.partition(".")[0]
        reason = reasons.get(field) or reasons.get(section)
        if reason is None or not _is_given(value):
            continue
        yield _at(values, field, reason)


def _is_given(value: Value) -> bool:
    """Whether somebody asked for it; saying no to a thing that is not there is fine."""
    return value.origin != DEFAULT and value.value is not False


def _at(values: Mapping[str, Value], field: str, message: str, hint: str = "") -> Problem:
    """A problem at a field's value; what the file does not name is at its beginning."""
    value = values[field]
    if value.origin == DEFAULT:
        return Problem(1, 1, field, message, hint)
    if value.variable:
        message = f"{value.variable} ({value.origin}): {message}"
    return Problem(value.line, value.column, field, message, hint)
