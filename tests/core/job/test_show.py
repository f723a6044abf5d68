"""A mistake as people read it: place, words, the line with a caret, what to do."""

from llmdbenchd.core.job.jobfile import read_job
from llmdbenchd.core.job.problems import Problem, show


def shown(text: str) -> list[str]:
    reading = read_job(text.encode(), stem="x", environment={})
    return show(reading.problems[0], reading.text, "x.yaml").split("\n")


def caret(line: str, column: int) -> list[str]:
    return show(Problem(1, column, "", "here"), line, "x.yaml").split("\n")[1:]


def test_a_mistake_is_shown_where_it_stands() -> None:
    assert shown("name: x\nharness: {cpus: 1}\n") == [
        "x.yaml:2:11: harness.cpus: is not a field",
        "    harness: {cpus: 1}",
        "              ^",
        '    hint: did you mean "cpu"?',
    ]


def test_the_caret_stands_below_the_column_after_a_tab() -> None:
    line, below = caret("a:\tb", 4)

    assert (line, below) == ("    a: b", "       ^")


def test_wide_letters_take_two_columns_and_accents_none() -> None:
    assert caret("模型: x", 5)[1] == "    " + " " * 6 + "^"
    assert caret("e\u0301: x", 5)[1] == "    " + " " * 3 + "^"


def test_a_long_line_is_cut_around_the_caret() -> None:
    line, below = caret("a" * 500 + "X" + "b" * 500, 501)

    assert len(line) < 120
    assert line.strip().startswith("…")
    assert line.endswith("…")
    assert line[below.index("^")] == "X"


def test_the_beginning_and_the_end_of_a_long_line_keep_their_places() -> None:
    for column in (1, 1000):
        text = "".join(chr(0x4E + n % 8) for n in range(999)) + "X"
        line, below = caret(text, column)

        assert line[below.index("^")] == text[column - 1]


def test_a_caret_behind_the_last_letter_is_possible() -> None:
    assert caret("name: [a", 9)[1] == "    " + " " * 8 + "^"


def test_a_mistake_outside_of_the_file_shows_no_line() -> None:
    assert show(Problem(0, 0, "repeat", "wrong"), "name: x", "x.yaml") == "x.yaml: repeat: wrong"


def test_a_mistake_in_a_file_that_is_no_text_shows_no_line() -> None:
    assert show(Problem(1, 1, "", "is binary"), "", "x.yaml") == "x.yaml:1:1: is binary"


def test_a_secret_is_never_quoted() -> None:
    for text in (
        "variables: {LLMDBENCH_HF_TOKEN: topsecret, A: b}",
        "harness: {env: {OPENAI_API_KEY: topsecret}}",
        "harness: {env: {openai_api_key: 'a, topsecret'}}",
        "submitted_environment:\n  LLMDBENCH_CLUSTER_TOKEN: 'topsecret'",
        "endpoint: http://me:topsecret@host",
        "description: [hf_topsecretabc]",
        "nane: hf_topsecretabc",
        "variables: {LLMDBENCH_X: hf_topsecretabc}",
        "overrides: hf_topsecretabc",
    ):
        lines = shown(text)

        assert "topsecret" not in "\n".join(lines)
        assert "*" in "\n".join(lines)


def test_masking_moves_no_caret() -> None:
    lines = shown("variables: {LLMDBENCH_HF_TOKEN: topsecret, LMD: b}")

    assert lines[1] == "    variables: {LLMDBENCH_HF_TOKEN: ******************"
    assert lines[2].index("^") == lines[1].index("LLMDBENCH_HF_TOKEN")


def test_the_name_of_a_secret_is_none() -> None:
    assert shown("hf_token: {secret: mine, kee: k}")[1] == "    hf_token: {secret: mine, kee: k}"


def test_an_escape_sequence_never_reaches_the_terminal() -> None:
    text = 'name: [\x1b]0;title\x07"'

    assert "\x1b" not in show(Problem(1, 1, "", "x"), text, "x.yaml")
