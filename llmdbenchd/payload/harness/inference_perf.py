"""inference-perf: a config file in, `*_lifecycle_metrics.json` out.

Whatever storage the profile names, the results go into the results folder and nowhere
else, under the names that inference-perf gives them without a prefix.
"""

from __future__ import annotations

import os

from llmdbenchd.payload.contract import Code, Command, Context, Refusal, program
from llmdbenchd.payload.yamltext import quoted, with_top_level

PROGRAM = "inference-perf"
NATIVE_STARTS = ("stage_", "summary_", "per_request_")
NATIVE_END = "_lifecycle_metrics.json"


def prepare(context: Context) -> Command:
    """Copy the profile among the results, its storage set to them; say what to run.

    Raises:
        Refusal: the profile is missing or is no YAML mapping, or it cannot be copied.
    """
    copy = os.path.join(context.results, context.workload)
    storage = f"{{local_storage: {{path: {quoted(context.results)}}}}}"
    try:
        with open(context.profile, encoding="utf-8-sig", newline="") as file:
            text = with_top_level(file.read(), "storage", storage)
    except OSError as error:
        raise _unusable(context, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise _unusable(context, "it is not UTF-8") from error
    except ValueError as error:
        raise _unusable(context, str(error)) from error
    try:
        with open(copy, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        sentence = f"the profile's copy {copy} cannot be written: {error.strerror}"
        raise Refusal(Code.NOT_WRITTEN, "not written", sentence) from error
    # PYTHONUNBUFFERED: what it prints is followed live, and is not lost when it is killed
    env = dict(context.env, PYTHONUNBUFFERED="1")
    return Command([PROGRAM, "--config_file", copy], env, context.workspace)


def finish(context: Context, rc: int) -> dict[str, object]:
    """The native result files, by name, and the version of the program."""
    del rc  # files are counted however it ended
    native = sorted(
        entry.name
        for entry in os.scandir(context.results)
        if entry.name.startswith(NATIVE_STARTS)
        and entry.name.endswith(NATIVE_END)
        and entry.is_file(follow_symlinks=False)
    )
    try:
        installed = version(program(PROGRAM, context.env))
    except (OSError, Refusal):
        installed = ""  # it went away during the load
    return {"native_files": native, "version": installed}


def version(path: str) -> str:
    """The installed version, from the folder of metadata beside the program; or empty.

    The program itself would take seconds to say it.
    """
    with open(path, "rb") as file:
        first = file.readline(4096)
    interpreter = os.fsdecode(first[2:].strip()) if first.startswith(b"#!/") else path
    for beside in (path, interpreter, os.path.realpath(path)):
        for folder in _packages(os.path.dirname(os.path.dirname(beside))):
            for name in os.listdir(folder):
                if name.startswith("inference_perf-") and name.endswith(".dist-info"):
                    return name[len("inference_perf-") : -len(".dist-info")]
    return ""


def _packages(prefix: str) -> list[str]:
    """The folders below an installation's prefix that hold Python packages."""
    roots = [os.path.join(prefix, lib) for lib in ("lib", "lib64")]
    return [
        folder
        for root in roots
        for python in (sorted(os.listdir(root)) if os.path.isdir(root) else [])
        if python.startswith("python3")
        for kind in ("site-packages", "dist-packages")
        if os.path.isdir(folder := os.path.join(root, python, kind))
    ]


def _unusable(context: Context, reason: str) -> Refusal:
    sentence = f"the profile {context.profile} cannot be used: {reason}"
    return Refusal(Code.NO_PROFILE, "profile unusable", sentence)
