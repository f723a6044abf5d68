"""A launcher's world for tests: workspace, results, environment, and the real `launch.py` in it."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llmdbenchd.payload

LAUNCH = Path(llmdbenchd.payload.__file__).parent / "launch.py"
PROGRAMS = Path(__file__).parent.parent / "programs"
PROFILE = "load: {type: constant, stages: [{rate: 1, duration: 30}]}\n"


class Stage:
    """One launcher's folders and variables; `run` may be called again, as a restart would.

    Attributes:
        env: the whole environment; tests change it before `run`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.started_file = folder / "started"
        self.python: Sequence[str] = (sys.executable, "-I", "-S")
        profiles = folder / "workspace" / "profiles" / "inference-perf"
        profiles.mkdir(parents=True)
        self.profile = profiles / "sanity_random.yaml"
        self.profile.write_text(PROFILE)
        self.env = {
            "PATH": f"{PROGRAMS}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "LLMDBENCH_RUN_WORKSPACE_DIR": str(folder / "workspace"),
            "LLMDBENCH_HARNESS_NAME": "inference-perf",
            "LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME": "sanity_random.yaml",
            "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR": str(self.results),
            "FAKE_HARNESS_STARTED_FILE": str(self.started_file),
        }

    def executable(self, text: str) -> Path:
        """Let the launcher run a script with this text in place of the harness."""
        path = self.folder / "own-harness"
        path.write_text(text)
        path.chmod(0o755)
        self.env["LLMDBENCH_HARNESS_EXECUTABLE"] = str(path)
        return path

    def python_executable(self, text: str) -> Path:
        """Like `executable`, for Python."""
        return self.executable(f"#!{sys.executable} -IS\n{text}")

    def script(self, text: str) -> None:
        """Let the launcher use a harness script with this text for inference-perf."""
        folder = self.folder / "payload" / "harness"
        folder.mkdir(parents=True)
        (folder / "inference_perf.py").write_text(text)
        self.env["LLMDBENCHD_PAYLOAD_DIR"] = str(folder.parent)

    def run(self, prefix: Sequence[str] = ()) -> subprocess.CompletedProcess[bytes]:
        """Run the launcher to its end."""
        return subprocess.run(
            [*prefix, *self.python, str(LAUNCH)],
            env=self.env,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def start(self) -> subprocess.Popen[bytes]:
        """Start the launcher; its stdout and stderr are pipes."""
        return subprocess.Popen(
            [*self.python, str(LAUNCH)],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def done(self) -> dict[str, Any]:
        """The done mark."""
        mark: dict[str, Any] = json.loads((self.results / "DONE.json").read_bytes())
        return mark

    @property
    def kinds(self) -> list[str]:
        """The kinds of the problems in the done mark."""
        return [problem["kind"] for problem in self.done["problems"]]

    @property
    def times_started(self) -> int:
        """How often the fake harness was started."""
        return len(self.started_file.read_text().splitlines()) if self.started_file.exists() else 0

    def log(self, name: str = "stdout") -> bytes:
        """What is in one of the logs among the results."""
        return (self.results / f"{name}.log").read_bytes()


def manifest(results: Path) -> dict[str, dict[str, Any]]:
    """The manifest's entries by path, after a look at its first line."""
    first, *lines = (results / "MANIFEST.jsonl").read_bytes().splitlines()
    assert json.loads(first) == {"version": 1}
    entries = [json.loads(line) for line in lines]
    assert [entry["path"] for entry in entries] == sorted(entry["path"] for entry in entries)
    return {entry.pop("path"): entry for entry in entries}


def assert_proven(results: Path) -> None:
    """The done mark names this manifest, and the manifest names each file as it is."""
    mark = json.loads((results / "DONE.json").read_bytes())
    raw = (results / "MANIFEST.jsonl").read_bytes()
    assert mark["version"] == 1
    assert mark["manifest_sha256"] == hashlib.sha256(raw).hexdigest()
    names = {
        os.path.relpath(os.path.join(folder, name), results)  # noqa: PTH118 - may be not UTF-8
        for folder, _, files in os.walk(results)
        for name in files
    }
    files = manifest(results)
    assert names - {"MANIFEST.jsonl", "DONE.json"} == set(files)
    for name, entry in files.items():
        if "link" not in entry:
            data = (results / name).read_bytes()
            assert entry == {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def read_until(process: subprocess.Popen[bytes], text: bytes, *, stderr: bool = False) -> bytes:
    """Read the launcher's output until `text` has come; returns all that was read."""
    stream = process.stderr if stderr else process.stdout
    assert stream is not None
    read = b""
    while text not in read:
        chunk = os.read(stream.fileno(), 65536)
        assert chunk, f"the launcher ended without saying {text!r}: {read!r}"
        read += chunk
    return read


def ended(process: subprocess.Popen[bytes]) -> int:
    """The exit code of a started launcher, its pipes read and closed."""
    process.communicate(timeout=60)
    return process.returncode


def end_by_force(pid: int) -> None:
    """End a process that a test left running on purpose."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
