"""What went wrong in the field while somebody waited for a load, and does not here."""

from collections.abc import Sequence

import pytest

from llmdbenchd.controllers.intake import Accepted, judge
from llmdbenchd.core.job.accepted import AcceptedJob, decoded, encoded
from llmdbenchd.core.job.examination import examine
from llmdbenchd.core.job.problems import Problem
from llmdbenchd.core.job.scenarios import ScenarioFile
from llmdbenchd.core.job.whole import read_whole_job
from llmdbenchd.core.launch.plan import IMAGE
from tests.controllers.test_intake import Desk, Profile
from tests.core.job.test_environment import attempt_of, spec_of
from tests.core.run.cases import NOW
from tests.fakes.queue import dropped

SH = "export LLMDBENCH_HARNESS_WAIT_TIMEOUT=36000\n"
YAML = "LLMDBENCH_HARNESS_WAIT_TIMEOUT: 36000\n"


class Scene(Desk):
    """A profile whose load lasts so long, and a scenario in each language."""

    def __init__(self, load_s: int) -> None:
        self.text = f"load: {{stages: [{{rate: 1, duration: {load_s}}}]}}\n"

    def read(self, harness: str, name: str) -> Profile:
        assert harness
        assert name
        return Profile(self.text)

    def open_scenario(self, name: str) -> ScenarioFile:
        return ScenarioFile(name, SH if name.endswith(".sh") else YAML)


def accepted(load_s: int, text: str) -> AcceptedJob:
    """The job as it is taken, and read again from the disk."""
    job = f"endpoint: http://h:1\nmodels: m\n{text}"
    judged = judge(dropped("j", job), Scene(load_s), NOW)
    assert isinstance(judged, Accepted), judged
    return decoded(encoded(judged.job))


def warned(load_s: int, text: str) -> Sequence[Problem]:
    desk = Scene(load_s)
    job = f"endpoint: http://h:1\nmodels: m\n{text}".encode()
    reading = read_whole_job(job, stem="j", environment={}, files=desk)
    examined = examine(reading, engine="local", shelf=desk, read_path=desk.read_path)
    assert examined.problems == ()
    return [one for one in examined.warnings if one.field == "harness.wait_timeout"]


def test_the_deadline_comes_from_the_profile_where_nobody_gave_one() -> None:
    """#84: a load of two hours was ended after one, whatever its profile said."""
    assert accepted(7200, "").limits.run_s == 8700
    assert accepted(600, "").limits.run_s == 3600, "and never less than it always was"


def test_a_deadline_that_was_given_stays_and_check_warns_that_it_is_too_short() -> None:
    text = "harness: {wait_timeout: 7000}\n"

    assert accepted(7200, text).limits.run_s == 7000
    [told] = warned(7200, text)
    assert (told.line, told.message) == (
        3,
        "the load lasts 7200 s, and the launchers are stopped after 7000 s",
    )
    assert told.hint == "write wait_timeout: 8700"


def test_a_deadline_longer_than_the_usual_one_is_told_before_anything_runs() -> None:
    [told] = warned(7200, "")

    assert "are stopped after 8700 s" in told.message
    assert warned(600, "") == []
    assert warned(7200, "harness: {wait_timeout: 0}\n") == []


@pytest.mark.parametrize("scenario", ["spyre.sh", "spyre.yaml"])
def test_the_waiting_time_of_a_scenario_is_the_one_in_force(scenario: str) -> None:
    """PR #986: a scenario said ten hours, and the tool waited for its own hour."""
    assert accepted(7200, f"scenario: {scenario}\n").limits.run_s == 36000


@pytest.mark.parametrize(
    ("more", "run_s"),
    [
        ("submitted_environment: {LLMDBENCH_HARNESS_WAIT_TIMEOUT: 1}\n", 36000),
        ("variables: {LLMDBENCH_HARNESS_WAIT_TIMEOUT: 2}\n", 2),
        ("harness: {wait_timeout: 3}\nvariables: {LLMDBENCH_HARNESS_WAIT_TIMEOUT: 2}\n", 3),
    ],
)
def test_a_waiting_time_is_chosen_by_the_one_rule_for_all_values(more: str, run_s: int) -> None:
    assert accepted(60, f"scenario: s.sh\n{more}").limits.run_s == run_s


def test_no_limit_is_hard_wired_each_is_a_field_of_the_job() -> None:
    """#1696: results were given up after the 120 s that somebody had written into the code."""
    text = "timeouts: {bind: 1, pull: 2, target: 3, start: 4, collect: 5}\n"
    limits = accepted(60, f"{text}harness: {{wait_timeout: 6}}\n").limits

    assert (limits.bind_s, limits.pull_s, limits.target_s) == (1, 2, 3)
    assert (limits.start_s, limits.collect_s, limits.run_s) == (4, 5, 6)


def test_launchers_that_begin_one_after_the_other_have_the_time_for_it() -> None:
    """#1136: each further launcher of a staggered load begins, and so ends, later."""
    text = "harness: {parallelism: 4, stagger: 600}\n"

    assert accepted(3000, text).limits.run_s == (3000 + 3 * 600) * 1.2 + 60


@pytest.mark.parametrize("mode", ["claim", "ephemeral"])
def test_each_launcher_of_a_staggered_load_begins_later_than_the_one_before(mode: str) -> None:
    """#1136: the load of several launchers may grow step by step."""
    harness = {"parallelism": 3, "stagger": 30}
    attempt = attempt_of(spec_of(harness=harness, storage={"mode": mode}))
    envs = [attempt.plan(index, IMAGE).env for index in (1, 2, 3)]

    later = [env.get("LLMDBENCHD_STAGGER_SECONDS") for env in envs]
    assert later == [None, "30", "60"]
