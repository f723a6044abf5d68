"""inferencemax: options of InferenceMAX's bench_serving in, one JSON file out.

The option `executable` is the script; it lies in `bench_serving` below the workspace, as in
the field's image, or is named by its absolute path.
"""

from __future__ import annotations

import os

from llmdbenchd.payload import analysis, bench, installed, workload
from llmdbenchd.payload.contract import Code, Command, Context, Refusal

SOURCE = "bench_serving"
DEFAULT_SCRIPT = "benchmark_serving.py"
OURS = frozenset({"DONE.json"})


def prepare(context: Context) -> Command:
    """Copy the profile among the results; say what to run: a warm-up, and then the load.

    Raises:
        Refusal: the profile is missing or is no list of options, it cannot be copied, or the
            script is not there.
    """
    text = workload.read(context)
    options = bench.options(context, text)
    script = os.path.join(
        context.workspace, SOURCE, options.pop("executable", None) or DEFAULT_SCRIPT
    )
    if not os.path.isfile(script):
        sentence = f"the script {script} is not there: this image has no {SOURCE}"
        raise Refusal(Code.NOT_FOUND, "program missing", sentence)
    options.setdefault("result-filename", "result.json")
    workload.keep(context, text)
    return bench.command(["python", script], options, context)


def analyse(context: Context) -> None:
    """What people read first: its own table.

    Raises:
        Refusal: it cannot be written.
    """
    analysis.summarise(context, "stdout.log", bench.HEADING)


def finish(context: Context, rc: int) -> dict[str, object]:
    """The native result file, the commit of the script, and its analysis."""
    del rc  # files are counted however it ended
    analyse(context)
    return {
        "native_files": analysis.native_files(context, is_native),
        "version": installed.commit(context, SOURCE),
    }


def is_native(name: str) -> bool:
    """Whether a file of this name is a native result."""
    return name.endswith(".json") and name not in OURS
