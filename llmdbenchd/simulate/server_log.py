"""Writes the log of the stand-in server, each line at its time."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TextIO

from llmdbenchd.simulate.load import Load
from llmdbenchd.simulate.load_log import load_beats
from llmdbenchd.simulate.pace import until
from llmdbenchd.simulate.vllm_lines import Beat, LineForm, Speaker
from llmdbenchd.simulate.wordings import Filling, Wordings


class LoadFailed(Exception):
    """The start failed as it was asked to; the log has told how."""


class ServerLog:
    """The log of one server, in the wording of `load`."""

    def __init__(self, load: Load, stream: TextIO, wall_clock: Callable[[], float]) -> None:
        """Make a log.

        Args:
            load: whose wording, and what its start is like.
            stream: where lines go, at once.
            wall_clock: seconds since 1970.
        """
        self.wordings = Wordings(load.version)
        self._load = load
        self._form = LineForm(self.wordings, milliseconds=load.debug)
        self._stream = stream
        self._wall_clock = wall_clock

    async def load(self, *, model: str, max_model_len: int) -> None:
        """Write the start up to the moment at which the server listens.

        Raises:
            LoadFailed: as it was asked to.
        """
        begun = asyncio.get_running_loop().time()
        for beat in load_beats(self._load, model=model, max_model_len=max_model_len):
            await until(begun + beat.at_s)
            self._write(beat)
        if self._load.fail is not None:
            raise LoadFailed(str(self._load.fail))
        self._print(f"Started server process [{self._form.pid(Speaker.FRONT)}]")
        self._print("Waiting for application startup.")

    def listening(self) -> None:
        """The server listens: it is ready."""
        self._print("Application startup complete.")

    def stopping(self) -> None:
        """The server was asked to stop."""
        self._print("Shutting down")

    def say(
        self,
        speaker: Speaker,
        mark: str,
        told: Mapping[str, float] | None = None,
        filling: Filling | None = None,
    ) -> None:
        """Write a message that belongs to no start, if this version has one."""
        said = self.wordings.say(mark, told, filling or Filling())
        if said is not None:
            self._write(Beat(0.0, speaker, "INFO", said.text, said.values, mark))

    def _write(self, beat: Beat) -> None:
        print(beat.line(self._form, self._wall_clock()), file=self._stream, flush=True)

    def _print(self, text: str) -> None:
        """A line of the web server."""
        self._write(Beat(0.0, Speaker.FRONT, "", f"INFO:     {text}"))
