"""The scripts that prepare a vLLM pod, run as a pod runs them: sourced, then executed."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmdbenchd.edge.files.preprocess import shipped_preprocess

FOLDER = Path(__file__).parents[2] / "workload" / "preprocess"
SHELL, PYTHON = (FOLDER / f"standalone-preprocess.{kind}" for kind in ("sh", "py"))
DEBUG = {"LLMDBENCH_VLLM_COMMON_VLLM_LOGGING_LEVEL": "DEBUG"}
LOADER = "LLMDBENCH_VLLM_COMMON_MODEL_LOADER_EXTRA_CONFIG"


def sourced(shell: str, folder: Path, **env: str) -> tuple[str, dict[str, str]]:
    """What it prints, and what a server that is started behind it would see."""
    show = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    path = f"{folder}:/usr/bin:/bin"
    done = subprocess.run(
        [shell, "-eu", "-c", f". {SHELL}; {show}"],
        env={"PATH": path, "HOSTNAME": "pod-0", "LLMDBENCH_PREPROCESS_PIP": "echo pip", **env},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    *said, seen = done.stdout.splitlines()
    return "\n".join(said), json.loads(seen)


def program(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_without_a_gpu_the_block_says_so(shell: str, tmp_path: Path) -> None:
    said, seen = sourced(shell, tmp_path)

    assert said.splitlines()[-3:] == [
        "--- gpu scenario start name: pod-0",
        "preprocess: no GPU: nvidia-smi is not here",
        "--- gpu scenario end name: pod-0",
    ]
    assert "VLLM_LOGGING_CONFIG_PATH" not in seen
    assert "TORCH_CUDA_ARCH_LIST" not in seen


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_each_gpu_is_a_line_and_its_architectures_are_exported(shell: str, tmp_path: Path) -> None:
    rows = "Some GPU 80GB, 9.0, GPU-1, Enabled\nSome GPU 80GB, 9.0, GPU-2, Disabled"
    program(
        tmp_path,
        "nvidia-smi",
        f"case $1 in *name*) printf '{rows}\\n' ;; *) printf '9.0\\n9.0\\n' ;; esac",
    )
    said, seen = sourced(shell, tmp_path)

    assert (
        "gpu_uuid='GPU-1' gpu_name='Some GPU 80GB' compute_cap='9.0' persistence_mode='Enabled'"
    ) in said
    assert said.count("gpu_uuid=") == 2
    assert seen["TORCH_CUDA_ARCH_LIST"] == "9.0"


def test_a_driver_that_does_not_answer_is_told_and_ends_nothing(tmp_path: Path) -> None:
    program(tmp_path, "nvidia-smi", "echo 'no devices were found'; exit 9")
    said, _ = sourced("sh", tmp_path)

    assert "preprocess: no GPU: nvidia-smi says: no devices were found" in said
    assert said.endswith("--- gpu scenario end name: pod-0")


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    ("load_format", "package", "loader"),
    [
        ("auto", "", None),
        ("fastsafetensors", "fastsafetensors==0.1.15", None),
        ("runai_streamer", "runai==0.4.1", {"concurrency": 32}),
        ("tensorizer", "tensorizer==2.12.0", {"tensorizer_uri": "/tmp/a/b/v1/model.tensors"}),  # noqa: S108 - in the pod
    ],
)
def test_a_load_format_gets_what_it_needs(
    shell: str, tmp_path: Path, load_format: str, package: str, loader: object
) -> None:
    asked = {"LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT": load_format}
    said, seen = sourced(shell, tmp_path, LLMDBENCH_DEPLOY_CURRENT_MODEL="a/b", **asked)

    assert f"vllm extra arguments: '--load-format {load_format}" in said
    assert (f"pip {package}" in said) == bool(package)
    assert (json.loads(seen[LOADER]) if LOADER in seen else None) == loader


def test_what_somebody_set_in_the_loaders_configuration_stays(tmp_path: Path) -> None:
    asked = {"LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT": "runai_streamer"}
    _, seen = sourced("sh", tmp_path, **asked, **{LOADER: '{"memory_limit":1}'})
    assert json.loads(seen[LOADER]) == {"concurrency": 32, "memory_limit": 1}

    _, seen = sourced("sh", tmp_path, **asked, **{LOADER: '{"concurrency":4}'})
    assert json.loads(seen[LOADER]) == {"concurrency": 4}


def test_a_package_that_cannot_be_installed_is_told_and_the_server_starts(tmp_path: Path) -> None:
    asked = {"LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT": "tensorizer"}
    said, _ = sourced("bash", tmp_path, **asked, LLMDBENCH_PREPROCESS_PIP="false")

    assert "tensorizer==2.12.0 could not be installed" in said


def ran(**env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [PYTHON], env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_at_level_debug_stamps_have_milliseconds(tmp_path: Path) -> None:
    _, seen = sourced("sh", tmp_path, **DEBUG)
    assert seen["VLLM_LOGGING_CONFIG_PATH"] == "/tmp/vllm_logging_config.json"  # noqa: S108 - in the pod
    assert seen["VLLM_LOGGING_LEVEL"] == "DEBUG"

    path = tmp_path / "logging.json"
    assert ran(VLLM_LOGGING_CONFIG_PATH=str(path)).returncode == 0
    config = json.loads(path.read_text())
    form = config["formatters"]["vllm"]
    formatter = logging.Formatter(form["format"], form["datefmt"])
    record = logging.LogRecord("vllm", logging.DEBUG, "a/core.py", 7, "Loading", (), None)
    record.msecs = 41.0
    assert ".041 [core.py:7] Loading" in formatter.format(record)


def test_without_the_level_nothing_is_written_and_it_ends_well() -> None:
    done = ran()

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_model_is_serialised_once_and_a_torn_one_never_counts(tmp_path: Path) -> None:
    vllm = tmp_path / "vllm"
    (vllm / "engine").mkdir(parents=True)
    (vllm / "engine" / "arg_utils.py").write_text("EngineArgs = dict\n")
    (vllm / "model_executor" / "model_loader").mkdir(parents=True)
    (vllm / "model_executor" / "model_loader" / "tensorizer.py").write_text(
        "TensorizerConfig = dict\n"
        "def tensorize_vllm_model(args, config):\n"
        "    open(config['tensorizer_uri'], 'w').write(args['model'])\n"
    )
    asked = {
        "LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT": "tensorizer",
        "LLMDBENCH_DEPLOY_CURRENT_MODEL": "a/b",
        "LLMDBENCH_PREPROCESS_ROOT": str(tmp_path),
        "PYTHONPATH": str(tmp_path),
    }
    tensors = tmp_path / "a/b/v1/model.tensors"
    torn = ran(**(asked | {"PYTHONPATH": ""}))
    assert torn.returncode == 1
    assert not tensors.exists()

    first = ran(**asked)
    assert first.returncode == 0, first.stderr
    assert tensors.read_text() == "a/b"
    start, end = first.stdout.splitlines()
    assert start == f"Start model a/b serialization for tokenizer library to {tensors}"
    assert end == "End model a/b serialization"
    assert "is there" in ran(**asked).stdout


def test_tensorizer_without_a_model_says_which_variable() -> None:
    done = ran(LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT="tensorizer")

    assert done.returncode == 1
    assert "LLMDBENCH_DEPLOY_CURRENT_MODEL" in done.stderr


def test_both_are_shipped_and_may_be_executed() -> None:
    assert set(shipped_preprocess()) == {SHELL.name, PYTHON.name}
    assert os.access(SHELL, os.X_OK)
    assert os.access(PYTHON, os.X_OK)
