"""The room of the launch: a plan becomes a pod that any cluster's policy can accept.

The pod needs no rights and no particular user: nothing is mounted that speaks to the API
server, every capability is dropped, and whatever wants to write (HOME, caches, temporary
files) finds an emptyDir, so that a user id that the image does not know works too. There is
no fsGroup: who may write on the claim is its owner's business, and changing the group of
other people's files there is not ours.
"""

import math
from collections.abc import Mapping

from llmdbenchd.core.launch.config_maps import (
    Document,
    Payload,
    launcher_annotations,
    profiles_folder,
    run_volume,
)
from llmdbenchd.core.launch.labels import (
    ACCESS_APP,
    APP,
    CLAIM,
    PAYLOAD,
    attempt_name,
    instance_labels,
    label_value,
    launcher_labels,
)
from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan

HARNESS = "harness"  # the container that generates the load
KEEP = "keep"  # the container that holds the results until they are home
ACCESS = "serve"  # the only container of a data-access pod
KEEP_PORT = 8080
IDLE_S = 600  # a data-access pod that everybody forgot ends by itself
HOLD_S = 24 * 3600  # the longest that results are held in a launcher
SERVE_SECRET = "LLMDBENCHD_SERVE_SECRET"  # noqa: S105 - a variable's name
ENDPOINT_KEY = "OPENAI_API_KEY"  # as load generators know it
EPHEMERAL = "ephemeral"
STOP_FILE = ".llmdbenchd-stop"  # what `keep` writes when the launcher is asked to end

_OUR_FOLDER = "/llmdbenchd"
PAYLOAD_FOLDER = f"{_OUR_FOLDER}/payload"
_HOME = f"{_OUR_FOLDER}/home"
_TEMPORARY = f"{_OUR_FOLDER}/temporary"
_CACHES = {
    "HOME": _HOME,
    "TMPDIR": _TEMPORARY,
    "XDG_CACHE_HOME": f"{_HOME}/.cache",
    "XDG_CONFIG_HOME": f"{_HOME}/.config",
    "HF_HOME": f"{_HOME}/.cache/huggingface",
    "MPLCONFIGDIR": f"{_HOME}/.config/matplotlib",
}
_SECURITY: Document = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
_KEEP_RESOURCES = {"cpu": "500m", "memory": "256Mi"}


def launcher_pod(plan: LauncherPlan, payload: Payload, *, owner: str, secret: str) -> Document:
    """The launcher as a pod.

    Args:
        plan: what it must be.
        payload: the scripts that run in it; their ConfigMap must be there.
        owner: uid of the run's ConfigMap, with which the pod goes.
        secret: the path below which `keep` answers; of no interest on a claim.

    Raises:
        ValueError: no image is named, or a file lies where a pod cannot have it.
    """
    if not plan.pod.image:
        raise ValueError("no image is named for the launcher: set harness.image")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": plan.name,
            "labels": launcher_labels(plan.identity) | {PAYLOAD: payload.digest},
            "annotations": launcher_annotations(plan),
            "ownerReferences": [_owned_by(attempt_name(plan.name), owner)],
        },
        "spec": _spec(plan, payload, secret),
    }


def access_pod(  # noqa: PLR0913 -- the parts of a pod, each by its name
    plan: LauncherPlan,
    payload: Payload,
    *,
    name: str,
    instance: str,
    image: str,
    secret: str,
    node: str,
) -> Document:
    """The pod that shows a claim read-only.

    Args:
        plan: of a launcher on that claim.
        payload: its scripts.
        name: of the pod.
        instance: the daemon's id.
        image: what it runs in; any with Python.
        secret: the path below which it answers.
        node: where it must run; empty = anywhere.
    """
    probe = {"tcpSocket": {"port": KEEP_PORT}, "periodSeconds": 1}
    container = _server(plan, ACCESS, secret, IDLE_S) | {"image": image, "readinessProbe": probe}
    claim: Document = {"persistentVolumeClaim": {"claimName": plan.storage.claim, "readOnly": True}}
    volumes: dict[str, Document] = {"results": claim, "payload": payload.volume()}
    placed = {"nodeName": node} if node else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": instance_labels(instance)
            | {APP: ACCESS_APP, CLAIM: label_value(plan.storage.claim), PAYLOAD: payload.digest},
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": _pod_security(plan),
            "containers": [container],
            "volumes": [{"name": volume, **source} for volume, source in volumes.items()],
            **_placement(plan),
            **placed,
        },
    }


def grace_seconds(grace_s: float) -> int:
    """A grace period as the API takes it: whole seconds, and never the 0 that means force."""
    return max(1, math.ceil(grace_s))


def _owned_by(name: str, uid: str) -> Document:
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid}


def _spec(plan: LauncherPlan, payload: Payload, secret: str) -> Document:
    containers = [_harness(plan)]
    if plan.storage.mode == EPHEMERAL:
        containers.append(_keep(plan, secret))
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace_seconds(plan.grace_s),
        "securityContext": _pod_security(plan),
        "containers": containers,
        "volumes": _volumes(plan, payload),
        **_placement(plan),
    }


def _pod_security(plan: LauncherPlan) -> Document:
    user = plan.pod.run_as_user
    as_user = {} if user is None else {"runAsUser": user}
    return {"seccompProfile": {"type": "RuntimeDefault"}, **as_user}


