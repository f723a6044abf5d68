"""The profiles on disk, those that are shipped, and the command that lists them."""

import argparse
import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from llmdbenchd.cli import profiles as command
from llmdbenchd.core.workload import override, prepare
from llmdbenchd.core.workload.errors import WorkloadError
from llmdbenchd.core.workload.profile import choose
from llmdbenchd.edge.files.profiles import Profile, Profiles

VARIABLES = {
    "LLMDBENCH_DEPLOY_CURRENT_MODEL": "some/model",
    "LLMDBENCH_HARNESS_STACK_ENDPOINT_URL": "http://127.0.0.1:8000",
    "LLMDBENCH_HARNESS_PVC_NAME": "workload-pvc",
    "LLMDBENCH_RUN_DATASET_DIR": "/data",
    "LLMDBENCH_RUN_DATASET_FILE": "chats.json",
}
SHIPPED = {
    "aiperf": "chatbot_synthetic sanity_fixed sanity_random",
    "guidellm": "chatbot_synthetic sanity_concurrent sanity_random shared_prefix_synthetic "
    "summarization_synthetic",
    "inference-perf": "chatbot_sharegpt chatbot_synthetic code_completion_synthetic "
    "code_generation image_classification sanity_fixed sanity_random "
    "shared_prefix_multi_turn_chat shared_prefix_synthetic shared_prefix_synthetic_short "
    "summarization_synthetic text_classification text_generation translation",
    "inferencemax": "random_concurrent",
    "nop": "nop",
    "vllm-benchmark": "random_concurrent sanity_random sharegpt",
}
ALL = [(harness, name) for harness, names in SHIPPED.items() for name in names.split()]


