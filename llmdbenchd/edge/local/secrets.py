"""The local room's keys: what a job names by a secret and a key, as files of this machine.

A secret is a folder and a key is a file in it, as Kubernetes shows them in a pod. The value
goes into the launcher's environment, and nowhere else: neither a plan nor a record has it.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from llmdbenchd.core.launch.manifest import ENDPOINT_KEY
from llmdbenchd.core.launch.plan import LauncherPlan, SecretRef
from llmdbenchd.core.results.manifest import mistake_in_path
from llmdbenchd.ports import Refused

TOKEN = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_LARGEST = 1 << 16  # bytes; an environment cannot hold much more


def variables(plan: LauncherPlan, secrets: Path | None) -> Mapping[str, str]:
    """The variables that a plan's references mean.

    Args:
        plan: of a launcher.
        secrets: folder of the secrets; None where there are none.

    Raises:
        Refused: the endpoint's key cannot be had. A missing Hugging Face token is no reason
            not to start, as on a cluster.
    """
    told: dict[str, str] = {}
    if plan.pod.endpoint_auth is not None:
        told[ENDPOINT_KEY] = _value(plan.pod.endpoint_auth, secrets)
    if plan.pod.hf_token is not None and secrets is not None:
        with suppress(Refused):
            told |= dict.fromkeys(TOKEN, _value(plan.pod.hf_token, secrets))
    return told


def _value(of: SecretRef, secrets: Path | None) -> str:
    what = f"key {of.key} of secret {of.secret}"
    if secrets is None:
        raise Refused(f"{what}: this machine has no secrets (setting secrets)")
    for name in (of.secret, of.key):
        if "/" in name or name.startswith(".") or mistake_in_path(name):
            raise Refused(f"{what}: {name!r} is not a plain name")
    path = secrets / of.secret / of.key
    try:
        with path.open("rb") as file:
            value = file.read(_LARGEST + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refused(f"{what}: {path} cannot be read: {why}") from error
    if not value or len(value) > _LARGEST:
        raise Refused(f"{what}: {path} is {'too large' if value else 'empty'}")
    return value