def _placement(plan: LauncherPlan) -> Document:
    """What is left to the cluster unless the job says something."""
    terms = plan.pod
    asked: Document = {
        "serviceAccountName": terms.service_account,
        "imagePullSecrets": [{"name": name} for name in terms.image_pull_secrets],
        "nodeSelector": dict(terms.node_selector),
        "tolerations": [dict(toleration) for toleration in terms.tolerations],
        "priorityClassName": terms.priority_class,
    }
    return {name: value for name, value in asked.items() if value}


def _harness(plan: LauncherPlan) -> Document:
    mounts = [
        ("results", IMAGE.results_prefix),
        ("profiles", f"{IMAGE.workspace}/{profiles_folder(plan)}"),
        ("payload", PAYLOAD_FOLDER),
        ("home", _HOME),
        ("temporary", _TEMPORARY),
    ]
    container = _container(plan, HARNESS, "launch.py", mounts)
    size = {"cpu": plan.cpu, "memory": plan.memory}
    return container | {"env": _environment(plan), "resources": _exactly(size)}


def _keep(plan: LauncherPlan, secret: str) -> Document:
    return _server(plan, KEEP, secret, HOLD_S)


def _server(plan: LauncherPlan, name: str, secret: str, idle_s: int) -> Document:
    """A container that shows results."""
    mounts = [("results", IMAGE.results_prefix), ("payload", PAYLOAD_FOLDER)]
    container = _container(plan, name, "serve.py", mounts)
    told = {
        "LLMDBENCHD_SERVE_ROOT": IMAGE.results_prefix,
        "LLMDBENCHD_SERVE_PORT": str(KEEP_PORT),
        SERVE_SECRET: secret,
        "LLMDBENCHD_SERVE_IDLE_S": str(idle_s),
    }
    return container | {
        "env": _listed(_literal(told)),
        "ports": [{"containerPort": KEEP_PORT}],
        "resources": _exactly(_KEEP_RESOURCES),
    }


def _container(
    plan: LauncherPlan, name: str, script: str, mounts: list[tuple[str, str]]
) -> Document:
    read_only = {"profiles", "payload"}
    return {
        "name": name,
        "image": plan.pod.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-I", "-S", f"{PAYLOAD_FOLDER}/{script}"],
        "securityContext": _SECURITY,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": volume, "mountPath": path, "readOnly": volume in read_only}
            for volume, path in mounts
        ],
    }


def _exactly(size: Mapping[str, str]) -> Document:
    """What is asked for is what it gets: a load generator must not share what it measures with."""
    return {"requests": dict(size), "limits": dict(size)}


def _environment(plan: LauncherPlan) -> list[Document]:
    """The plan's variables, with the caches unless the job moves them, and then our own."""
    ours = {
        "LLMDBENCHD_PAYLOAD_DIR": PAYLOAD_FOLDER,
        "LLMDBENCHD_GRACE_SECONDS": f"{_grace_within(plan.grace_s):g}",
    }
    if plan.storage.mode == EPHEMERAL:  # a signal would end `keep` as well, with the results
        ours["LLMDBENCHD_STOP_FILE"] = f"{IMAGE.results_prefix}/{STOP_FILE}"
    uid = {"fieldRef": {"fieldPath": "metadata.uid"}}
    told = _literal(_CACHES | dict(plan.env) | ours) | {"POD_UID": {"valueFrom": uid}}
    return _listed(told | _token(plan) | _endpoint_key(plan))


def _grace_within(grace_s: float) -> float:
    """What launch.py may count on: a signal takes its time to come through."""
    return max(grace_s - 1.0, grace_s * 0.9)


def _token(plan: LauncherPlan) -> dict[str, Document]:
    """The Hugging Face token by reference; a missing secret is no reason not to start."""
    token = plan.pod.hf_token
    if token is None:
        return {}
    reference = {"secretKeyRef": {"name": token.secret, "key": token.key, "optional": True}}
    source: Document = {"valueFrom": reference}
    names = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
    return _literal({"HF_TOKEN_SECRET": token.secret}) | dict.fromkeys(names, source)


def _endpoint_key(plan: LauncherPlan) -> dict[str, Document]:
    """The endpoint's key by reference; without the secret the launcher cannot start."""
    auth = plan.pod.endpoint_auth
    if auth is None:
        return {}
    reference = {"secretKeyRef": {"name": auth.secret, "key": auth.key}}
    return {ENDPOINT_KEY: {"valueFrom": reference}}


def _literal(variables: Mapping[str, str]) -> dict[str, Document]:
    return {name: {"value": _verbatim(value)} for name, value in variables.items()}


def _listed(variables: Mapping[str, Document]) -> list[Document]:
    return [{"name": name, **source} for name, source in variables.items()]


def _verbatim(value: str) -> str:
    """The value written so that Kubernetes, which expands `$(NAME)` and `$$`, gives it back."""
    is_safe = "$(" not in value and "$$" not in value
    return value if is_safe else value.replace("$", "$$")


def _volumes(plan: LauncherPlan, payload: Payload) -> list[Document]:
    claim: Document = {"persistentVolumeClaim": {"claimName": plan.storage.claim}}
    sources: dict[str, Document] = {
        "results": {"emptyDir": {}} if plan.storage.mode == EPHEMERAL else claim,
        "profiles": run_volume(plan),
        "payload": payload.volume(),
        "home": {"emptyDir": {}},
        "temporary": {"emptyDir": {}},
    }
    return [{"name": name, **source} for name, source in sources.items()]
