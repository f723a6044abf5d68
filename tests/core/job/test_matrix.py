"""From a job to its runs."""

from llmdbenchd.core.job.matrix import Cell, runs
from llmdbenchd.core.job.model import JobSpec


def test_models_methods_and_repetitions_multiply_in_a_stable_order() -> None:
    spec = JobSpec.model_validate({"models": "a,b", "methods": "standalone,other", "repeat": 2})
    found = [(one.run, one.model, one.method, one.repetition) for one in runs(spec)]

    assert found == [
        ("r001", "a", "standalone", 1),
        ("r002", "a", "standalone", 2),
        ("r003", "a", "other", 1),
        ("r004", "a", "other", 2),
        ("r005", "b", "standalone", 1),
        ("r006", "b", "standalone", 2),
        ("r007", "b", "other", 1),
        ("r008", "b", "other", 2),
    ]
    assert len(found) == spec.cells


def test_a_url_takes_the_place_of_all_methods() -> None:
    spec = JobSpec.model_validate({"endpoint": "http://h", "methods": "a,b", "models": "m"})

    assert runs(spec) == (Cell("r001", "m", "endpoint", "", 1),)
    assert spec.cells == 1


def test_the_ids_of_many_runs_stay_different() -> None:
    found = runs(JobSpec.model_validate({"models": [f"m{n}" for n in range(11)], "repeat": 100}))

    assert len({one.run for one in found}) == 1100
    assert (found[0].run, found[-1].run) == ("r001", "r1100")
