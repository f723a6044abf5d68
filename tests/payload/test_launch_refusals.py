"""What cannot be run is refused with its own code and sentence, and never with a traceback."""

import pytest

from tests.payload.stage import Stage, assert_proven


@pytest.mark.parametrize(
    ("change", "code", "kind", "word"),
    [
        ({"PATH": "/nowhere"}, 127, "program missing", "inference-perf"),
        ({"LLMDBENCH_HARNESS_NAME": "no-such"}, 127, "script missing", "no_such.py"),
        ({"LLMDBENCH_HARNESS_NAME": ""}, 64, "wrong contract", "LLMDBENCH_HARNESS_NAME"),
        ({"LLMDBENCH_HARNESS_EXECUTABLE": "/no/such"}, 127, "program missing", "/no/such"),
        ({"LLMDBENCH_HARNESS_EXECUTABLE": "/etc/passwd"}, 126, "not executable", "/etc/passwd"),
        ({"LLMDBENCH_HARNESS_EXECUTABLE": "a 'b"}, 64, "wrong contract", "No closing quotation"),
        ({"LLMDBENCH_HARNESS_EXECUTABLE": "/etc"}, 126, "not executable", "/etc"),
        (
            {"LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME": "lost"},
            66,
            "profile unusable",
            "lost.yaml",
        ),
    ],
)
def test_what_cannot_be_started_has_its_own_code_sentence_and_done_mark(
    stage: Stage, change: dict[str, str], code: int, kind: str, word: str
) -> None:
    stage.env |= change

    outcome = stage.run()

    assert outcome.returncode == code
    assert stage.kinds == [kind]
    assert word in stage.done["problems"][0]["detail"]
    assert word in outcome.stderr.decode()
    assert b"Traceback" not in outcome.stderr
    assert (stage.done["harness_rc"], stage.done["started"]) == (None, None)
    assert stage.times_started == 0
    assert_proven(stage.results)


def test_a_script_with_a_missing_interpreter_is_not_called_missing_itself(stage: Stage) -> None:
    stage.executable("#!/no/such/interpreter\n")

    assert stage.run().returncode == 126
    assert "interpreter" in stage.done["problems"][0]["detail"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR", ""),
        ("LLMDBENCH_HARNESS_NAME", "../evil"),
        ("LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME", "/etc/passwd"),
        ("LLMDBENCHD_GRACE_SECONDS", "soon"),
    ],
)
def test_a_broken_contract_touches_nothing(stage: Stage, name: str, value: str) -> None:
    stage.env[name] = value

    outcome = stage.run()

    assert outcome.returncode == 64
    assert name in outcome.stderr.decode() or value in outcome.stderr.decode()
    assert not stage.results.exists()


def test_a_results_folder_that_cannot_be_made_is_told(stage: Stage) -> None:
    stage.results.write_text("a file")

    assert stage.run().returncode == 73
    assert stage.results.read_text() == "a file"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def prepare(context):\n    return 1 / 0\n", (b"ZeroDivisionError", b"line 2")),
        ("def prepare(context):\n    return None\n", (b"None, not a Command",)),
        ("def prepare(:\n", (b"SyntaxError",)),
        ("import no_such_module\n", (b"no_such_module", b"line 1")),
    ],
)
def test_a_broken_harness_script_is_told_with_its_line_and_starts_nothing(
    stage: Stage, text: str, words: tuple[bytes, ...]
) -> None:
    stage.script(text)

    outcome = stage.run()

    assert outcome.returncode == 70
    assert all(word in outcome.stderr for word in words), outcome.stderr
    assert b"Traceback" not in outcome.stderr
    assert stage.kinds == ["script broken"]
