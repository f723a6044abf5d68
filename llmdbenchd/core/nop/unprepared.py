"""Which of the field's categories a start cannot tell, and what would have made it tell them."""

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.stages import CATEGORIES, categories

_OF_DEBUG = frozenset(
    {"Detect Platform", "LLM Imports", "Worker Initialization", "Pytorch Compilation", "Dynamo"}
)
"""Told at level DEBUG only, by most versions."""
_WHOLE_SECOND = 1.0


def unprepared(attempt: Attempt) -> list[str]:
    """What to do so that the next start tells more; a sentence each, empty if all is told.

    Judged by the log alone: what ran before the server is seen by what it changed there.
    """
    told = {one.title for one in categories(attempt)}
    missing = [row.title for row in CATEGORIES if row.title in _OF_DEBUG - told]
    advice = []
    is_debug = "D" in attempt.levels
    if missing and not is_debug:
        advice.append(
            f"not told: {', '.join(missing)}: its level is not DEBUG "
            "(LLMDBENCH_VLLM_COMMON_VLLM_LOGGING_LEVEL)"
        )
    stamped = [one for kept in attempt.marks.values() for one in kept if one.at is not None]
    # The scripts write milliseconds at level DEBUG only: below it, whole seconds say nothing.
    if is_debug and stamped and all(one.grain_s >= _WHOLE_SECOND for one in stamped):
        advice.append(
            "its stamps have whole seconds, so what is the difference of two is ±1 s: the "
            "preprocess scripts did not run (llmdbenchd preprocess install)"
        )
    return advice
