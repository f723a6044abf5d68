"""Which profile a job means."""

import pytest

from llmdbenchd.core.workload.errors import WorkloadError
from llmdbenchd.core.workload.profile import choose, is_name, stem

NAMES = ["chatbot_synthetic", "sanity_random"]


@pytest.mark.parametrize(
    "requested", ["sanity_random", "sanity_random.yaml", "sanity_random.yaml.in", None, ""]
)
def test_sanity_random_is_meant_by_its_name_with_any_ending_and_by_no_name(
    requested: str | None,
) -> None:
    assert choose(NAMES, requested, "inference-perf") == "sanity_random"
    assert choose([f"{name}.yaml.in" for name in NAMES], requested, "x") == "sanity_random"


def test_the_only_profile_is_the_default_and_two_are_a_question() -> None:
    assert choose(["nop"], None, "nop") == "nop"
    with pytest.raises(WorkloadError, match="Name one of its profiles as `workload`: a, b"):
        choose(["a", "b"], None, "x")


def test_an_unknown_profile_is_refused_with_the_nearest_and_the_list() -> None:
    with pytest.raises(WorkloadError) as caught:
        choose(NAMES, "sanity_radnom.yaml", "inference-perf")

    (problem,) = caught.value.problems
    assert problem.subject == "`sanity_radnom.yaml`"
    assert problem.hint == (
        "Did you mean `sanity_random`? It has: chatbot_synthetic, sanity_random."
    )


def test_a_name_is_one_visible_path_component() -> None:
    good = ["a", "sanity_random", "random_100-1_ISL-OSL.yaml.in", "v1.2+cpu"]
    bad = ["", ".", "..", ".a", "a/b", "a..b", "a\n", "ä", "-a", "a b", "x" * 200]

    assert [name for name in good + bad if is_name(name)] == good


def test_a_stem_loses_one_known_ending() -> None:
    names = ["a.yaml", "a.yaml.in", "a.yaml.j2", "a.yml", "a"]

    assert list(map(stem, names)) == ["a", "a", "a", "a.yml", "a"]
