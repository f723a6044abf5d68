"""The room of the launch: what our objects on a cluster are called, and how they are told apart."""

import hashlib
import re

from llmdbenchd.core.launch.plan import Identity

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "llmdbenchd"
INSTANCE = "llmdbenchd/instance"
JOB = "llmdbenchd/job"
RUN = "llmdbenchd/run"
ATTEMPT = "llmdbenchd/attempt"
INDEX = "llmdbenchd/index"
PAYLOAD = "llmdbenchd/payload"
TARGET = "llmdbenchd/target"  # an annotation: a label is too short for a target of many pods
APP = "app"
LAUNCHER_APP = "llmdbench-harness-launcher"  # people's habit, and never what we select by alone
PAYLOAD_APP = "llmdbench-payload"
ACCESS_APP = "llmdbench-data-access"
CLAIM = "llmdbenchd/claim"

_LONGEST = 63
_VALID = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_ONE_OF = re.compile(r"-\d+-of-\d+$")


def label_value(text: str) -> str:
    """The text as a valid label: itself where it is one, else what is left of it and a hash."""
    if _VALID.fullmatch(text):
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    left = re.sub(r"[^A-Za-z0-9]+", "-", text)[: _LONGEST - 9].strip("-")
    return f"{left}-{digest}" if left else digest


def instance_labels(instance: str) -> dict[str, str]:
    """What every object of one daemon carries."""
    return {MANAGED_BY: OURS, INSTANCE: label_value(instance)}


def attempt_labels(identity: Identity) -> dict[str, str]:
    """What every object of one attempt carries."""
    return {
        APP: LAUNCHER_APP,
        **instance_labels(identity.instance),
        JOB: label_value(identity.job),
        RUN: label_value(identity.run),
        ATTEMPT: str(identity.attempt),
    }


def launcher_labels(identity: Identity) -> dict[str, str]:
    """What one launcher carries; no other pod has all of it."""
    return attempt_labels(identity) | {INDEX: str(identity.index)}


def selector(labels: dict[str, str]) -> str:
    """The label selector of the objects that carry all of these labels."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


def everything_of(instance: str) -> str:
    """The selector of every object of one daemon."""
    return selector(instance_labels(instance))


def launchers_of(instance: str) -> str:
    """The selector of the launchers of one daemon."""
    return selector({APP: LAUNCHER_APP, **instance_labels(instance)})


def launchers_of_everybody() -> str:
    """The selector of the launchers of all daemons."""
    return selector({APP: LAUNCHER_APP, MANAGED_BY: OURS})


def attempt_name(launcher: str) -> str:
    """The name that the launchers of one attempt share, which is its ConfigMap's."""
    return _ONE_OF.sub("", launcher)
