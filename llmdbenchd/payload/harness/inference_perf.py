"""inference-perf: a config file in, `*_lifecycle_metrics.json` out.

Whatever storage the profile names, the results go into the results folder and nowhere
else, under the names that inference-perf gives them without a prefix.
"""

from __future__ import annotations

import json
import os

from llmdbenchd.payload import analysis, installed, keys, workload
from llmdbenchd.payload.contract import Command, Context, program
from llmdbenchd.payload.yamltext import quoted, with_top_level

PROGRAM = "inference-perf"
STAGE = "stage_"
NATIVE_STARTS = (STAGE, "summary_", "per_request_")
NATIVE_END = "_lifecycle_metrics.json"
SUMMARY = f"summary{NATIVE_END}"
FIGURES = ("mean", "median", "p90", "p99")


def prepare(context: Context) -> Command:
    """Copy the profile among the results, its storage set to them; say what to run.

    Raises:
        Refusal: the profile is missing or is no YAML mapping, or it cannot be copied.
    """
    storage = f"{{local_storage: {{path: {quoted(context.results)}}}}}"
    text = workload.read(context)
    try:
        text = with_top_level(text, "storage", storage)
    except ValueError as error:
        raise workload.unusable(context, str(error)) from error
    copy = workload.keep(context, text)
    # PYTHONUNBUFFERED: what it prints is followed live, and is not lost when it is killed
    env = dict(context.env, PYTHONUNBUFFERED="1")
    argv = [PROGRAM, "--config_file", copy]
    return keys.command(PROGRAM, argv, env, context)


def analyse(context: Context) -> None:
    """What people read first: a table of the figures in its summary.

    Raises:
        Refusal: it cannot be written.
    """
    analysis.write(context, _table(os.path.join(context.results, SUMMARY)).encode())


def charts(context: Context) -> Command | None:
    """Its own charts of latency and throughput; it draws them beside the files of the stages.

    Raises:
        Refusal: the program is not there.
    """
    stages = [name for name in analysis.native_files(context, is_native) if name.startswith(STAGE)]
    if not stages:
        return None
    argv = [program(PROGRAM, context.env), "--analyze", context.analysis]
    for name in stages:  # the results are proven: nothing is written beside them
        os.symlink(os.path.join(context.results, name), os.path.join(context.analysis, name))
    return Command(argv, context.env, context.analysis)


def finish(context: Context, rc: int) -> dict[str, object]:
    """The native result files, by name, and the version of the program."""
    del rc  # files are counted however it ended
    analyse(context)
    return {
        "native_files": analysis.native_files(context, is_native),
        "version": installed.version(context, PROGRAM, "inference_perf"),
    }


def is_native(name: str) -> bool:
    """Whether a file of this name is a native result."""
    return name.startswith(NATIVE_STARTS) and name.endswith(NATIVE_END)


def _table(path: str) -> str:
    """inference-perf prints no table of its figures: counts, rates and latencies of its summary."""
    try:
        with open(path, encoding="utf-8") as file:
            summary = json.load(file)
        successes, failures = summary["successes"], summary["failures"]
        lines = [f"{'requests succeeded':36}{successes['count']:>10}"]
        lines += [f"{'requests failed':36}{failures['count']:>10}"]
        for name, rate in successes["throughput"].items():
            lines += [f"{name:36}{rate:>10.2f}"] if rate else []
        lines += ["", " " * 36 + "".join(f"{name:>10}" for name in FIGURES)]
        for name, spread in successes["latency"].items():
            found = [(spread or {}).get(figure) for figure in FIGURES]
            if None not in found:
                lines.append(f"{name + ' (s)':36}" + "".join(f"{value:>10.4f}" for value in found))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""  # the file is missing, torn or of another version; the run is judged elsewhere
    return "\n".join(lines) + "\n"
