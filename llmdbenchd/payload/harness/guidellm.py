"""guidellm: a scenario in, `results.json` out."""

from __future__ import annotations

import os

from llmdbenchd.payload import analysis, installed, keyed, workload
from llmdbenchd.payload.contract import Command, Context

PROGRAM = "guidellm"
NATIVE = "results.json"
HEADING = "Setup complete, starting benchmarks"  # what it prints before anything is measured
WORKERS = "GUIDELLM__MAX_WORKER_PROCESSES"
MOST_WORKERS = 10  # its own default
KEY = "GUIDELLM__SPEC__BACKEND__API_KEY"  # laid over its scenario, and written as stars


def prepare(context: Context) -> Command:
    """Copy the profile among the results; say what to run.

    Raises:
        Refusal: the profile is missing or no text, or it cannot be copied.
    """
    text = workload.read(context)
    scenario = workload.keep(context, text)
    output = f"kind=json,path={os.path.join(context.results, NATIVE)}"
    env = dict(context.env, PYTHONUNBUFFERED="1")
    # Each worker imports everything anew: ten of them on two cores take 26 s before the first
    # request.
    env.setdefault(WORKERS, str(min(MOST_WORKERS, os.cpu_count() or 1)))
    if env.get(keyed.KEY):
        env[KEY] = env[keyed.KEY]
    argv = [PROGRAM, "run", "--scenario", scenario, "--output", output, "--disable-progress"]
    if "seed:" not in text:  # its own default is the same for each run and launcher
        argv += ["--seed", f"kind=static,value={workload.seed(context)}"]
    return Command(argv, env, context.workspace)


def analyse(context: Context) -> None:
    """What people read first: its own report.

    Raises:
        Refusal: it cannot be written.
    """
    analysis.summarise(context, "stdout.log", HEADING)


def finish(context: Context, rc: int) -> dict[str, object]:
    """The native result file, the version of the program, and its analysis."""
    del rc  # files are counted however it ended
    analyse(context)
    return {
        "native_files": analysis.native_files(context, NATIVE.__eq__),
        "version": installed.version(context, PROGRAM, "guidellm"),
    }
