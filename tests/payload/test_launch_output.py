"""Every byte of the harness reaches the results and the launcher's own output, or is counted."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.payload.stage import LAUNCH, Stage, assert_proven, end_by_force, ended

NOT_TEXT = "b'\\xff\\xfe\\x00 caf\\xe9 \\r50%\\r100%\\n no line end'"


def test_bytes_that_are_no_text_and_bars_drawn_with_returns_come_through(stage: Stage) -> None:
    stage.python_executable(f"import os\nos.write(1, {NOT_TEXT})\nos.write(2, {NOT_TEXT}[::-1])\n")
    expected: bytes = eval(NOT_TEXT)  # noqa: S307 - the constant above

    outcome = stage.run()

    assert stage.log() == expected
    assert stage.log("stderr") == expected[::-1]
    assert outcome.stdout.endswith(expected)
    assert outcome.stderr == expected[::-1]
    assert stage.done["facts"]["stdout_bytes"] == len(expected)


def test_a_line_of_five_megabytes_on_both_streams_comes_through(stage: Stage) -> None:
    stage.python_executable(
        "import os, threading\n"
        "def all(fd, data):\n"
        "    while data:\n        data = data[os.write(fd, data):]\n"
        "side = threading.Thread(target=all, args=(2, b'e' * 5_000_000))\n"
        "side.start()\nall(1, b'o' * 5_000_000)\nside.join()\n"
    )

    outcome = stage.run()

    assert outcome.returncode == 0
    assert stage.log() == b"o" * 5_000_000
    assert outcome.stdout.endswith(stage.log())
    assert outcome.stderr == stage.log("stderr") == b"e" * 5_000_000
    assert stage.done["problems"] == []


def test_a_reader_that_went_away_does_not_hurt_the_harness(stage: Stage) -> None:
    stage.env |= {"FAKE_HARNESS_LINES": "200", "FAKE_HARNESS_SECONDS": "0.2"}
    launcher = stage.start()
    assert launcher.stdout is not None
    assert launcher.stderr is not None
    launcher.stdout.close()
    launcher.stderr.close()

    assert launcher.wait(timeout=60) == 0
    assert stage.log().count(b"INFO - line") == 200
    assert stage.kinds.count("output lost") == 2
    assert_proven(stage.results)


@pytest.mark.slow
def test_a_reader_that_stalls_does_not_block_the_harness(stage: Stage) -> None:
    stage.python_executable(
        "import sys\nfor _ in range(300): sys.stdout.write('x' * 99_999 + '\\n')"
    )
    launcher = stage.start()  # nobody reads its pipes

    assert launcher.wait(timeout=60) == 0
    assert len(stage.log()) == 30_000_000
    assert stage.kinds == ["output lost"]
    assert "stalled" in stage.done["problems"][0]["detail"]
    ended(launcher)


def test_a_closed_stdout_is_no_reason_to_fail(stage: Stage) -> None:
    shell = ["sh", "-c", 'exec "$@" >&- 2>&- <&-', "sh"]

    assert stage.run(shell).returncode == 0
    assert stage.log().count(b"INFO - line") == 3
    assert stage.done["problems"] == []
    assert_proven(stage.results)


def test_a_log_that_cannot_grow_leaves_the_other_side_whole(stage: Stage) -> None:
    stage.python_executable("import os\nfor _ in range(100): os.write(1, b'y' * 10_000)\n")
    limited = ["bash", "-c", 'ulimit -f 64; exec "$@"', "bash"]  # 64 KiB a file

    outcome = stage.run(limited)

    assert outcome.returncode == 0
    assert outcome.stdout.count(b"y") >= 1_000_000
    assert len(stage.log()) == 65536
    assert stage.kinds == ["log lost"]
    assert f"{1_000_000 - 65536} bytes" in stage.done["problems"][0]["detail"]
    assert stage.done["facts"]["stdout_bytes"] == 1_000_000
    assert_proven(stage.results)


def test_proof_that_cannot_be_written_is_told_by_the_exit_code(stage: Stage) -> None:
    stage.executable("#!/bin/sh\ntrue\n")

    outcome = stage.run(["bash", "-c", 'ulimit -f 0; exec "$@"', "bash"])

    assert outcome.returncode == 74
    assert b"no done mark" in outcome.stderr
    assert not (stage.results / "DONE.json").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small tmpfs needs rights that we do not have here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_still_gets_its_done_mark(stage: Stage, small_disk: Path) -> None:
    stage.results = small_disk / "results"
    stage.env["LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR"] = str(stage.results)
    stage.python_executable("import os\nfor _ in range(100): os.write(1, b'z' * 10_000)\n")

    outcome = stage.run()

    assert outcome.returncode == stage.done["exit_code"] == 74
    assert stage.done["harness_rc"] == 0
    assert stage.kinds == ["log lost", "not written"]
    assert stage.done["manifest_sha256"] is None
    assert outcome.stdout.count(b"z") >= 1_000_000


def test_what_the_harness_leaves_running_in_its_group_is_ended_before_the_proof(
    stage: Stage,
) -> None:
    stage.executable('#!/bin/sh\nsleep 300 &\necho $! > "$LLMDBENCH_CONTROL_WORK_DIR/pid"\n')

    assert stage.run().returncode == 0
    assert stage.kinds == ["left behind"]
    assert "signal 15" in stage.done["problems"][0]["detail"]
    pid = int((stage.results / "pid").read_text())
    assert _is_gone(pid)
    assert_proven(stage.results)


def test_what_ends_by_itself_shortly_after_the_harness_is_waited_for(stage: Stage) -> None:
    stage.executable("#!/bin/sh\n(sleep 0.2; echo the last word) &\n")

    assert stage.run().returncode == 0
    assert stage.log() == b"the last word\n"
    assert stage.done["problems"] == []


def test_a_grandchild_out_of_reach_that_holds_the_output_does_not_hold_the_run(
    stage: Stage,
) -> None:
    pid_file = stage.folder / "grandchild"
    stage.env["FAKE_HARNESS_DAEMONISE"] = str(pid_file)
    try:
        assert stage.run().returncode == 0
        assert stage.kinds == ["left behind"]
        assert "out of reach" in stage.done["problems"][0]["detail"]
        assert_proven(stage.results)
    finally:
        end_by_force(int(pid_file.read_text()))


def test_as_process_one_of_a_container_it_ends_and_reaps_what_daemonised(stage: Stage) -> None:
    alone = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a PID namespace needs rights that we do not have here")
    stage.env["FAKE_HARNESS_DAEMONISE"] = "1"

    assert stage.run(alone).returncode == 0
    assert stage.kinds == ["left behind"]
    assert "signal 15" in stage.done["problems"][0]["detail"]
    assert "out of reach" not in stage.done["problems"][0]["detail"]


def _is_gone(pid: int) -> bool:
    """Whether a process has ended; whoever inherited it may still have to reap it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_the_launcher_needs_neither_site_packages_nor_its_own_package(stage: Stage) -> None:
    stage.folder.joinpath("alone").mkdir()
    for source in LAUNCH.parent.rglob("*.py"):
        target = stage.folder / "alone" / source.relative_to(LAUNCH.parent)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())

    command = [sys.executable, "-I", "-S", str(stage.folder / "alone" / "launch.py")]
    outcome = subprocess.run(command, env=stage.env, capture_output=True, check=False)

    assert outcome.returncode == 0, outcome.stderr
    assert_proven(stage.results)
