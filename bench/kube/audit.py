"""What was asked of the API server, by its own account."""

import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SETTLED_S = 1.0  # streams that were left open a moment ago are written down when they end


@dataclass(frozen=True, slots=True)
class Audit:
    """The log that a cluster started with `--measured` writes."""

    file: Path

    def mark(self) -> int:
        """The place from which `since` counts."""
        return self.file.stat().st_size

    def since(self, mark: int, program: str) -> Counter[str]:
        """Requests answered since then to a program, by verb and resource.

        Args:
            mark: see `mark`.
            program: how its user agent begins.
        """
        time.sleep(SETTLED_S)
        with self.file.open("rb") as file:
            file.seek(mark)
            told = [json.loads(line) for line in file if line.endswith(b"\n")]
        return Counter(_kind(one) for one in told if one.get("userAgent", "").startswith(program))


def _kind(one: dict[str, object]) -> str:
    about = one.get("objectRef")
    if not isinstance(about, dict):
        return f"{one['verb']} {str(one['requestURI']).partition('?')[0]}"
    parts = (about.get("resource"), about.get("subresource"))
    return f"{one['verb']} {'/'.join(str(part) for part in parts if part)}"


def spelt(counts: Counter[str], runs: int) -> str:
    """The kinds, the most frequent first, each with how many of it one run has."""
    return ", ".join(f"{round(count / runs, 1):g} {kind}" for kind, count in counts.most_common())


def utc(seconds: float) -> str:
    """A moment as the API writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
