"""An endpoint that wants a key: the load generator has it, and nobody finds it written down."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from llmdbenchd.payload import keys
from tests.daemon.real import Simulator, harness_venvs, simulator
from tests.payload.stage import LAUNCH, PROGRAMS, Stage, assert_proven
from tests.payload.test_real_harnesses import metadata, shipped

KEY = "4711-a-key-that-nobody-may-find"
FAST: dict[str, tuple[str, dict[str, object]]] = {
    "inference-perf": ("sanity_random", {"load__stages": [{"rate": 4, "duration": 2}]}),
    "aiperf": ("sanity_fixed", {"request-count": 8, "request-rate": 8, "osl": 10, "isl": 20}),
    "guidellm": (
        "sanity_random",
        {"spec__profile__rate": 8, "spec__constraints__0__seconds": 2},
    ),
}


@contextmanager
def words_of_all_processes() -> Iterator[set[bytes]]:
    """Every command line that is to be seen on this machine while the block runs."""
    seen: set[bytes] = set()
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


def prepared(stage: Stage, harness: str, server: Simulator) -> None:
    """Let the launcher run the real tool against the server."""
    profile, fast = FAST[harness]
    folder = stage.folder / "workspace" / "profiles" / harness
    folder.mkdir(exist_ok=True)
    (folder / "x.yaml").write_text(shipped(harness, profile, server, **fast))
    stage.env |= {
        "PATH": f"{harness_venvs(harness) / harness / 'bin'}:{os.environ['PATH']}",
        "LLMDBENCH_HARNESS_NAME": harness,
        "LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME": "x.yaml",
        "HF_HOME": str(server.cache),
        "HF_HUB_OFFLINE": "1",
        "HOME": str(stage.folder),
    }
    if harness == "guidellm":  # a stand-in for torch
        stage.env |= {"PYTHONPATH": str(PROGRAMS / harness), "USE_TORCH": "0"}
        stage.env["GUIDELLM__MAX_WORKER_PROCESSES"] = "1"


def launched(stage: Stage) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*stage.python, LAUNCH], env=stage.env, capture_output=True, check=False)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.timeout(240)
@pytest.mark.parametrize("harness", FAST)
@pytest.mark.parametrize("key", [KEY, "0123456789"])
def test_a_load_generator_has_the_key_and_writes_it_nowhere(
    harness: str, key: str, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", key)
    with simulator(tmp_path) as server, words_of_all_processes() as words:
        prepared(stage, harness, server)
        stage.env["OPENAI_API_KEY"] = key
        done = launched(stage)

    assert done.returncode == 0, done.stdout + done.stderr
    assert server.served()
    assert not [one for one in words if key.encode() in one]
    assert key.encode() not in done.stdout + done.stderr
    assert metadata(stage)["harness_version"]
    assert key not in metadata(stage)["harness_args"]
    files = [path for path in stage.results.rglob("*") if path.is_file()]
    assert [path.name for path in files if key.encode() in path.read_bytes()] == []
    assert stage.done["problems"] == []  # nothing had to be blotted out


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.timeout(240)
@pytest.mark.parametrize("harness", FAST)
def test_without_the_key_no_request_of_a_load_generator_succeeds(
    harness: str, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    with simulator(tmp_path) as server:
        prepared(stage, harness, server)
        launched(stage)

        assert server.served() == []


def test_a_key_that_a_harness_wrote_among_its_results_does_not_come_home(stage: Stage) -> None:
    stage.env["OPENAI_API_KEY"] = KEY
    stage.executable(
        '#!/bin/sh\ncd "$LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR"; mkdir deep\n'
        'echo "{\\"api_key\\": \\"$OPENAI_API_KEY\\"}$OPENAI_API_KEY" > deep/config.json\n'
        'echo "Bearer $OPENAI_API_KEY" > headers; echo innocent > other\n'
    )

    assert stage.run().returncode == 0
    assert_proven(stage.results)
    assert (stage.results / "other").read_text() == "innocent\n"
    stars = "*" * len(KEY)
    said = (stage.results / "deep" / "config.json").read_text()
    assert said == f'{{"api_key": "{stars}"}}{stars}\n'
    assert stage.kinds == ["key found", "key found"]
    assert "deep/config.json" in stage.done["problems"][0]["detail"]


def test_a_key_is_found_wherever_a_piece_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "PIECE", 16)
    for before in range(40):
        file = tmp_path / f"{before:02}"
        file.write_text("x" * before + KEY + "y" * 7)
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(file)

    assert len(keys.blot(str(tmp_path), KEY)) == 40
    assert keys.blot(str(tmp_path), KEY) == []
    assert all(file.stat().st_size == int(file.name) + len(KEY) + 7 for file in tmp_path.glob("??"))


def test_a_short_key_is_a_word_of_many_results(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("tokens: 4711")

    assert keys.blot(str(tmp_path), "4711") == []
