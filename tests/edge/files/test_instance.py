"""The daemon's own id: made once, kept for ever."""

from pathlib import Path

from llmdbenchd.edge.files.instance import instance_id


def test_it_is_the_same_for_as_long_as_the_state_lives(tmp_path: Path) -> None:
    first = instance_id(tmp_path)

    assert len(first) == 8
    assert instance_id(tmp_path) == first


def test_what_a_kill_in_the_middle_of_its_making_left_goes(tmp_path: Path) -> None:
    (tmp_path / ".d5d1b27ccefa1a79.part").write_bytes(b"d5d1")

    instance_id(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["instance"]
