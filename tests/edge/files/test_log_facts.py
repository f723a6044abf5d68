"""What a followed log says of itself."""

from pathlib import Path

from llmdbenchd.core.results.document import LogGap
from llmdbenchd.edge.files.evidence import log_facts
from llmdbenchd.kit.stamps import ROTATED, Gap, mark


def test_the_gaps_that_are_marked_in_a_log_are_facts_of_it(tmp_path: Path) -> None:
    log = tmp_path / "launcher-1.log"
    lost = mark(Gap("2026-11-24T12:00:00.000000000Z", "2026-11-24T12:00:09.000000000Z"))
    log.write_bytes(b"2026-11-24T12:00:00.000000000Z last\n" + lost + b"no end")

    facts = log_facts(log)

    assert facts.size == log.stat().st_size
    assert facts.gaps == (
        LogGap("2026-11-24T12:00:00.000000000Z", "2026-11-24T12:00:09.000000000Z", ROTATED),
    )
