"""The room of the launch: the ConfigMaps that bring files into launchers.

The run's own holds the rendered workload of one attempt and owns its launchers. The
payload's holds the scripts that run in launchers; its name has their hash in it, so
that a newer daemon never changes what an older one's launchers read.
Both are immutable.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from llmdbenchd.core.launch.labels import (
    APP,
    PAYLOAD,
    PAYLOAD_APP,
    TARGET,
    attempt_labels,
    attempt_name,
    instance_labels,
)
from llmdbenchd.core.launch.plan import SLEEP, LauncherPlan
from llmdbenchd.core.run.rivals import marks

PROFILES = "profiles"
LARGEST = 1 << 20  # bytes in all values of a ConfigMap, says the API server
_NO_KEY = re.compile(r"[^-._a-zA-Z0-9]")

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Payload:
    """The scripts for launchers of one daemon, by their paths below the payload's folder."""

    instance: str
    files: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that stand for the content."""
        hashed = hashlib.sha256()
        for path, text in sorted(self.files.items()):
            for part in (path.encode(), text.encode()):
                hashed.update(len(part).to_bytes(8, "big") + part)
        return hashed.hexdigest()[:8]

    @property
    def name(self) -> str:
        """The ConfigMap's name."""
        return f"llmdbench-payload-{self.instance}-{self.digest}"

    @property
    def labels(self) -> dict[str, str]:
        """The ConfigMap's labels."""
        return {APP: PAYLOAD_APP, **instance_labels(self.instance), PAYLOAD: self.digest}

    def config_map(self) -> Document:
        """The ConfigMap, as the API server wants it.

        Raises:
            ValueError: the scripts are too large for one.
        """
        data = {_payload_key(path): text for path, text in sorted(self.files.items())}
        metadata: Document = {"name": self.name, "labels": self.labels}
        return _config_map(metadata, data, what="the payload's scripts")

    def volume(self) -> Document:
        """The volume source that puts every script at its path."""
        return _volume(self.name, {_payload_key(path): path for path in sorted(self.files)})


def run_config_map(plan: LauncherPlan) -> Document:
    """The ConfigMap with the files of the plan's attempt, the same for all its launchers.

    Raises:
        ValueError: the files are too large for one, or lie outside the harness's profiles.
    """
    data = {_run_key(number, path): text for number, (path, text) in _run_files(plan)}
    metadata: Document = {
        "name": attempt_name(plan.name),
        "labels": attempt_labels(plan.identity),
        "annotations": annotations(plan),
    }
    return _config_map(metadata, data, what="the workload's files")


def run_volume(plan: LauncherPlan) -> Document:
    """The volume source with the plan's files, for `<workspace>/<profiles_folder>`."""
    paths = {_run_key(number, path): path for number, (path, _) in _run_files(plan)}
    return _volume(attempt_name(plan.name), paths)


def annotations(plan: LauncherPlan) -> dict[str, str]:
    """What labels may have had to shorten, in full, for people."""
    return {"llmdbenchd/job": plan.identity.job, "llmdbenchd/run": plan.identity.run}


def launcher_annotations(plan: LauncherPlan) -> dict[str, str]:
    """The same, and what it loads, for daemons that would load that too."""
    return annotations(plan) | ({TARGET: marks(plan.servers)} if plan.servers else {})


def profiles_folder(plan: LauncherPlan) -> str:
    """The folder of the workspace that the plan's files fill: one harness's, or everybody's."""
    return PROFILES if plan.executable == SLEEP else f"{PROFILES}/{plan.harness}"


def _run_files(plan: LauncherPlan) -> list[tuple[int, tuple[str, str]]]:
    home = f"{profiles_folder(plan)}/"
    for file in plan.files:
        if not file.path.startswith(home):
            raise ValueError(f"{file.path} lies outside {home}, where a pod cannot have it")
    files = [(file.path.removeprefix(home), file.text) for file in plan.files]
    return list(enumerate(files, start=1))


def _run_key(number: int, path: str) -> str:
    """A valid key for any path; the number keeps two of them apart."""
    return f"{number}.{_NO_KEY.sub('_', path)[-200:]}"


def _payload_key(path: str) -> str:
    return path.replace("/", ".")


def _config_map(metadata: Document, data: dict[str, str], *, what: str) -> Document:
    size = sum(len(text.encode()) for text in data.values())
    if size > LARGEST:
        most = f"a ConfigMap holds at most {LARGEST} bytes"
        raise ValueError(f"{what} have {size} bytes, and {most}: make them smaller")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "immutable": True,
        "data": data,
    }


def _volume(name: str, paths: Mapping[str, str]) -> Document:
    items = [{"key": key, "path": path} for key, path in paths.items()]
    return {"configMap": {"name": name, "items": items, "defaultMode": 0o444}}
