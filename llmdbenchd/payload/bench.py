"""`vllm bench serve` and its relative in InferenceMAX: one way to run them, one kind of result.

A warm-up of three prompts comes first; it may fail, and what it prints is kept apart from the
figures. Both runs are one process for the launcher: a shell that becomes the load generator.
"""

from __future__ import annotations

from llmdbenchd.payload import workload
from llmdbenchd.payload.contract import Command, Context
from llmdbenchd.payload.options import arguments, read

HEADING = "Result =="
_LATENCIES = ("ttft", "tpot", "itl", "e2el")  # without e2el no standard report can be made
_PERCENTILES = "0.1,1,5,10,25,75,90,95,99,99.9"
_WARM_UP = 3  # prompts, as in the field
# $0 is the results folder, $@ the command; of an option given twice the last one counts.
_RUN = f"""
echo "launcher: warm-up with {_WARM_UP} prompts" >&2
"$@" --num-prompts={_WARM_UP} >&2 || echo "launcher: the warm-up failed (exit code $?)" >&2
exec "$@" --save-result --result-dir="$0"
"""


def options(context: Context, text: str) -> dict[str, str | None]:
    """The profile's options, and those that a report needs.

    Raises:
        Refusal: it is no list of options.
    """
    try:
        given = read(text)
    except ValueError as error:
        raise workload.unusable(context, str(error)) from error
    for ours in ("save-result", "result-dir"):
        given.pop(ours, None)
    asked = [name for name in (given.get("percentile-metrics") or "").split(",") if name.strip()]
    wanted = [*asked, *(name for name in _LATENCIES if name not in asked)]
    given["percentile-metrics"] = ",".join(wanted)
    given.setdefault("metric-percentiles", _PERCENTILES)
    given.setdefault("seed", str(workload.seed(context)))
    return given


def name_result(given: dict[str, str | None], context: Context) -> None:
    """See to it that the result's name begins as the field knows it, whatever the profile says."""
    start = given.get("label") or given.get("backend") or "openai"
    name = given.get("result-filename") or f"{start}-"
    if not name.startswith("openai"):
        given["result-filename"] = f"openai-{context.workload.rpartition('.')[0]}.json"


def command(program: list[str], given: dict[str, str | None], context: Context) -> Command:
    """Warm-up and load as one command."""
    argv = [*program, *arguments(given)]
    env = dict(context.env, PYTHONUNBUFFERED="1")
    shell = ["sh", "-c", _RUN, context.results, *argv]
    return Command(shell, env, context.workspace, told=argv)
