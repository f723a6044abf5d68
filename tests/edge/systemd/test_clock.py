"""The real clock."""

from datetime import UTC, timedelta
from pathlib import Path

from llmdbenchd.edge.clock import BOOT_ID, SystemClock
from llmdbenchd.ports import Clock


def test_it_fits_the_port_and_goes_forward() -> None:
    clock: Clock = SystemClock.of_this_machine()
    first, second = clock.now(), clock.now()

    assert first.boot_s <= second.boot_s
    assert second.until(first) <= 0
    assert first.utc.tzinfo is UTC
    assert first.utc.utcoffset() == timedelta(0)


def test_two_daemons_of_one_boot_share_its_id() -> None:
    ids = {SystemClock.of_this_machine().boot_id, SystemClock.of_this_machine().boot_id}

    assert ids == {BOOT_ID.read_text().strip()}


def test_without_the_kernels_id_no_two_starts_look_like_one_boot(tmp_path: Path) -> None:
    empty = tmp_path / "boot_id"
    empty.write_text("\n")
    ids = [SystemClock.of_this_machine(file).boot_id for file in (empty, tmp_path / "absent")]

    assert len({*ids, "", SystemClock.of_this_machine().boot_id}) == 4
