"""The scripts that prepare a vLLM pod, in a pod: installed, mounted and run as the field does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cluster.images.recipes import SIMULATOR
from tests.e2e import loader
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180)]
RIGHTS = Path(__file__).parents[2] / "deploy" / "rbac-stack-preprocess.yaml"
CONFIG_MAP = "llm-d-benchmark-preprocesses"
ENV_PROGRAM = "mkdir -p /usr/bin; ln -s /bin/env /usr/bin/env"  # every real image has it
BOTH = (
    "source /setup/preprocess/standalone-preprocess.sh ; /setup/preprocess/standalone-preprocess.py"
)
MOUNT = {
    "volume": {"name": "scripts", "configMap": {"name": CONFIG_MAP, "defaultMode": 0o755}},
    "mount": {"name": "scripts", "mountPath": "/setup/preprocess"},
}
DEBUG = {
    "LLMDBENCH_VLLM_COMMON_VLLM_LOGGING_LEVEL": "DEBUG",
    "LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT": "runai_streamer",
    "LLMDBENCH_PREPROCESS_PIP": "echo pip",  # nothing leads out of the test cluster
}


def install(cluster: Cluster, stack: Namespace, folder: Path) -> str:
    """The command, with exactly the rights that we ship for it; what it says."""
    stack.create("serviceaccounts", {"metadata": {"name": "maker"}})
    for document in yaml.safe_load_all(RIGHTS.read_text(encoding="utf-8")):
        for subject in document.get("subjects", ()):
            subject |= {"name": "maker", "namespace": stack.name}
        stack.create(f"{document['kind'].lower()}s", document)
    kubeconfig = cluster.kubeconfig_of(stack, "maker", folder / "maker")
    words = ("preprocess", "install", "--namespace", stack.name)
    said = ""
    for became in ("made", "unchanged"):
        done = subprocess.run(
            (sys.executable, "-m", "llmdbenchd", *words),
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "LLMDBENCHD_KUBECONFIG": str(kubeconfig),
            },
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{became}: ConfigMap {CONFIG_MAP} in {stack.name}")
        said += done.stdout
    return said


def prepared(stack: Namespace, name: str, after: str, **env: str) -> str:
    """What a pod prints that runs both scripts and then this."""
    return stack.run(
        name,
        ["sh", "-c", f"{ENV_PROGRAM}; {BOTH} ; {after}"],
        image=SIMULATOR,
        container={
            "env": [{"name": key, "value": value} for key, value in env.items()],
            "volumeMounts": [MOUNT["mount"]],
        },
        volumes=[MOUNT["volume"]],
    )


def test_both_scripts_run_in_a_pod_and_the_server_sees_what_they_export(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    said = install(cluster, namespace, tmp_path)
    assert "standalone-preprocess.py, standalone-preprocess.sh" in said
    seen = (
        "tr -d '\\n' < $VLLM_LOGGING_CONFIG_PATH; echo; "
        "python3 -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    )

    *lines, config, environment = prepared(namespace, "debug", seen, **DEBUG).splitlines()

    block = lines.index("--- gpu scenario start name: debug")
    assert lines[block + 1 : block + 3] == [
        "preprocess: no GPU: nvidia-smi is not here",
        "--- gpu scenario end name: debug",
    ]
    assert "pip runai==0.4.1" in lines
    assert any(line.startswith("vllm extra arguments: '--load-format runai") for line in lines)
    assert json.loads(config)["formatters"]["vllm"]["format"].startswith(
        "%(levelname)s %(asctime)s.%(msecs)03d"
    )
    exported = json.loads(environment)
    assert exported["VLLM_LOGGING_LEVEL"] == "DEBUG"
    loader_config = exported["LLMDBENCH_VLLM_COMMON_MODEL_LOADER_EXTRA_CONFIG"]
    assert json.loads(loader_config) == {"concurrency": 32}


def test_a_recording_tells_a_prepared_server_from_one_that_was_not(
    cluster: Cluster, scene: Scene, tmp_path: Path
) -> None:
    install(cluster, scene.stack, tmp_path)
    before = f"{ENV_PROGRAM}\n{BOTH}"
    with loader.loading(scene.stack, before=before, sleeps=False, mounts=[MOUNT]):
        scene.house.run_job("prepared", scene.job())
    page = (scene.home("prepared") / "summary.txt").read_text()

    assert "    none: nvidia-smi is not here" in page
    assert "not told: " not in page
    assert "did not run" not in page


def test_a_recording_says_what_a_server_cannot_tell_that_was_not_prepared(scene: Scene) -> None:
    with loader.loading(scene.stack, sleeps=False, debug=False):
        scene.house.run_job("plain", scene.job())
    page = (scene.home("plain") / "summary.txt").read_text()

    assert "not told: the preprocess script did not run in the pod" in page
    assert "not told: Detect Platform, LLM Imports, Worker Initialization" in page
    assert "LLMDBENCH_VLLM_COMMON_VLLM_LOGGING_LEVEL" in page
