"""Messages -> lines as a version of vLLM forms them: process, level, stamp, place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from llmdbenchd.simulate.wordings import Wordings


class Speaker(StrEnum):
    """Which process writes a line."""

    FRONT = "front"
    ENGINE = "engine"


_PIDS = {Speaker.FRONT: 1, Speaker.ENGINE: 84}
_PLACES = {Speaker.FRONT: "api_server.py:1272", Speaker.ENGINE: "gpu_worker.py:298"}
_ENGINE_NAMES = (("0.18.1", "EngineCore"), ("0.10.2", "EngineCore_DP0"), ("0.10.1", "EngineCore_0"))
_MILLISECONDS = -3


@dataclass(frozen=True, slots=True)
class LineForm:
    """How lines look.

    Attributes:
        milliseconds: whether stamps have them, as a logging configuration of the user's can ask.
    """

    wordings: Wordings
    milliseconds: bool = False

    def record(self, speaker: Speaker, level: str, message: str, wall_s: float) -> str:
        """A record; `wall_s` is seconds since 1970, the stamp is UTC as in most pods."""
        moment = datetime.fromtimestamp(wall_s, UTC)
        stamp = moment.strftime("%m-%d %H:%M:%S")
        if self.milliseconds:
            stamp += moment.strftime(".%f")[:_MILLISECONDS]
        opening = "[" if self.wordings.since("0.8.0") else ""
        return f"{self._prefix(speaker)}{level} {stamp} {opening}{_PLACES[speaker]}] {message}"

    def plain(self, speaker: Speaker, text: str) -> str:
        """What is printed and not logged: a web server's line, an interpreter's traceback."""
        wraps_all = self.wordings.since("0.10.1") and not self.wordings.since("0.31")
        return f"{self._prefix(speaker) if wraps_all else ''}{text}"

    def pid(self, speaker: Speaker) -> int:
        """Of its process."""
        return _PIDS[speaker]

    def _prefix(self, speaker: Speaker) -> str:
        engine = next((name for since, name in _ENGINE_NAMES if self.wordings.since(since)), "")
        if not engine:
            return ""
        name = engine if speaker is Speaker.ENGINE else "APIServer"
        return f"({name} pid={_PIDS[speaker]}) "


@dataclass(frozen=True, slots=True)
class Beat:
    """One line.

    Attributes:
        at_s: after the first line.
        level: empty = it is printed, not logged.
        values: by name, that it tells.
        mark: the moment that it marks, if any.
    """

    at_s: float
    speaker: Speaker
    level: str
    text: str
    values: Mapping[str, float] = field(default_factory=dict)
    mark: str = ""

    def line(self, form: LineForm, wall_s: float) -> str:
        """As it is written at a time of the wall clock, in seconds since 1970."""
        if not self.level:
            return form.plain(self.speaker, self.text)
        return form.record(self.speaker, self.level, self.text, wall_s)
