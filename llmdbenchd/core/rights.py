"""The core's list of rights: what the daemon asks of a cluster, and why, each as one row.

`deploy/rbac.yaml` grants exactly `LAUNCHERS` in the namespace where launchers go, and
`deploy/rbac-stack.yaml` exactly `STACK` in the one where the model servers are; if that is
the same, both are applied there. `deploy/rbac-stack-nop.yaml` grants `STACK_CHANGES` beside it,
and `deploy/rbac-stack-preprocess.yaml` `PREPROCESS`, to whoever makes stacks.
`llmdbenchd doctor` asks for each row. Not in it, since nobody needs a grant or we
do not need it: asking what one may do, and reading secrets (the kubelet resolves references).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Need(StrEnum):
    """What becomes of the daemon without a right."""

    ALWAYS = "always"  # no run can succeed
    FALLBACK = "fallback"  # one of two ways: harmless while the other is open
    OPTIONAL = "optional"  # runs succeed, and something is worse


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one kind of object, in one namespace.

    Attributes:
        resource: plural, with its subresource as people and Roles write it: `pods/log`.
        reason: what it is for.
        without: what happens where it is missing; empty for one that is always needed.
        instead: the resource whose rights open the other way; empty unless `need` is FALLBACK.
        group: API group; empty for the core's.
        name: of the only object that it is needed on; empty for all of the kind.
    """

    resource: str
    verb: str
    reason: str
    need: Need = Need.ALWAYS
    without: str = ""
    instead: str = ""
    group: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{'.' if self.group else ''}{self.group}"

    @property
    def rule(self) -> str:
        """The line among the rules of a Role that grants it."""
        verbs = f"verbs: [{self.verb}]"
        if self.name:
            verbs = f'resourceNames: ["{self.name}"], {verbs}'
        return f'- {{apiGroups: ["{self.group}"], resources: ["{self.resource}"], {verbs}}}'


@dataclass(frozen=True, slots=True)
class Lack:
    """A missing right: whether that is bad, and what happens because of it."""

    right: Right
    is_bad: bool
    then: str


_BY_EXEC = "results come by pods/exec instead, which is slower"
_BY_PROXY = "there is no second way for results, which come by pods/proxy"

LAUNCHERS: tuple[Right, ...] = (
    Right("pods", "create", "launchers and the data-access pod are made"),
    Right("pods", "delete", "they are stopped and taken away"),
    Right("pods", "get", "one of them is looked at when the watch cannot tell"),
    Right("pods", "list", "all of them are found again after a restart or a gap"),
    Right("pods", "watch", "their changes are heard at once"),
    Right("pods/log", "get", "the log of each launcher is followed while it is written"),
    Right(
        "pods/proxy",
        "get",
        "results are read over HTTP from the data-access pod",
        Need.FALLBACK,
        without=_BY_EXEC,
        instead="pods/exec",
    ),
    Right(
        "pods/proxy",
        "create",
        "a launcher that holds its results (storage.mode: ephemeral) is told to begin and to end",
        Need.OPTIONAL,
        without="such a launcher is deleted when its time is up, and its results with it; several "
        "begin together by pods/exec only",
    ),
    Right(
        "pods/exec",
        "create",
        "results come this way where pods/proxy is forbidden (Kubernetes 1.35 and later)",
        Need.FALLBACK,
        without=_BY_PROXY,
        instead="pods/proxy",
    ),
    Right(
        "pods/exec",
        "get",
        "the same for a websocket up to Kubernetes 1.34",
        Need.FALLBACK,
        without=_BY_PROXY,
        instead="pods/proxy",
    ),
    Right("configmaps", "create", "each run's workload and the launchers' scripts are made"),
    Right("configmaps", "delete", "they are taken away, and what they own goes with them"),
    Right("configmaps", "get", "one that is there already is compared before it is used"),
    Right(
        "configmaps",
        "list",
        "those that nothing needs any more are found",
        Need.OPTIONAL,
        without="what a kill left behind stays there",
    ),
    Right(
        "persistentvolumeclaims",
        "create",
        "the claim for results is made if it is not there",
        Need.OPTIONAL,
        without="somebody else has to make the claim that a job names",
    ),
    Right("persistentvolumeclaims", "get", "whether it is there and bound is looked up"),
    Right(
        "events",
        "list",
        "why a launcher did not start is quoted in the verdict",
        Need.OPTIONAL,
        without="verdicts do not quote what Kubernetes says of a launcher that does not start",
    ),
)

