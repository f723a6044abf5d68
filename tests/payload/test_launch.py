"""A launcher keeps the field's contract: variables in, results and proof out."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.payload.stage import LAUNCH, Stage, assert_proven

METADATA_KEYS = [
    "harness_start",
    "harness_stop",
    "harness_delta",
    "harness_args",
    "harness_version",
    "harness_name",
    "harness_workload",
    "harness_rc",
    "experiment_id",
    "model",
    "endpoint_url",
    "namespace",
    "description_text",
    "description_keywords",
]


def test_a_good_run_leaves_native_files_logs_metadata_manifest_and_done_mark(stage: Stage) -> None:
    outcome = stage.run()

    assert outcome.returncode == 0, outcome.stderr
    names = {path.name for path in stage.results.iterdir()}
    assert names == {
        *("stage_0_lifecycle_metrics.json", "summary_lifecycle_metrics.json", "config.yaml"),
        *("stdout.log", "stderr.log", "run_metadata.yaml", "sanity_random.yaml"),
        *("MANIFEST.jsonl", "DONE.json", "analysis"),
    }
    summary = (stage.results / "analysis" / "summary.txt").read_text()
    assert "requests succeeded                          10" in summary
    assert_proven(stage.results)
    assert stage.done["harness_rc"] == stage.done["exit_code"] == 0
    assert (stage.done["signal"], stage.done["stopped"], stage.done["problems"]) == (
        None,
        False,
        [],
    )
    facts = stage.done["facts"]
    assert facts["native_files"] == [
        "stage_0_lifecycle_metrics.json",
        "summary_lifecycle_metrics.json",
    ]
    assert facts["args"][:2] == ["inference-perf", "--config_file"]


def test_the_metadata_has_the_fields_of_the_era_and_survives_any_text(stage: Stage) -> None:
    nasty = 'a "b" \\ : #\n\t{} \u20ac \U0001f600 \x7f \u2028'
    stage.env["LLMDBENCH_DESCRIPTION_TEXT"] = nasty
    stage.env["LLMDBENCH_RUN_EXPERIMENT_ID"] = "1700000000"
    stage.env["LLMDBENCH_DEPLOY_CURRENT_MODEL"] = "a/b"
    stage.run()

    metadata = yaml.safe_load((stage.results / "run_metadata.yaml").read_bytes())

    assert list(metadata) == METADATA_KEYS
    assert metadata["description_text"] == nasty
    assert metadata["experiment_id"] == "1700000000"
    assert metadata["model"] == "a/b"
    assert metadata["harness_rc"] == 0
    assert metadata["harness_workload"] == "sanity_random.yaml"
    assert re.fullmatch(r"PT\d+S", metadata["harness_delta"])
    instant = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
    assert re.fullmatch(instant, metadata["harness_start"])
    assert re.fullmatch(instant, metadata["harness_stop"])
    assert metadata["harness_args"] == f"--config_file {stage.results}/sanity_random.yaml"


def test_the_profile_is_copied_with_the_results_folder_as_its_storage(stage: Stage) -> None:
    stage.profile.write_text(
        "storage:\n  local_storage: {path: /nowhere}\nload: {type: constant}\n"
    )
    stage.env["LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME"] = "sanity_random"  # .yaml is added
    stage.run()

    copy = yaml.safe_load((stage.results / "sanity_random.yaml").read_text())

    assert copy == {
        "storage": {"local_storage": {"path": str(stage.results)}},
        "load": {"type": "constant"},
    }


def test_the_harness_finds_the_results_folder_and_the_start_in_its_environment(
    stage: Stage,
) -> None:
    stage.executable("#!/bin/sh\nenv\n")
    stage.run()

    seen = dict(line.split("=", 1) for line in stage.log().decode().splitlines())

    assert seen["LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR"] == str(stage.results)
    assert seen["LLMDBENCH_CONTROL_WORK_DIR"] == str(stage.results)
    assert seen["LLMDBENCH_HARNESS_START"] == stage.done["started"]


def test_the_variables_are_listed_first_and_no_secret_is_among_them(stage: Stage) -> None:
    stage.env |= {
        "LLMDBENCH_HF_TOKEN": "SECRET-1",
        "LLMDBENCH_BASE64_CONTEXT_CONTENTS": "SECRET-2",
        "LLMDBENCH_SOMETHING": "hf_SECRET-3",
        "LLMDBENCH_ENDPOINT": "https://me:SECRET-4@host/v1",
        "LLMDBENCH_DEPLOY_CURRENT_TOKENIZER": "a/tokenizer",
        "LLMDBENCH_TWO_LINES": "one\nLLMDBENCH_FORGED=1",
        "UNRELATED": "quiet",
    }
    said = stage.run().stdout.decode()

    listed = said[: said.index("fake")].splitlines()
    assert listed == sorted(listed)
    assert "LLMDBENCH_DEPLOY_CURRENT_TOKENIZER=a/tokenizer" in listed
    assert "SECRET" not in said
    assert "quiet" not in said
    assert not [line for line in listed if line.startswith("LLMDBENCH_FORGED")]


@pytest.mark.parametrize("code", [1, 7, 255])
def test_the_launcher_ends_with_the_code_of_the_harness(stage: Stage, code: int) -> None:
    stage.env["FAKE_HARNESS_RC"] = str(code)

    assert stage.run().returncode == code
    assert stage.done["harness_rc"] == stage.done["exit_code"] == code
    assert_proven(stage.results)


def test_a_harness_killed_from_outside_is_told_as_its_signal(stage: Stage) -> None:
    stage.executable("#!/bin/sh\nkill -9 $$\n")

    assert stage.run().returncode == 137
    assert (stage.done["harness_rc"], stage.done["signal"]) == (None, 9)
    assert stage.done["stopped"] is False
    metadata = yaml.safe_load((stage.results / "run_metadata.yaml").read_text())
    assert metadata["harness_rc"] == 137
    assert_proven(stage.results)


def test_a_load_is_never_started_twice_in_one_folder(stage: Stage) -> None:
    stage.run()
    before = {path: path.read_bytes() for path in stage.results.rglob("*.*")}

    again = stage.run()

    assert again.returncode == 75
    assert b"never is again" in again.stderr
    assert stage.times_started == 1
    assert {path: path.read_bytes() for path in stage.results.rglob("*.*")} == before


def test_a_launcher_killed_before_its_done_mark_does_not_load_again(stage: Stage) -> None:
    stage.executable("#!/bin/sh\nkill -9 $PPID\n")
    assert stage.run().returncode == -9
    del stage.env["LLMDBENCH_HARNESS_EXECUTABLE"]

    assert stage.run().returncode == 75
    assert stage.times_started == 0
    assert not (stage.results / "DONE.json").exists()


def test_the_images_own_program_runs_even_under_the_name_of_ours(stage: Stage) -> None:
    own = stage.folder / "llm-d-benchmark.sh"
    own.write_text("#!/bin/sh\necho the image says $LLMDBENCH_HARNESS_NAME\n")
    own.chmod(0o755)
    stage.env["PATH"] = f"{stage.folder}:{stage.env['PATH']}"
    stage.env["LLMDBENCH_HARNESS_EXECUTABLE"] = "image:llm-d-benchmark.sh"

    assert stage.run().returncode == 0
    assert stage.log() == b"the image says inference-perf\n"
    assert stage.times_started == 0


def test_an_executable_may_have_arguments_and_the_fields_script_name_works(stage: Stage) -> None:
    path = stage.executable('#!/bin/sh\nprintf "%s|" "$@"\n')
    stage.env["LLMDBENCH_HARNESS_EXECUTABLE"] = f"{path} one 'two three'"
    stage.run()
    assert stage.log() == b"one|two three|"

    other = Stage(stage.folder / "other")
    del other.env["LLMDBENCH_HARNESS_NAME"]
    other.env["LLMDBENCH_RUN_EXPERIMENT_HARNESS"] = "inference-perf-llm-d-benchmark.sh"
    other.env["LLMDBENCH_HARNESS_EXECUTABLE"] = "llm-d-benchmark.sh"
    assert other.run().returncode == 0
    assert other.times_started == 1


def test_the_load_is_not_repeated_because_what_follows_it_fails(stage: Stage) -> None:
    stage.script(
        "from llmdbenchd.payload.contract import Command\n"
        "def prepare(context):\n"
        "    return Command(['inference-perf', '-c', context.profile], context.env, '/')\n"
        "def finish(context, rc):\n"
        "    raise KeyError('conversion')\n"
    )
    stage.profile.write_text(f"storage: {{local_storage: {{path: {stage.results}}}}}\n")

    assert stage.run().returncode == 0
    assert stage.times_started == 1
    assert stage.kinds == ["script broken"]
    assert_proven(stage.results)


def test_a_mistake_of_our_own_ends_the_load_and_still_leaves_proof(stage: Stage) -> None:
    stage.script(
        "import llmdbenchd.payload.child as child\n"
        "from llmdbenchd.payload.contract import Command\n"
        "def prepare(context):\n"
        "    child.attend = None\n"
        "    return Command(['sleep', '300'], context.env, '/')\n"
        "def finish(context, rc): return {}\n"
    )

    assert stage.run().returncode == 70
    assert stage.kinds == ["launcher broken"]
    assert_proven(stage.results)


def test_the_launcher_may_be_mounted_away_from_its_other_files(stage: Stage) -> None:
    entry = stage.folder / "llm-d-benchmark.sh"
    entry.write_bytes(LAUNCH.read_bytes())
    stage.env["LLMDBENCHD_PAYLOAD_DIR"] = str(LAUNCH.parent)

    outcome = subprocess.run(
        [*stage.python, str(entry)], env=stage.env, capture_output=True, check=False
    )

    assert outcome.returncode == 0, outcome.stderr
    assert_proven(stage.results)


def test_nothing_slow_is_imported_before_the_harness_starts(stage: Stage) -> None:
    stage.script(
        "import sys\ndef prepare(context):\n"
        "    open(context.results + '/modules', 'w').write('\\n'.join(sys.modules))\n"
    )
    stage.run()

    modules = set((stage.results / "modules").read_text().split())

    slow = "asyncio subprocess json hashlib pathlib typing dataclasses re threading logging"
    assert modules.isdisjoint(slow.split())


def test_everybody_who_may_read_the_folder_may_read_the_proof(stage: Stage) -> None:
    stage.run()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in Path(stage.results).iterdir()}

    assert modes["DONE.json"] == modes["MANIFEST.jsonl"] == modes["stdout.log"]
    assert json.loads((stage.results / "DONE.json").read_text())["version"] == 1
