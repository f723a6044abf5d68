"""What would be made of a run's launchers, as files for people: nothing is touched."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import yaml

from llmdbenchd.core.launch.config_maps import Document, Payload, run_config_map
from llmdbenchd.core.launch.manifest import launcher_pod
from llmdbenchd.core.launch.plan import LauncherPlan

FOLDER = "plan"
_LATER = "known-when-it-is-made"  # in place of what the cluster, or chance, says first


def preview(plans: Sequence[LauncherPlan], payload: Payload | None) -> dict[str, bytes]:
    """The plans of all launchers of a run, and on a cluster the manifests that they become.

    Args:
        plans: of launchers 1 to N.
        payload: the scripts that run in them; None = no cluster, so no manifests.

    Returns:
        Relative path to content: a JSON file for each launcher, `manifests.yaml` on a cluster.
        Secrets are named in them, as everywhere, and never read.
    """
    files = {f"{FOLDER}/{plan.name}.json": _as_json(plan) for plan in plans}
    if payload is not None:
        documents = _manifests(plans, payload)
        text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
        files[f"{FOLDER}/manifests.yaml"] = text.encode()
    return files


def _as_json(plan: LauncherPlan) -> bytes:
    return json.dumps(asdict(plan), indent=2, ensure_ascii=False).encode() + b"\n"


def _manifests(plans: Sequence[LauncherPlan], payload: Payload) -> Iterator[Document]:
    yield payload.config_map()
    for plan in plans[:1]:  # the files of an attempt are the same for all of its launchers
        yield run_config_map(plan)
    for plan in plans:
        yield launcher_pod(plan, payload, owner=_LATER, secret=_LATER)