_NOT_FOUND = "only jobs with an endpoint: of their own can be run against it"
_NO_PODS = "two runs against one pod by different URLs do not know of each other"
_NO_CHECK = "whether the model is served is not checked before the load"
_NO_LOGS = "runs of the harness nop fail, which read such logs, and follow_servers records none"
_NO_PULLS = "nop does not tell image pulls, failed probes and kills"
_GATEWAYS = "gateway.networking.k8s.io"

STACK: tuple[Right, ...] = tuple(
    Right(resource, verb, reason, Need.OPTIONAL, without=without, group=group)
    for group, resource, verb, reason, without in (
        ("", "pods/log", "get", "nop, follow_servers: the servers' logs are followed", _NO_LOGS),
        ("", "events", "list", "nop: pulls, probes and kills are laid beside the log", _NO_PULLS),
        ("", "services", "get", "the Service that a URL names is looked up", _NO_PODS),
        ("", "services", "list", "that of a stack is found by its label or name", _NOT_FOUND),
        ("", "services/proxy", "get", "its server is asked which models it serves", _NO_CHECK),
        ("", "pods", "list", "a server without a Service is found by its name", _NOT_FOUND),
        ("", "pods/proxy", "get", "such a server is asked which models it serves", _NO_CHECK),
        ("discovery.k8s.io", "endpointslices", "list", "the pods behind it are found", _NO_PODS),
        (_GATEWAYS, "gateways", "list", "methods: modelservice begins with one", _NOT_FOUND),
        (_GATEWAYS, "httproutes", "list", "they give the path and the servers", _NOT_FOUND),
        *(
            (group, "inferencepools", "get", "a route may lead to a pool of pods", _NO_PODS)
            for group in ("inference.networking.k8s.io", "inference.networking.x-k8s.io")
        ),
    )
)

STACK_CHANGES: tuple[Right, ...] = (
    Right(
        "pods",
        "delete",
        "nop.restart: servers are started anew, so that a cold load is measured",
        Need.OPTIONAL,
        without="runs with it fail: a cold load is measured where somebody else deletes the pod",
    ),
    Right(
        "pods/proxy",
        "create",
        "nop: a server is sent to sleep and woken again, or started by its launcher",
        Need.OPTIONAL,
        without="sleep and wake are not measured, and nop.launcher fails",
    ),
    Right(
        "pods/proxy",
        "delete",
        "nop.launcher: what the launcher started is ended again",
        Need.OPTIONAL,
        without="it stays in the launcher until somebody ends it, and the run fails",
    ),
)
"""What only recordings ask for: all that in a stack is more than reading."""

SCRIPTS = "llm-d-benchmark-preprocesses"
"""The ConfigMap's name in the field; vLLM pods mount it at /setup/preprocess."""
_NO_SCRIPTS = "`llmdbenchd preprocess install` must be called by somebody who may"

PREPROCESS: tuple[Right, ...] = tuple(
    Right(
        "configmaps", verb, f"preprocess install: {reason}", Need.OPTIONAL, _NO_SCRIPTS, name=name
    )
    for verb, reason, name in (
        ("create", "the scripts that prepare vLLM pods are put into the stack", ""),
        ("get", "those that are there are compared", SCRIPTS),
        ("patch", "older ones are replaced", SCRIPTS),
    )
)
"""What only that command asks for."""


def lacks(table: Sequence[Right], missing: Collection[Right]) -> tuple[Lack, ...]:
    """What is missing of a table, in its order, and how bad each is."""
    closed = {right.resource for right in missing if right.need is Need.FALLBACK}
    return tuple(_lack(right, closed) for right in table if right in missing)


def _lack(right: Right, closed: Collection[str]) -> Lack:
    match right.need:
        case Need.ALWAYS:
            return Lack(right, is_bad=True, then="no run can succeed, as nothing stands in for it")
        case Need.FALLBACK if right.instead in closed:
            then = f"{right.instead}, which could stand in for it, is not allowed either"
            return Lack(right, is_bad=True, then=then)
        case _:
            return Lack(right, is_bad=False, then=right.without)
