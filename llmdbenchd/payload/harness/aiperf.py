"""aiperf: options of `aiperf profile` in, `profile_export_aiperf.json` and its kin out."""

from __future__ import annotations

import os

from llmdbenchd.payload import analysis, installed, keys, workload
from llmdbenchd.payload.contract import Command, Context
from llmdbenchd.payload.options import arguments, read

PROGRAM = "aiperf"
NATIVE = "profile_export_aiperf.json"
CONSOLE = "profile_export_console.txt"
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
EXTRA = "LLMDBENCH_AIPERF_EXTRA_ARGS"  # the field's way to add options


def prepare(context: Context) -> Command:
    """Copy the profile among the results; say what to run.

    Raises:
        Refusal: the profile is missing or is no list of options, it cannot be copied, or there
            is a key and no program that could have it.
    """
    text = workload.read(context)
    try:
        options = read(text)
    except ValueError as error:
        raise workload.unusable(context, str(error)) from error
    options.setdefault("ui", "none")
    options.setdefault("random-seed", str(workload.seed(context)))
    options["output-artifact-dir"] = context.results
    env = dict(context.env, PYTHONUNBUFFERED="1")
    if os.path.isdir(options.get("tokenizer") or ""):
        for name in OFFLINE:  # with these it takes the folder for a model's name, and refuses it
            env.pop(name, None)
    workload.keep(context, text)
    extra = context.env.get(EXTRA, "").split()
    argv = [PROGRAM, "profile", *arguments(options), *extra]
    return keys.command(PROGRAM, argv, env, context)


def analyse(context: Context) -> None:
    """What people read first: its own table.

    Raises:
        Refusal: it cannot be written.
    """
    analysis.summarise(context, CONSOLE)


def finish(context: Context, rc: int) -> dict[str, object]:
    """The native result file, the version of the program, and its analysis.

    Raises:
        Refusal: the summary cannot be written.
    """
    del rc  # files are counted however it ended
    analyse(context)
    return {
        "native_files": analysis.native_files(context, NATIVE.__eq__),
        "version": installed.version(context, PROGRAM, "aiperf"),
    }
