"""What a launcher is told by `LLMDBENCH_*` variables, and what a harness script answers.

Plain classes: `dataclasses` or `typing` would cost more start-up time than all the rest.
"""

from __future__ import annotations

import os

DEFAULT_EXECUTABLE = "llm-d-benchmark.sh"  # the field's name for "run the harness's script"
IMAGES_OWN = "image:"  # before a program of the image, even one of the name above
SCRIPT_SUFFIXES = ("-llm-d-benchmark.sh", "-llm-d-benchmark.py")
DEFAULT_GRACE_S = 30.0  # what a pod gets unless it says otherwise

SECRET_WORDS = frozenset(
    {"APIKEY", "AUTH", "BASE64", "BEARER", "CREDENTIAL", "CREDENTIALS"}
    | {"KEY", "PASSWD", "PASSWORD", "SECRET", "TOKEN"}
)
SECRET_STARTS = ("hf_", "sk-", "ghp_", "eyJ", "Bearer ", "Basic ")


class Code:
    """The launcher's own exit codes; everything else is the harness's."""

    WRONG_CONTRACT = 64  # a variable is missing or makes no sense
    NO_DATASET = 65  # the data set cannot be fetched
    NO_PROFILE = 66  # the workload profile is missing or cannot be used
    BROKEN = 70  # the harness script, or the launcher itself, failed: our mistake
    NO_RESULTS_FOLDER = 73  # the results folder cannot be made or written
    NOT_WRITTEN = 74  # metadata, manifest or done mark could not be written whole
    STARTED_BEFORE = 75  # the load was started in this results folder before; it never is again
    NO_BARRIER = 76  # not all launchers of the attempt were ready in time
    NOT_EXECUTABLE = 126  # what should run is there and cannot be executed
    NOT_FOUND = 127  # the harness script or the program is not there


class Refusal(Exception):
    """The harness is not started: `kind` is a constant name, `sentence` is for people."""

    def __init__(self, code: int, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.kind = kind
        self.sentence = sentence


def broken(kind: str, what: str, error: Exception) -> Refusal:
    """A mistake in our own code as a sentence: `what` failed, how, and on which line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno})" if trace else ""
    sentence = f"{what} failed: {type(error).__name__}: {error}{where}"
    return Refusal(Code.BROKEN, kind, sentence)


class Context:
    """What the launcher was told, checked.

    Attributes:
        env: the environment for the harness, results folder and start time included.
        harness: the harness's name (`inference-perf`); it names the profiles' folder.
        script: whose script is run, usually `harness`; both may be empty with an `executable`.
        executable: what is run in place of the harness script, or empty.
        workspace: absolute folder with `profiles/<harness>/`; the harness's current folder.
        profile: absolute path of the workload profile.
        workload: its file name, and the name of its copy among the results.
        results: absolute folder that takes the results.
        analysis: absolute folder that takes what is made of them; below `results` in a launcher.
        scripts: absolute folder with `<harness>.py` scripts.
        grace_s: seconds from being asked to end until the launcher itself is killed.
        stop_file: absolute path; a file there asks us to end as SIGTERM does. Or empty.
    """

    def __init__(self, env: dict[str, str], scripts: str) -> None:
        self.results = _results_folder(env)
        self.env = dict(
            env,
            LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR=self.results,
            LLMDBENCH_CONTROL_WORK_DIR=self.results,
        )
        script = env.get("LLMDBENCH_RUN_EXPERIMENT_HARNESS", "")
        for suffix in SCRIPT_SUFFIXES:
            script = script.removesuffix(suffix)
        self.harness = _component(env.get("LLMDBENCH_HARNESS_NAME") or script, "harness")
        self.script = _component(script or self.harness, "harness script")
        elsewhere = env.get("LLMDBENCHD_ANALYSIS_DIR")
        self.analysis = os.path.abspath(elsewhere or os.path.join(self.results, "analysis"))
        executable = env.get("LLMDBENCH_HARNESS_EXECUTABLE", "").strip()
        is_default = executable == DEFAULT_EXECUTABLE
        self.executable = "" if is_default else executable.removeprefix(IMAGES_OWN)
        self.workspace = os.path.abspath(env.get("LLMDBENCH_RUN_WORKSPACE_DIR") or "/workspace")
        self.workload = _workload(env)
        self.profile = os.path.join(self.workspace, "profiles", self.harness, self.workload)
        payload = env.get("LLMDBENCHD_PAYLOAD_DIR")
        self.scripts = os.path.abspath(os.path.join(payload, "harness") if payload else scripts)
        self.grace_s = _grace(env)
        self.stop_file = env.get("LLMDBENCHD_STOP_FILE", "")


class Command:
    """What a harness script wants to be run: `argv[0]` is a path, or sought in `env`'s PATH.

    `told` is what the metadata says was run: `argv`, unless a shell stands before it.
    """

    def __init__(
        self, argv: list[str], env: dict[str, str], cwd: str, told: list[str] | None = None
    ) -> None:
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.told = told or argv


def program(name: str, env: dict[str, str]) -> str:
    """The path of the executable `name`, sought in `env`'s PATH unless it is a path itself.

    Raises:
        Refusal: it is not there (127), or is there and not executable (126).
    """
    paths = env.get("PATH", os.defpath)
    folders = [""] if "/" in name else [folder or "." for folder in paths.split(os.pathsep)]
    candidates = [os.path.join(folder, name) for folder in folders]
    present = [path for path in candidates if os.path.exists(path)]
    for path in present:
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    if present:
        raise Refusal(
            Code.NOT_EXECUTABLE, "not executable", f"{present[0]} is there and not executable"
        )
    where = "" if "/" in name else f" in PATH ({paths})"
    raise Refusal(Code.NOT_FOUND, "program missing", f"the program {name} is not there{where}")


def listing(env: dict[str, str]) -> str:
    """The `LLMDBENCH*` variables, one a line and sorted, without what looks like a secret."""
    return "".join(
        f"{name}={value!r}\n" if "\n" in value or "\r" in value else f"{name}={value}\n"
        for name, value in sorted(env.items())
        if name.startswith("LLMDBENCH") and not looks_secret(name, value)
    )


def looks_secret(name: str, value: str) -> bool:
    """Whether a variable may hold a credential (or a whole file, as BASE64)."""
    if SECRET_WORDS.intersection(name.upper().split("_")) or value.startswith(SECRET_STARTS):
        return True
    after_scheme = value.partition("://")[2]
    return "@" in after_scheme.split("/", 1)[0]


def _results_folder(env: dict[str, str]) -> str:
    for name in ("LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR", "LLMDBENCH_CONTROL_WORK_DIR"):
        if env.get(name):
            return os.path.abspath(env[name])
    raise _wrong("LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR is not set: where should the results go?")


def _workload(env: dict[str, str]) -> str:
    name = _component(env.get("LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME", ""), "workload")
    return name if not name or name.endswith((".yaml", ".yml")) else name + ".yaml"


def _component(name: str, what: str) -> str:
    if "/" in name or name in {".", ".."}:
        raise _wrong(f"the {what} name {name!r} must be a plain name, not a path")
    return name


def _grace(env: dict[str, str]) -> float:
    text = env.get("LLMDBENCHD_GRACE_SECONDS") or str(DEFAULT_GRACE_S)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise _wrong(f"LLMDBENCHD_GRACE_SECONDS is {text!r}, not a number of seconds")
    return seconds


def _wrong(sentence: str) -> Refusal:
    return Refusal(Code.WRONG_CONTRACT, "wrong contract", sentence)
