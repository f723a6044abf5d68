"""inference-perf is told where to write, and its version is known without starting it."""

from pathlib import Path

import pytest
import yaml

from llmdbenchd.payload import installed
from llmdbenchd.payload.contract import Context, Refusal
from llmdbenchd.payload.harness import inference_perf
from tests.payload.stage import Stage


@pytest.fixture
def context(stage: Stage) -> Context:
    """The launcher's context, its results folder made."""
    stage.results.mkdir()
    return Context(stage.env, "")


def installation(folder: Path, *, version: str) -> Path:
    """The folder of an environment with an inference-perf of this version in it."""
    packages = folder / "lib" / "python3.12" / "site-packages"
    (packages / f"inference_perf-{version}.dist-info").mkdir(parents=True)
    (packages / "inference_perf").mkdir()
    (folder / "bin").mkdir()
    program = folder / "bin" / "inference-perf"
    program.write_text(f"#!{folder}/bin/python\n")
    program.chmod(0o755)
    return program


def test_the_version_is_read_beside_the_program(tmp_path: Path) -> None:
    program = installation(tmp_path / "venv", version="0.7.0")

    assert installed.beside(str(program), "inference_perf") == "0.7.0"


def test_a_link_or_a_copy_elsewhere_still_leads_to_the_version(tmp_path: Path) -> None:
    program = installation(tmp_path / "venv", version="0.8.0rc1")
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "linked"
    link.symlink_to(program)
    copy = tmp_path / "bin" / "copied"
    copy.write_bytes(program.read_bytes())

    assert installed.beside(str(link), "inference_perf") == "0.8.0rc1"
    assert installed.beside(str(copy), "inference_perf") == "0.8.0rc1"


def test_a_program_without_metadata_has_no_version(tmp_path: Path) -> None:
    program = tmp_path / "inference-perf"
    program.write_bytes(b"\x7fELF\xff\xfe")

    assert installed.beside(str(program), "inference_perf") == ""


def test_only_lifecycle_metrics_are_native_results(context: Context) -> None:
    results = Path(context.results)
    native = ["per_request", "stage_0", "stage_0_session", "stage_11", "summary"]
    for name in native:
        (results / f"{name}_lifecycle_metrics.json").write_text("{}")
    for name in ("config.yaml", "stage_0.json", "inference-perf.partial.stage_0.yaml"):
        (results / name).write_text("")
    (results / "stage_9_lifecycle_metrics.json").mkdir()

    facts = inference_perf.finish(context, 0)

    assert facts["native_files"] == [f"{name}_lifecycle_metrics.json" for name in native]


def test_the_facts_are_known_even_when_the_program_went_away(context: Context) -> None:
    context.env["PATH"] = "/nowhere"

    assert inference_perf.finish(context, 1) == {"native_files": [], "version": ""}


def test_a_folder_of_any_name_reaches_inference_perf_as_it_is(stage: Stage) -> None:
    stage.env["LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR"] = f'{stage.folder}/r: "1" #\u20ac'
    Path(stage.env["LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR"]).mkdir()
    context = Context(stage.env, "")

    command = inference_perf.prepare(context)

    profile = yaml.safe_load(Path(command.argv[2]).read_text(encoding="utf-8"))
    assert profile["storage"] == {"local_storage": {"path": context.results}}
    assert command.argv[:2] == ["inference-perf", "--config_file"]


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"- a list\n"])
def test_a_profile_that_is_no_mapping_of_text_is_refused(
    stage: Stage, context: Context, data: bytes
) -> None:
    stage.profile.write_bytes(data)

    with pytest.raises(Refusal, match=r"sanity_random\.yaml cannot be used"):
        inference_perf.prepare(context)


def test_a_byte_order_mark_does_no_harm(stage: Stage, context: Context) -> None:
    stage.profile.write_bytes(b"\xef\xbb\xbfstorage: 1\nload: 2\n")

    command = inference_perf.prepare(context)

    profile = yaml.safe_load(Path(command.argv[2]).read_bytes())
    assert profile == {"storage": {"local_storage": {"path": context.results}}, "load": 2}