def rendered(profile: Profile) -> str:
    return prepare(profile.text, overrides=[], variables=VARIABLES, file=profile.path.name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "profiles" / "toy"
    folder.mkdir(parents=True)
    (folder / "a.yaml.in").write_text("# What a does.\na: 1\n")
    (folder / "a.yaml").write_text("a: 2\n")
    (folder / "b.yaml.j2").write_text("\n# What b does.\n")
    (folder / ".hidden.yaml").write_text("")
    (folder / "README.md").write_text("")
    (folder / "c.yaml").mkdir()
    (tmp_path / "profiles" / "README.md").write_text("")
    return tmp_path / "profiles"


def test_only_harnesses_and_profiles_are_listed(root: Path) -> None:
    profiles = Profiles(root)

    assert profiles.harnesses() == ["toy"]
    assert profiles.names("toy") == ["a", "b"]


@pytest.mark.parametrize(
    ("asked", "file"),
    [
        ("a", "a.yaml.in"),
        ("a.yaml.in", "a.yaml.in"),
        ("a.yaml", "a.yaml"),
        ("b", "b.yaml.j2"),
        ("b.yaml", "b.yaml.j2"),
    ],
)
def test_a_profile_is_found_by_its_name_with_and_without_ending(
    root: Path, asked: str, file: str
) -> None:
    profile = Profiles(root).read("toy", asked)

    assert (profile.path, profile.name) == (root / "toy" / file, asked[0])


def test_unknown_names_get_the_nearest_and_the_list(root: Path) -> None:
    with pytest.raises(WorkloadError, match=r"Did you mean `toy`\? There are: toy"):
        Profiles(root).read("toi", "a")
    with pytest.raises(WorkloadError, match=r"`c` is not a profile of toy.* It has: a, b"):
        Profiles(root).read("toy", "c")


@pytest.mark.parametrize(
    ("harness", "name"), [("toy", "../../secret"), ("..", "secret"), ("toy", "/etc/hosts")]
)
def test_nothing_outside_of_the_root_is_ever_read(root: Path, harness: str, name: str) -> None:
    (root.parent / "secret.yaml").write_text("token: 1\n")

    with pytest.raises(WorkloadError):
        Profiles(root).read(harness, name)


def test_a_link_that_leads_out_is_not_there_and_one_that_stays_in_is(root: Path) -> None:
    (root.parent / "secret.yaml").write_text("token: 1\n")
    (root / "toy" / "out.yaml").symlink_to(root.parent / "secret.yaml")
    (root / "away").symlink_to(root.parent)
    (root / "toy" / "in.yaml").symlink_to("a.yaml")
    (root / "toy" / "nowhere.yaml").symlink_to("gone.yaml")
    profiles = Profiles(root)

    assert profiles.harnesses() == ["toy"]
    assert profiles.names("toy") == ["a", "b", "in"]
    assert profiles.read("toy", "in").text == "a: 2\n"


def test_a_file_that_cannot_be_a_profile_is_refused_with_the_reason(root: Path) -> None:
    (root / "toy" / "big.yaml").write_bytes(b"#" * (1024 * 1024 + 1))
    (root / "toy" / "latin.yaml").write_bytes(b"a: \xe9\n")

    with pytest.raises(WorkloadError, match="larger than 1048576 bytes"):
        Profiles(root).read("toy", "big")
    with pytest.raises(WorkloadError, match=r"not UTF-8 text \(byte 3\)"):
        Profiles(root).read("toy", "latin")
    with pytest.raises(WorkloadError, match="cannot be listed: No such file"):
        Profiles(root / "gone").harnesses()


def test_everything_that_the_field_knows_is_shipped() -> None:
    profiles = Profiles.shipped()

    found = {harness: " ".join(profiles.names(harness)) for harness in profiles.harnesses()}
    assert found == SHIPPED


@pytest.mark.parametrize(("harness", "name"), ALL)
def test_a_shipped_profile_renders_to_yaml_and_says_what_it_measures(
    harness: str, name: str
) -> None:
    profile = Profiles.shipped().read(harness, name)
    never = "# Never run by this project: "

    assert isinstance(yaml.safe_load(rendered(profile)), dict)
    assert profile.description.endswith(".")
    assert (never in profile.text) == (harness in {"inferencemax", "vllm-benchmark"})
    readme = (profile.path.parent.parent / "README.md").read_text()
    assert f"| {harness} | `{name}` |" in readme


DOCUMENT = Path(__file__).parents[3] / "docs" / "workloads.md"
USE_CASES = (
    "Interactive chat", "Text classification", "Image classification",
    "Summarisation and retrieval", "Text generation", "Translation", "Code completion",
    "Code generation",
)  # fmt: skip


@pytest.mark.parametrize("case", USE_CASES)
def test_each_use_case_of_the_field_has_a_profile_with_the_lengths_that_the_page_says(
    case: str,
) -> None:
    (row,) = (line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| {case} |"))
    *_, named, tokens_in, tokens_out, _ = (cell.strip() for cell in row.split("|"))
    name = named.split("`")[1]
    data = yaml.safe_load(rendered(Profiles.shipped().read("inference-perf", name)))["data"]
    if "shared_prefix" in data:
        parts = data["shared_prefix"]
        sides = [parts["question_len"], parts["output_len"]]
        sides[0]["mean"] += parts["system_prompt_len"]
    else:
        sides = [data["input_distribution"], data["output_distribution"]]

    told = [f"{side['mean']} ± {side['std_dev']}" for side in sides]
    assert [tokens_in.removesuffix(" and a picture"), tokens_out] == told


def test_the_seed_s_example_of_overrides_works_on_the_default_profile() -> None:
    profiles = Profiles.shipped()
    name = choose(profiles.names("inference-perf"), None, "inference-perf")
    text = profiles.read("inference-perf", name).text

    data = yaml.safe_load(override(text, {"min": 20, "total_count": 200}, file=name))["data"]

    for side in ("input_distribution", "output_distribution"):
        assert data[side] == {"min": 20, "max": 100, "mean": 50, "std_dev": 10, "total_count": 200}


@pytest.mark.parametrize("tokenizer", ["", "/a/folder"])
def test_the_tokenizer_is_the_model_s_unless_one_is_named(tokenizer: str) -> None:
    text = Profiles.shipped().read("inference-perf", "sanity_random").text
    variables = VARIABLES | {"LLMDBENCH_DEPLOY_CURRENT_TOKENIZER": tokenizer}

    workload = yaml.safe_load(prepare(text, overrides=[], variables=variables, file="x.yaml.in"))
    named = workload["tokenizer"]["pretrained_model_name_or_path"]
    assert named == (tokenizer or "some/model")


@pytest.mark.parametrize("name", SHIPPED["vllm-benchmark"].split())
def test_vllm_profiles_ask_for_every_latency_that_the_report_needs(name: str) -> None:
    workload = yaml.safe_load(rendered(Profiles.shipped().read("vllm-benchmark", name)))

    assert workload["percentile-metrics"] == "ttft,tpot,itl,e2el"


@pytest.fixture
def inference_perf() -> str:
    """The Python of a real inference-perf: `<LLMDBENCHD_HARNESS_VENVS>/inference-perf`."""
    venvs = os.environ.get("LLMDBENCHD_HARNESS_VENVS", "")
    python = Path(venvs) / "inference-perf" / "bin" / "python"
    if not venvs or not python.exists():
        pytest.skip("real harness missing: LLMDBENCHD_HARNESS_VENVS is not set (make test sets it)")
    return str(python)


@pytest.mark.real
def test_inference_perf_itself_accepts_every_profile(inference_perf: str, tmp_path: Path) -> None:
    profiles = Profiles.shipped()
    files = []
    for name in profiles.names("inference-perf"):
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_text(rendered(profiles.read("inference-perf", name)))
    script = "import sys, inference_perf.config as c; [c.read_config(f) for f in sys.argv[1:]]"

    done = subprocess.run(
        [inference_perf, "-c", script, *files], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def listed(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    args = parser.parse_args(["profiles", *arguments])
    code: int = args.run(args)
    return code


def test_the_command_lists_harness_profile_and_what_it_measures(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert listed("--profiles", str(root)) == 0
    assert capsys.readouterr().out == (
        "HARNESS  PROFILE  WHAT IT MEASURES\ntoy      a        What a does.\n"
        "toy      b        What b does.\n"
    )
    assert listed("toy", "--json", "--profiles", str(root)) == 0
    assert json.loads(capsys.readouterr().out)[0] == {
        "harness": "toy",
        "profile": "a",
        "description": "What a does.",
        "path": str(root / "toy" / "a.yaml.in"),
    }


def test_the_command_says_no_to_an_unknown_harness_and_gives_up_without_a_folder(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert listed("toi", "--profiles", str(root)) == 1
    assert "Did you mean `toy`?" in capsys.readouterr().err
    assert listed("--profiles", str(root / "gone")) == 3


def test_the_command_lists_the_rest_when_one_profile_cannot_be_read(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "toy" / "latin.yaml").write_bytes(b"\xe9")

    assert listed("--profiles", str(root)) == 3
    out, err = capsys.readouterr()
    assert ("What b does." in out, "latin.yaml" in err) == (True, True)
