"""Which launchers wait for our word: those that no folder brings together."""

from dataclasses import replace

import pytest

from tests.fakes.jobs import accepted

TWO, OWN = {"parallelism": 2}, {"mode": "ephemeral"}


@pytest.mark.parametrize(
    ("engine", "harness", "storage", "held"),
    [
        ("kubernetes", TWO, OWN, True),
        ("kubernetes", TWO, {}, False),
        ("kubernetes", {}, OWN, False),
        ("local", TWO, OWN, False),
        ("kubernetes", {"name": "nop", **TWO}, OWN, False),
    ],
)
def test_launchers_with_disks_of_their_own_on_a_cluster(
    engine: str, harness: dict[str, object], storage: dict[str, str], *, held: bool
) -> None:
    job = accepted(harness=harness, storage=storage)

    assert replace(job, engine=engine).limits.held is held
