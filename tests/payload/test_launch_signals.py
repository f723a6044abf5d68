"""A launcher that is asked to end ends its harness, in time, and still writes its proof."""

import os
import signal
import subprocess

import pytest

from tests.payload.stage import LAUNCH, Stage, assert_proven, ended, read_until

BEGUN = b"INFO - line 1"


def test_a_stopped_harness_ends_by_the_signal_and_leaves_proof(stage: Stage) -> None:
    stage.env["FAKE_HARNESS_SECONDS"] = "300"
    launcher = stage.start()
    read_until(launcher, BEGUN)

    launcher.send_signal(signal.SIGTERM)

    assert ended(launcher) == 143
    assert (stage.done["harness_rc"], stage.done["signal"]) == (None, 15)
    assert stage.done["stopped"] is True
    assert stage.done["exit_code"] == 143
    assert stage.done["facts"]["native_files"] == []
    assert_proven(stage.results)


def test_a_harness_that_ends_well_when_asked_was_stopped_all_the_same(stage: Stage) -> None:
    stage.executable("#!/bin/bash\ntrap 'echo saved; exit 0' TERM\necho begun\nsleep 300 & wait\n")
    launcher = stage.start()
    read_until(launcher, b"begun")

    launcher.send_signal(signal.SIGTERM)

    assert ended(launcher) == 143
    assert stage.done["harness_rc"] == 0
    assert stage.done["stopped"] is True
    assert b"saved" in stage.log()
    assert_proven(stage.results)


def test_the_last_words_of_a_stopped_harness_are_whole(stage: Stage) -> None:
    stage.python_executable(
        "import os, signal, time\n"
        "def end(*_):\n    os.write(1, b'w' * 60_000)\n    os.write(2, b'w' * 60_000)\n"
        "    os.write(1, b'w' * 60_000)\n    os._exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('begun', flush=True)\ntime.sleep(300)\n"
    )
    launcher = stage.start()
    read_until(launcher, b"begun")

    launcher.send_signal(signal.SIGTERM)

    assert ended(launcher) == 143
    assert stage.log().count(b"w") == 120_000
    assert stage.log("stderr").count(b"w") == 60_000
    assert stage.done["problems"] == []


def test_a_harness_that_will_not_end_is_killed_before_the_grace_period_is_over(
    stage: Stage,
) -> None:
    stage.env |= {
        "FAKE_HARNESS_SECONDS": "300",
        "FAKE_HARNESS_IGNORE_TERM": "1",
        "LLMDBENCHD_GRACE_SECONDS": "1.5",
    }
    launcher = stage.start()
    read_until(launcher, BEGUN)

    launcher.send_signal(signal.SIGTERM)

    assert ended(launcher) == 143
    assert stage.done["signal"] == 9
    assert_proven(stage.results)


@pytest.mark.slow
def test_asking_a_second_time_shortens_the_wait(stage: Stage) -> None:
    stage.env |= {
        "FAKE_HARNESS_SECONDS": "300",
        "FAKE_HARNESS_IGNORE_TERM": "1",
        "LLMDBENCHD_GRACE_SECONDS": "3000",
    }
    launcher = stage.start()
    read_until(launcher, BEGUN)

    launcher.send_signal(signal.SIGTERM)
    read_until(launcher, b"has 2990 s to end", stderr=True)
    launcher.send_signal(signal.SIGTERM)

    assert ended(launcher) == 143
    assert stage.done["signal"] == 9


def test_an_interrupt_at_a_terminal_asks_the_harness_once_and_gently(stage: Stage) -> None:
    stage.executable(
        "#!/bin/bash\ntrap 'echo int' INT\ntrap 'echo term; exit 3' TERM\necho begun\n"
        "sleep 300 & wait; wait\n"
    )
    launcher = subprocess.Popen(
        ["setsid", *stage.python, str(LAUNCH)], env=stage.env, stdout=subprocess.PIPE
    )
    read_until(launcher, b"begun")

    os.killpg(launcher.pid, signal.SIGINT)  # as the terminal does, to the whole group

    assert ended(launcher) == 130
    assert stage.log() == b"begun\nterm\n"
    assert stage.done["harness_rc"] == 3


def test_asked_before_the_harness_starts_it_never_starts(stage: Stage) -> None:
    stage.script(
        "import os, signal\nfrom llmdbenchd.payload.contract import Command\n"
        "def prepare(context):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return Command(['inference-perf', '-c', context.profile], context.env, '/')\n"
    )

    assert stage.run().returncode == 143
    assert stage.times_started == 0
    assert stage.kinds == ["stopped early"]
    assert (stage.done["stopped"], stage.done["started"]) == (True, None)
    assert_proven(stage.results)


def test_a_shell_that_dies_of_the_signal_leaves_its_child_time_to_end_well(stage: Stage) -> None:
    stage.executable(
        "#!/bin/sh\n"
        'bash -c \'trap "sleep 0.3; echo child saved; exit 0" TERM;'
        " echo begun; sleep 300 & wait'\n"
        "echo never\n"
    )
    launcher = stage.start()
    read_until(launcher, b"begun")

    launcher.send_signal(signal.SIGTERM)

    assert ended(launcher) == 143
    assert stage.log() == b"begun\nchild saved\n"
    assert stage.done["problems"] == []
    assert_proven(stage.results)


def test_a_signal_while_the_proof_is_written_changes_nothing(stage: Stage) -> None:
    stage.script(
        "import os, signal\nfrom llmdbenchd.payload.contract import Command\n"
        "def prepare(context):\n"
        "    return Command(['true'], context.env, '/')\n"
        "def finish(context, rc):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return {'rc': rc}\n"
    )

    assert stage.run().returncode == 0
    assert stage.done["stopped"] is False
    assert stage.done["facts"]["rc"] == 0
    assert_proven(stage.results)


def test_where_nobody_can_send_a_signal_a_file_asks_it_to_end(stage: Stage) -> None:
    stop = stage.folder / "stop"
    stage.env |= {"FAKE_HARNESS_SECONDS": "300", "LLMDBENCHD_STOP_FILE": str(stop)}
    launcher = stage.start()
    read_until(launcher, BEGUN)

    stop.touch()

    assert ended(launcher) == 143
    assert stage.done["stopped"] is True
    assert_proven(stage.results)


def test_a_stop_file_that_was_there_before_keeps_the_harness_from_starting(stage: Stage) -> None:
    (stage.folder / "stop").touch()
    stage.env["LLMDBENCHD_STOP_FILE"] = str(stage.folder / "stop")

    assert stage.run().returncode == 143
    assert stage.times_started == 0
