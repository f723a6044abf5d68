"""What the scripts of the field's image can rely on in the variables that they are given."""

import pytest

from llmdbenchd.core.launch.plan import IMAGE
from tests.core.job.test_environment import attempt_of, spec_of


@pytest.mark.parametrize(
    ("fields", "debug", "locally"),
    [({}, "0", "0"), ({"harness": {"debug": True}, "analyze_locally": True}, "1", "1")],
)
def test_a_switch_of_the_era_is_a_number_as_its_scripts_compare_it(
    fields: dict[str, object], debug: str, locally: str
) -> None:
    """`[[ $LLMDBENCH_HARNESS_DEBUG -eq 1 ]]` is false for `true`."""
    env = attempt_of(spec_of(**fields)).plan(1, IMAGE).env

    assert env["LLMDBENCH_HARNESS_DEBUG"] == debug
    assert env["LLMDBENCH_RUN_EXPERIMENT_ANALYZE_LOCALLY"] == locally


def test_a_switch_of_vllm_is_a_word_as_the_era_wrote_it() -> None:
    harness = {"env_to_pod": ["LLMDBENCH_VLLM_COMMON"]}
    env = attempt_of(spec_of(harness=harness, nop={"sleep_mode": True})).plan(1, IMAGE).env

    assert env["LLMDBENCH_VLLM_COMMON_ENABLE_SLEEP_MODE"] == "true"
