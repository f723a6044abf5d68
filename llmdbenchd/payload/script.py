"""Harness scripts: stand-alone files, found by the harness's name and asked a few questions.

`prepare(context) -> Command` says what to run. `finish(context, rc) -> dict` says what came
of it: `native_files`, `version`, and whatever else the script knows; `rc` is negative when
a signal ended the harness. `analyse(context)` makes what people read first, in a launcher as a
part of `finish`, and once more where the results have come home to; there
`charts(context) -> Command | None`, which a script need not have, is the program that draws
them. All may raise `Refusal`.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.machinery import SourceFileLoader
from types import ModuleType

from llmdbenchd.payload.contract import Code, Command, Context, Refusal, broken


class Script:
    """What decides how the harness is run.

    Raises:
        Refusal: there is no such script, or it cannot be loaded.
    """

    def __init__(self, context: Context) -> None:
        if not context.script:
            sentence = "LLMDBENCH_HARNESS_NAME is not set: which harness should run?"
            raise Refusal(Code.WRONG_CONTRACT, "wrong contract", sentence)
        self._context = context
        self._path = os.path.join(context.scripts, context.script.replace("-", "_") + ".py")
        if not os.path.isfile(self._path):
            sentence = f"no script for the harness {context.script}: {self._path} is not there"
            raise Refusal(Code.NOT_FOUND, "script missing", sentence)
        self._module = ModuleType("llmdbenchd.payload.harness.script")
        try:
            SourceFileLoader(self._module.__name__, self._path).exec_module(self._module)
        except Exception as error:
            raise self._broken(error) from error

    def prepare(self) -> Command:
        """What is to be run.

        Raises:
            Refusal: nothing can be run.
        """
        try:
            command = self._module.prepare(self._context)
        except Refusal:
            raise
        except Exception as error:
            raise self._broken(error) from error
        if not isinstance(command, Command) or not command.argv:
            answer = TypeError(f"prepare answered {command!r}, not a Command with an argv")
            raise self._broken(answer)
        return command

    def finish(self, rc: int) -> dict[str, object]:
        """Facts about what came of it.

        Raises:
            Refusal: the script failed; the results are what they are.
        """
        try:
            facts: dict[str, object] = dict(self._module.finish(self._context, rc))
        except Refusal:
            raise
        except Exception as error:
            raise self._broken(error) from error
        return facts

    def analyse(self) -> None:
        """Make what people read first, of results that were made elsewhere.

        Raises:
            Refusal: it cannot be written, or the script failed.
        """
        try:
            self._module.analyse(self._context)
        except Refusal:
            raise
        except Exception as error:
            raise self._broken(error) from error

    def charts(self) -> Command | None:
        """What draws the results, if this harness can.

        Raises:
            Refusal: its program is not there, or the script failed.
        """
        if not hasattr(self._module, "charts"):
            return None
        try:
            command: Command | None = self._module.charts(self._context)
        except Refusal:
            raise
        except Exception as error:
            raise self._broken(error) from error
        return command

    def _broken(self, error: Exception) -> Refusal:
        return broken("script broken", self._path, error)


class InPlace:
    """An executable that is run in place of the harness's script."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def prepare(self) -> Command:
        """Run it as it stands; words after it are its arguments, as in the field's `sh -c`.

        Raises:
            Refusal: its quotes are not closed.
        """
        words = [self._context.executable]
        if not os.path.exists(self._context.executable):
            try:
                words = import_module("shlex").split(self._context.executable)
            except ValueError as error:
                sentence = f"LLMDBENCH_HARNESS_EXECUTABLE is {self._context.executable!r}: {error}"
                raise Refusal(Code.WRONG_CONTRACT, "wrong contract", sentence) from error
        return Command(words, dict(self._context.env), self._context.workspace)

    def finish(self, rc: int) -> dict[str, object]:
        """Nothing is known of its results."""
        del rc
        return {}
