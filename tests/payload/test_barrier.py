"""Launchers of one attempt begin together, or say who did not come; no daemon has a part in it."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from llmdbenchd.payload.barrier import GO, READY, Barrier, Told
from llmdbenchd.payload.contract import Code, Refusal
from tests.payload.stage import Stage


def never() -> bool:
    return False


def after(looks: int) -> Callable[[], bool]:
    """Asked to end after so many looks."""
    left = iter(range(looks))
    return lambda: next(left, None) is None


def barrier(folder: Path, index: int, count: int = 3, patience_s: float = 60) -> Barrier:
    return Barrier(str(folder / "deep" / "barrier"), index, count, patience_s)


def test_nobody_starts_before_all_are_there_and_the_last_takes_the_folder_away(
    tmp_path: Path,
) -> None:
    started: list[int] = []

    def launch(index: int) -> None:
        barrier(tmp_path, index).wait(never)
        started.append(index)

    threads = [threading.Thread(target=launch, args=(index,)) for index in (1, 2)]
    for thread in threads:
        thread.start()
    first = barrier(tmp_path, 3)
    while not (tmp_path / "deep/barrier").exists() or first.missing() != [3]:
        pass
    assert started == []
    first.wait(never)
    for thread in threads:
        thread.join()

    assert sorted(started) == [1, 2]
    assert list((tmp_path / "deep").iterdir()) == []


def test_who_did_not_come_is_named(tmp_path: Path) -> None:
    barrier(tmp_path, 2).arrive()

    with pytest.raises(Refusal) as told:
        barrier(tmp_path, 1, patience_s=0).wait(never)

    assert (told.value.kind, told.value.code) == ("timeout: barrier", Code.NO_BARRIER)
    assert told.value.sentence == "not all 3 launchers were ready after 0 s: 3 did not come"


def test_a_launcher_that_cannot_start_arrives_and_keeps_nobody(tmp_path: Path) -> None:
    for index in (1, 2):
        barrier(tmp_path, index).arrive()

    barrier(tmp_path, 3).wait(never)


def test_who_waits_can_be_asked_to_end(tmp_path: Path) -> None:
    waiting = barrier(tmp_path, 1)

    waiting.wait(after(2))

    assert waiting.missing() == [2, 3]
    assert waiting.waited_s > 0


def test_one_launcher_alone_waits_for_nobody(tmp_path: Path) -> None:
    alone = barrier(tmp_path, 1, count=1)
    alone.arrive()
    alone.wait(never)
    alone.leave()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file")

    with pytest.raises(Refusal, match="cannot be used"):
        barrier(tmp_path, 1).wait(never)


def test_a_folder_that_goes_while_we_leave_is_no_trouble(tmp_path: Path) -> None:
    barrier(tmp_path, 1).leave()


def test_the_environment_names_it() -> None:
    env = {
        "LLMDBENCHD_BARRIER": "2/3",
        "LLMDBENCHD_BARRIER_DIR": "/x",
        "LLMDBENCHD_BARRIER_SECONDS": "5",
    }
    named = Barrier.of(env)

    assert (named.folder, named.index, named.count, named.patience_s) == ("/x", 2, 3, 5.0)
    assert Barrier.of({}).folder == ""
    assert (Barrier.of({}).later_s, named.later_s) == (0, 0)
    assert Barrier.of({"LLMDBENCHD_STAGGER_SECONDS": "30"}).later_s == 30
    with pytest.raises(Refusal, match="no barrier"):
        Barrier.of({"LLMDBENCHD_BARRIER": "x/3"})
    with pytest.raises(Refusal, match="no barrier"):
        Barrier.of({"LLMDBENCHD_STAGGER_SECONDS": "soon"})


def test_who_is_to_begin_later_waits_from_the_moment_that_all_are_there(tmp_path: Path) -> None:
    barrier(tmp_path, 1, count=2).arrive()
    second = Barrier(str(tmp_path / "deep" / "barrier"), 2, 2, 60, later_s=0.2)
    begun = time.monotonic()

    second.wait(never)

    assert time.monotonic() - begun >= 0.2


def test_who_is_to_begin_later_can_be_asked_to_end_before() -> None:
    Barrier("", 2, 2, 60, later_s=3600).wait(after(2))


def stages(tmp_path: Path, count: int) -> list[Stage]:
    """Launchers of one attempt, each in a world of its own but for the barrier."""
    made = []
    for index in range(1, count + 1):
        folder = tmp_path / str(index)
        folder.mkdir()
        one = Stage(folder)
        one.env |= {
            "LLMDBENCHD_BARRIER": f"{index}/{count}",
            "LLMDBENCHD_BARRIER_DIR": str(tmp_path / "barrier"),
        }
        made.append(one)
    return made


def test_real_launchers_load_only_when_all_of_them_are_ready(tmp_path: Path) -> None:
    first, second = stages(tmp_path, 2)
    early = first.start()
    while not (tmp_path / "barrier" / "1").exists():
        assert early.poll() is None
    assert first.times_started == 0

    assert second.run().returncode == 0
    early.communicate()

    assert (early.returncode, first.times_started, second.times_started) == (0, 1, 1)
    assert first.done["facts"]["barrier_s"] > 0
    assert not (tmp_path / "barrier").exists()


def test_real_launchers_of_a_staggered_load_begin_one_after_the_other(tmp_path: Path) -> None:
    first, second = stages(tmp_path, 2)
    second.env["LLMDBENCHD_STAGGER_SECONDS"] = "1.5"
    late = second.start()
    launched = time.time()
    assert first.run().returncode == 0
    late.communicate()

    begun = datetime.fromisoformat(second.done["started"]).timestamp()
    assert (late.returncode, second.done["facts"]["stagger_s"]) == (0, 1.5)
    assert begun >= int(launched + 1.5), "whole seconds"


def test_a_real_launcher_whose_others_do_not_come_says_who_and_loads_nothing(
    tmp_path: Path,
) -> None:
    first, _ = stages(tmp_path, 2)
    first.env["LLMDBENCHD_BARRIER_SECONDS"] = "0.1"

    assert first.run().returncode == Code.NO_BARRIER
    assert (first.times_started, first.kinds) == (0, ["timeout: barrier"])


def test_a_real_launcher_that_cannot_start_lets_the_other_one_go(tmp_path: Path) -> None:
    """With keep_going the others finish: they must not wait for who never comes."""
    first, second = stages(tmp_path, 2)
    first.profile.unlink()

    assert first.run().returncode == Code.NO_PROFILE
    assert second.run().returncode == 0
    assert not (tmp_path / "barrier").exists()


def test_a_real_launcher_that_waits_can_be_asked_to_end(tmp_path: Path) -> None:
    first, _ = stages(tmp_path, 2)
    waiting = first.start()
    while not (tmp_path / "barrier" / "1").exists():
        assert waiting.poll() is None
    waiting.terminate()
    waiting.communicate()

    assert (waiting.returncode, first.kinds) == (143, ["stopped early"])


def held(stage: Stage, folder: Path) -> None:
    """Let the launcher wait for a word in a folder of its own."""
    folder.mkdir()
    stage.env |= {"LLMDBENCHD_BARRIER": "1/2", "LLMDBENCHD_BARRIER_ROOT": str(folder)}


def test_a_real_launcher_without_a_common_folder_waits_for_the_word(
    stage: Stage, tmp_path: Path
) -> None:
    folder = tmp_path / "own"
    held(stage, folder)
    waiting = stage.start()
    while not (folder / READY).exists():
        assert waiting.poll() is None
    assert stage.times_started == 0

    (folder / GO).touch()
    waiting.communicate()

    assert (waiting.returncode, stage.times_started) == (0, 1)
    assert stage.done["facts"]["barrier_s"] > 0


def test_a_real_launcher_that_is_never_told_ends_with_a_named_time_out(
    stage: Stage, tmp_path: Path
) -> None:
    held(stage, tmp_path / "own")
    stage.env["LLMDBENCHD_BARRIER_SECONDS"] = "0.1"

    assert stage.run().returncode == Code.NO_BARRIER
    assert (stage.times_started, stage.kinds) == (0, ["timeout: barrier"])
    assert "the daemon is away" in stage.done["problems"][0]["detail"]


def test_a_real_launcher_that_cannot_start_says_that_it_is_ready_all_the_same(
    stage: Stage, tmp_path: Path
) -> None:
    held(stage, tmp_path / "own")
    stage.profile.unlink()

    assert stage.run().returncode == Code.NO_PROFILE
    assert (tmp_path / "own" / READY).exists()


def test_a_real_launcher_that_waits_for_the_word_can_be_asked_to_end(
    stage: Stage, tmp_path: Path
) -> None:
    held(stage, tmp_path / "own")
    waiting = stage.start()
    while not (tmp_path / "own" / READY).exists():
        assert waiting.poll() is None
    waiting.terminate()
    waiting.communicate()

    assert (waiting.returncode, stage.kinds) == (143, ["stopped early"])


def test_a_launcher_alone_waits_for_no_word(tmp_path: Path) -> None:
    alone = Told(str(tmp_path), 1, 1, 0)
    alone.arrive()
    alone.wait(never)

    assert list(tmp_path.iterdir()) == []
