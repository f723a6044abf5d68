"""What the command line reads about the running daemon: one small file, replaced in place."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from llmdbenchd.core.run.moment import Moment

NAME = "status.json"
EVERY_S = 5.0


def pid_namespace() -> str:
    """Where our process ids mean something, or empty where the kernel does not say."""
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


@dataclass(slots=True)
class StatusFile:
    """Written when something changed, and every few seconds as a sign of life.

    It is told, not remembered: no fsync, and nobody decides anything by it.
    """

    state: Path
    started: datetime
    _told: Mapping[str, object] = field(default_factory=dict)
    _at: Moment | None = None

    def publish(self, status: Mapping[str, object], now: Moment) -> None:
        """Write `status` if it is news, or if the last writing is old."""
        if status == self._told and self._at is not None and self._at.until(now) < EVERY_S:
            return
        document = {
            "version": 1,
            "pid": os.getpid(),
            "pid_namespace": pid_namespace(),
            "started": self.started.isoformat(),
            "written": now.utc.isoformat(),
            **status,
        }
        path = self.state / NAME
        temporary = path.with_name(f".{NAME}.tmp")
        with suppress(OSError):  # a full disk has its own alarm
            temporary.write_text(json.dumps(document), encoding="utf-8")
            temporary.replace(path)
        self._told, self._at = dict(status), now
