"""What becomes of a file that was found whole."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from llmdbenchd.edge.files import rejecting, taking
from llmdbenchd.edge.files.claims import Claims, Duplicate, plain_stem, submitted_id
from llmdbenchd.edge.files.durable import publish
from llmdbenchd.edge.files.inbox import Ready, _look_at, prepare_queue
from llmdbenchd.edge.files.kernel import Writer
from llmdbenchd.ports import Unavailable
from tests.edge.files.faults import FULL, fault


class Ticking:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    prepare_queue(tmp_path / "queue")
    return tmp_path / "queue"


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def claims(tmp_path: Path, queue: Path, clock: Ticking) -> Claims:
    made = Claims(queue, tmp_path / "state", lambda name: f"job-{name.split('.')[0]}", clock)
    made.recover()
    return made


def drop(queue: Path, name: str, text: str = "harness: nop\n") -> Ready:
    (queue / name).write_text(text, encoding="utf-8")
    return whole(queue, name)


def whole(queue: Path, name: str) -> Ready:
    look = _look_at(queue / name)
    assert look is not None
    return Ready(name, look)


def test_a_taken_file_is_read_once_and_its_owner_is_known(claims: Claims, queue: Path) -> None:
    (one,) = claims.take([drop(queue, "x.yaml")]).taken
    (queue / ".taken" / "job-x.yaml").write_text("something else", encoding="utf-8")
    assert (one.job, one.data) == ("job-x", b"harness: nop\n")
    assert one.origin.uid == os.getuid()
    assert one.origin.name == "x.yaml"
    assert not (queue / "x.yaml").exists()


def test_a_committed_job_folder_is_whole_and_the_claim_is_gone(
    claims: Claims, queue: Path, tmp_path: Path
) -> None:
    (one,) = claims.take([drop(queue, "x.yaml")]).taken
    claims.commit(one, {"spec.json": b"{}", "runs/a.json": b"1"})
    folder = tmp_path / "state" / "jobs" / "job-x"
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert files == {"job.yaml", "origin.json", "spec.json", "runs/a.json"}
    assert (folder / "job.yaml").read_bytes() == one.data
    assert list((queue / ".taken").iterdir()) == []


def test_committing_the_same_file_again_does_nothing(claims: Claims, queue: Path) -> None:
    (one,) = claims.take([drop(queue, "x.yaml")]).taken
    claims.commit(one, {}, job="mine")
    claims.commit(one, {}, job="mine")


def test_a_claim_that_was_committed_before_a_crash_is_not_handed_out_again(
    claims: Claims, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = claims.take([drop(queue, "x.yaml")]).taken

    def refused(path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        claims.commit(one, {})
    assert (queue / ".taken" / "job-x.yaml").exists()
    after = Claims(queue, claims.state, claims.name_job)
    after.recover()
    assert after.take([]).taken == ()
    assert not (queue / ".taken" / "job-x.yaml").exists()


def test_a_file_that_appears_among_the_rejected_meanwhile_is_not_replaced(
    claims: Claims, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = claims.take([drop(queue, "x.yaml")]).taken

    def and_then_somebody(path: Path, data: bytes, *, mode: int) -> None:
        publish(path, data, mode=mode)
        (queue / "rejected" / "x.yaml").write_text("theirs", encoding="utf-8")

    monkeypatch.setattr(rejecting, "publish", and_then_somebody)
    assert claims.reject(one, "no").name == "x.1.yaml"
    assert (queue / "rejected" / "x.yaml").read_text(encoding="utf-8") == "theirs"
    assert not (queue / "rejected" / "x.yaml.why").exists()


def test_an_exact_copy_dropped_later_with_a_known_id_is_a_duplicate(
    claims: Claims, queue: Path, tmp_path: Path
) -> None:
    first = drop(queue, "x.yaml")
    original = tmp_path / "x.yaml"
    shutil.copy2(queue / "x.yaml", original)
    (one,) = claims.take([first]).taken
    claims.commit(one, {}, job="mine")
    shutil.copy2(original, queue / "x.yaml")
    (again,) = claims.take([whole(queue, "x.yaml")]).taken
    with pytest.raises(Duplicate, match=r"the id mine is already known \(dropped as x.yaml by"):
        claims.commit(again, {}, job="mine")
    claims.reject(again, "known")
    assert (queue / "rejected" / "x.yaml").exists()


def test_two_files_of_one_group_cannot_share_an_id(claims: Claims, queue: Path) -> None:
    taken = claims.take([drop(queue, "a.yaml"), drop(queue, "b.yaml")]).taken
    claims.commit(taken[0], {}, job="mine")
    with pytest.raises(Duplicate):
        claims.commit(taken[1], {}, job="mine")


def test_a_rejected_file_never_replaces_an_earlier_one(claims: Claims, queue: Path) -> None:
    paths = []
    for text in ("one", "two", "three"):
        (taken,) = claims.take([drop(queue, "x.yaml", text)]).taken
        paths.append(claims.reject(taken, f"why {text}"))
    assert [path.name for path in paths] == ["x.yaml", "x.1.yaml", "x.2.yaml"]
    assert [path.read_text(encoding="utf-8") for path in paths] == ["one", "two", "three"]
    whys = [path.with_name(f"{path.name}.why").read_text(encoding="utf-8") for path in paths]
    assert whys == ["why one\n", "why two\n", "why three\n"]


def test_a_name_of_the_longest_kind_can_be_rejected(claims: Claims, queue: Path) -> None:
    name = "x" * 250 + ".yaml"
    claims.name_job = lambda _: "long"
    (taken,) = claims.take([drop(queue, name)]).taken
    assert claims.reject(taken, "no").exists()


def test_what_is_no_regular_file_is_rejected_with_a_word_why(claims: Claims, queue: Path) -> None:
    secret = queue.parent / "secret"
    secret.write_text("password", encoding="utf-8")
    (queue / "link.yaml").symlink_to(secret)
    os.mkfifo(queue / "pipe.yaml")
    (queue / "two.yaml").hardlink_to(secret)
    drop(queue, "large.yaml", "x" * (taking.SIZE_CAP + 1))
    names = ("link.yaml", "pipe.yaml", "two.yaml", "large.yaml")
    batch = claims.take([whole(queue, name) for name in names])
    assert batch.taken == ()
    assert {one.name for one in batch.rejected} == set(names)
    whys = {one.name: one.why for one in batch.rejected}
    assert "symbolic link" in whys["link.yaml"]
    assert "not a regular file" in whys["pipe.yaml"]
    assert "hard link" in whys["two.yaml"]
    assert "more than the 1048576" in whys["large.yaml"]
    assert (queue / "rejected" / "link.yaml").is_symlink()
    assert "password" not in "".join(whys.values())


def test_a_file_that_somebody_took_first_is_passed_over(claims: Claims, queue: Path) -> None:
    gone, there = drop(queue, "a.yaml"), drop(queue, "b.yaml")
    (queue / "a.yaml").unlink()
    assert [one.job for one in claims.take([gone, there]).taken] == ["job-b"]


def test_a_second_file_of_the_same_id_waits_until_the_first_is_done(
    claims: Claims, queue: Path
) -> None:
    claims.name_job = lambda _: "same"
    (first,) = claims.take([drop(queue, "a.yaml", "one")]).taken
    assert claims.take([drop(queue, "b.yaml", "two")]).taken == ()
    assert (queue / "b.yaml").exists()
    claims.commit(first, {})
    (second,) = claims.take([whole(queue, "b.yaml")]).taken
    with pytest.raises(Duplicate):
        claims.commit(second, {})


def test_a_file_written_to_after_it_was_found_whole_waits_until_it_is_quiet(
    claims: Claims, queue: Path, clock: Ticking
) -> None:
    ready = drop(queue, "x.yaml", "half")
    (queue / "x.yaml").write_text("half and ", encoding="utf-8")
    assert claims.take([ready]).taken == ()
    with (queue / ".taken" / "job-x.yaml").open("a", encoding="utf-8") as late:
        late.write("whole")
    clock.now = 1.9
    assert claims.take([]).taken == ()
    clock.now = 3.8
    assert claims.take([]).taken == ()
    clock.now = 3.9
    assert [one.data for one in claims.take([]).taken] == [b"half and whole"]


def test_a_file_that_is_still_open_for_writing_waits_for_its_close(
    claims: Claims, queue: Path, clock: Ticking
) -> None:
    ready = drop(queue, "x.yaml")
    with (queue / "x.yaml").open("r+b") as writer:
        if whole(queue, "x.yaml").look.writer is not Writer.OPEN:
            pytest.skip("this filesystem cannot tell")
        clock.now = 60
        assert claims.take([ready]).taken == ()
        writer.write(b"harness: vllm")
    clock.now = 120
    assert claims.take([]).taken == ()  # it changed: it has to be quiet for a while
    clock.now = 122
    assert [one.data for one in claims.take([]).taken] == [b"harness: vllm"]


def test_a_full_disk_leaves_every_claim_to_be_handed_out_later(claims: Claims, queue: Path) -> None:
    ready = [drop(queue, f"{letter}.yaml") for letter in "abc"]
    with fault(2, error=FULL), pytest.raises(Unavailable, match="free space"):
        claims.take(ready)
    rest = [one for one in ready if (queue / one.name).exists()]
    assert {one.job for one in claims.take(rest).taken} == {"job-a", "job-b", "job-c"}


def test_a_file_that_the_daemon_may_not_read_says_so(
    queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = drop(queue, "x.yaml")
    (queue / "x.yaml").chmod(0o600)

    def closed(path: Path, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path), flags)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", closed)
        with pytest.raises(taking.Unfit, match=r"mode 0600\): chmod g\+r it"):
            taking.read_once(queue / "x.yaml", ready.name)


@pytest.mark.parametrize("job", ["", "../x", "A", "-a", "a" * 49, ".new-a"])
def test_an_id_that_is_no_id_never_becomes_a_path(claims: Claims, queue: Path, job: str) -> None:
    (one,) = claims.take([drop(queue, "x.yaml")]).taken
    with pytest.raises(ValueError, match="is no job id"):
        claims.commit(one, {}, job=job or "..")


def test_the_id_in_a_submitted_name_is_kept_and_hidden_from_people() -> None:
    assert submitted_id("chat-20260101t101112-0a1b.yaml") == "chat-20260101t101112-0a1b"
    assert submitted_id("chat.yaml") is None
    assert submitted_id("Chat-20260101t101112-0a1b.yaml") is None
    assert plain_stem("chat-20260101t101112-0a1b.yaml") == "chat"
    assert plain_stem("chat.v2.yaml") == "chat.v2"
