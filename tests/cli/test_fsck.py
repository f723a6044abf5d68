"""`fsck` compares what there is, removes the least, and never beside a running daemon."""

import shutil

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.edge.files.locks import Held, queue_lock
from tests.cli.fsck_home import Audited, locked
from tests.cli.home import Home


@pytest.fixture
def audited(home: Home, monkeypatch: pytest.MonkeyPatch) -> Audited:
    monkeypatch.setenv("LLMDBENCHD_ENGINE", "local")
    return Audited(home)


def test_where_all_tell_the_same_nothing_is_said_and_nothing_is_made(audited: Audited) -> None:
    before = sorted(audited.home.state.rglob("*"))

    said = audited.call()

    assert (said.code, said.out) == (0, "1 runs, 0 objects, 1 archives: no differences\n")
    assert sorted(audited.home.state.rglob("*")) == before


def test_a_launcher_that_was_left_behind_goes_when_asked_for(audited: Audited) -> None:
    folder = audited.launcher("r001")

    [told] = audited.differences()
    assert (told["kind"], told["removable"], told["mended"]) == ("left behind", True, False)
    assert folder.exists()

    [done] = audited.differences("--repair", code=0)
    assert (done["mended"], done["left"]) == (True, None)
    assert not folder.exists()
    assert audited.kinds(code=0) == []


def test_an_orphan_goes_and_a_terminal_is_told_so(audited: Audited) -> None:
    folder = audited.launcher("r009")

    told = audited.call()
    assert told.code == 1
    assert f"orphan: {folder.name} (local)\n" in told.out
    assert "-> `llmdbenchd fsck --repair` removes it" in told.out

    done = audited.call("--repair")
    assert done.code == 0
    assert "-> removed" in done.out
    assert "no differences, 1 mended" in done.out


@pytest.mark.parametrize("ended", [True, False])
def test_a_launcher_of_a_bad_record_stays(audited: Audited, *, ended: bool) -> None:
    audited.keep("r002", Phase.RUNNING)
    (audited.home.state / "jobs/j/runs/r002.json").write_text("{")
    folder = audited.launcher("r002", ended=ended)

    assert audited.kinds("--repair") == ["unreadable record", "orphan"]
    assert folder.exists()


def test_a_record_that_was_set_aside_is_named_with_its_file(audited: Audited) -> None:
    runs = audited.home.state / "jobs/j/runs"
    (runs / "r002.json.bad").write_text("{")

    [told] = audited.differences()

    assert told["what"] == "j/r002"
    assert str(runs / "r002.json.bad") in told["detail"]


def test_a_launcher_that_runs_is_never_removed(audited: Audited) -> None:
    folder = audited.launcher("r009", ended=False)

    with locked(folder / "lock"):
        [told] = audited.differences("--repair")

    assert told["left"] == "it has not ended"
    assert folder.exists()


def test_a_launcher_whose_shim_died_is_left_to_a_daemon(audited: Audited) -> None:
    folder = audited.launcher("r009", ended=False)

    [told] = audited.differences("--repair")

    assert "nobody can tell" in told["left"]
    assert folder.exists()


def test_a_launcher_that_was_never_started_goes(audited: Audited) -> None:
    folder = audited.launcher("r009", ended=False, started=False)

    assert audited.kinds("--repair", code=0) == ["orphan"]
    assert not folder.exists()


def test_a_launcher_that_a_run_counts_on_is_missed(audited: Audited) -> None:
    audited.keep("r002", Phase.RUNNING, seen=(1,))

    assert audited.kinds() == ["missing launcher"]


def test_a_finished_run_without_its_archive_is_told(audited: Audited) -> None:
    shutil.rmtree(audited.home.archive / "j/r001")
    folder = audited.launcher("r001")

    assert audited.kinds("--repair") == ["left behind", "not archived"]
    assert folder.exists(), "it may hold the only copy"


def test_an_archive_that_was_changed_is_found_and_keeps_its_launcher(audited: Audited) -> None:
    folder = audited.launcher("r001")
    file = audited.home.archive / "j/r001/results/1/stage.json"
    file.chmod(0o640)
    file.write_text("[]")

    assert audited.kinds("--repair") == ["left behind", "archive not whole"]
    assert folder.exists()


def test_hashing_may_be_left_out_but_not_before_something_is_removed(audited: Audited) -> None:
    file = audited.home.archive / "j/r001/results/1/stage.json"
    file.chmod(0o640)
    file.write_text("[]")

    assert audited.kinds("--quick", code=0) == []
    with pytest.raises(SystemExit, match="2"):
        audited.call("--quick", "--repair")


def test_an_archive_without_a_record_is_told_unless_jobs_are_tidied_away(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(audited.home.state / "jobs/j")
    assert audited.kinds() == ["archive without record"]

    monkeypatch.setenv("LLMDBENCHD_KEEP_DAYS", "30")
    assert audited.kinds(code=0) == []


def test_what_was_half_made_is_told(audited: Audited) -> None:
    (audited.home.archive / ".incoming/j/r001/attempts").mkdir(parents=True)
    (audited.home.state / "jobs/.new-x").mkdir()
    (audited.home.state / "local/.staging-y/z").mkdir(parents=True)
    (audited.home.state / "local/.staging-empty").mkdir()

    assert audited.kinds() == ["half made"] * 3


def test_a_job_whose_specification_is_torn_is_told(audited: Audited) -> None:
    (audited.home.state / "jobs/j/spec.json").write_text("{")

    [told] = audited.differences()

    assert (told["kind"], told["what"]) == ("unreadable job", "j")


def test_beside_a_daemon_only_what_stays_different_is_told(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, late = audited.launcher("r008"), audited.launcher("r009")

    async def meanwhile(_: float) -> None:
        shutil.rmtree(late)
        audited.launcher("r010")

    monkeypatch.setattr("llmdbenchd.cli.fsck.asyncio.sleep", meanwhile)
    with audited.daemon():
        [told] = audited.differences()

    assert told["what"] == folder.name


def test_beside_a_daemon_what_it_is_making_is_no_difference(audited: Audited) -> None:
    (audited.home.state / "jobs/.new-x").mkdir()
    (audited.home.state / "local/.staging-y/z").mkdir(parents=True)

    with audited.daemon():
        assert audited.kinds(code=0) == []


def test_beside_a_daemon_nothing_is_repaired(audited: Audited) -> None:
    folder = audited.launcher("r001")

    with audited.daemon():
        said = audited.call("--repair")

    assert said.code == 1
    assert "stop it first" in said.err
    assert folder.exists()


def test_no_daemon_can_start_while_something_is_repaired(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited.launcher("r001")
    tries: list[str] = []

    def remove(*_: object) -> None:
        with pytest.raises(Held), queue_lock(audited.home.queue):
            pass
        tries.append("held")

    monkeypatch.setattr("llmdbenchd.edge.local.inventory.remove", remove)
    audited.call("--repair")

    assert tries == ["held"]


def test_without_a_queue_nothing_can_be_found_out(audited: Audited) -> None:
    shutil.rmtree(audited.home.queue)

    assert audited.call().code == 3
