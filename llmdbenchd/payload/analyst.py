"""The same analysis once more, where the results have come home to: by the daemon, not a launcher.

    PYTHON -I -S launch.py analyse

Of the contract it needs `LLMDBENCH_HARNESS_NAME`, `LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR` (only
read) and `LLMDBENCHD_ANALYSIS_DIR` (there, and empty). One line of JSON on stdout says what came
of it; then, where the environment has the harness's own program for charts, we become it:

    {"problem": sentence or "", "full": why there was no room or "", "notes": [sentences],
     "charts": the program's name, or ""}
"""

from __future__ import annotations

import errno
import json
import os

from llmdbenchd.payload.contract import Command, Context, Refusal
from llmdbenchd.payload.script import Script

ORDER = "analyse"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


def main(scripts: str) -> int:
    """Analyse as the environment says; returns the exit code, 0 where the answer was given.

    Args:
        scripts: the folder with the harness scripts, unless the environment names another.
    """
    answers = os.dup(1)
    os.dup2(2, 1)  # what anybody else prints is no answer
    answer: dict[str, object] = {"problem": "", "full": "", "notes": [], "charts": ""}
    command = None
    try:
        command = _analysed(Context(dict(os.environ), scripts), answer)
    except Refusal as refusal:
        cause = refusal.__cause__
        is_full = isinstance(cause, OSError) and cause.errno in _FULL
        answer["full" if is_full else "problem"] = refusal.sentence
    os.write(answers, json.dumps(answer).encode() + b"\n")
    os.close(answers)
    if command is not None:
        os.chdir(command.cwd)
        os.execve(command.argv[0], command.argv, command.env)  # noqa: S606 - no shell is wanted
    return 0


def _analysed(context: Context, answer: dict[str, object]) -> Command | None:
    """Make the summary; the command that makes charts of the results, if there can be any."""
    script = Script(context)
    script.analyse()
    if not os.listdir(context.analysis):
        answer["problem"] = f"{context.harness} left nothing that can be analysed"
        return None
    try:
        command = script.charts()
    except Refusal as refusal:
        answer["notes"] = [f"no charts: {refusal.sentence}"]
        return None
    answer["charts"] = os.path.basename(command.argv[0]) if command else ""
    return command
