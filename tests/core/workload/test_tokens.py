"""What a profile becomes when a run's variables are put in."""

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from llmdbenchd.core.workload import render
from llmdbenchd.core.workload.errors import WorkloadError

FILE = "sanity.yaml.in"

# Every character that a variable may hold: all of Unicode but NUL.
VALUES = st.text(st.characters(exclude_characters="\0"), min_size=1)
AWKWARD = st.text("ab1.:-#&*!|>'\"%@`{}[],?\\^/ \t\n~=<", min_size=1)
PLAINLY_NO_TEXT = {"~", "null", "true", "false", "yes", "no", "on", "off"}
PLACES = [
    "k: {}\nz: end\n",
    "k: {} # comment\nz: end\n",
    "k: '{}'\nz: end\n",
    'k: "{}"\nz: end\n',
    "k: {{a: {}, b: 1}}\nz: end\n",
    "k: [{}, 1]\nz: end\n",
    "k:\n- {}\n- - {}\nz: end\n",
    "k:\n  {}\nz: end\n",
    "k: http://{}/v1\nz: end\n",
    "k: 'x {} y'\nz: end\n",
    "{}: 1\nz: end\n",
    "k: |\n  first {}\n  last\nz: end\n",
    "k: >-\n  first {}\n  last\nz: end\n",
]


def as_text(text: str) -> object:
    """The YAML document with every scalar as text."""
    return yaml.load(text, yaml.BaseLoader)  # noqa: S506 - BaseLoader makes only text


def filled(document: object, value: str) -> object:
    """The document with the value put in after YAML has read it."""
    if isinstance(document, dict):
        return {filled(key, value): filled(each, value) for key, each in document.items()}
    if isinstance(document, list):
        return [filled(each, value) for each in document]
    return str(document).replace("REPLACE_ENV_X", value)


def rendered(template: str, **variables: str) -> object:
    return yaml.safe_load(render(template, variables, file=FILE))


def problems_of(template: str, **variables: str) -> list[tuple[int, str, str, str]]:
    with pytest.raises(WorkloadError) as caught:
        render(template, variables, file=FILE)
    found = caught.value.problems
    assert {problem.file for problem in found} == {FILE}
    return [(each.line, each.subject, each.message, each.hint) for each in found]


@pytest.mark.parametrize("place", PLACES)
@given(value=VALUES | AWKWARD)
@example(value="a^b&c\\d: #e/f g")
@example(value="---")
@example(value="... x")
@example(value="\ud800")
@example(value="\ue000:\ue001")
@example(value="# no")
@example(value="a\n\n  b\n")
@example(value="REPLACE_ENV_Y++++default=a: b")
def test_any_text_anywhere_is_read_back_as_that_text(place: str, value: str) -> None:
    template = place.format(*["REPLACE_ENV_X"] * place.count("{}"))
    if place.startswith("{}") and len(value) > 100:
        return  # YAML limits the length of a key; refused, see below

    result = render(template, {"X": value}, file=FILE)

    assert as_text(result) == filled(as_text(template), value)


@given(value=VALUES | AWKWARD)
def test_a_value_never_becomes_anything_but_text_or_what_it_plainly_is(value: str) -> None:
    found = rendered("REPLACE_ENV_X", X=value)

    if isinstance(found, int | float) and not isinstance(found, bool):
        assert found == pytest.approx(float(value), nan_ok=True)
    else:
        assert found == value or value.lower() in PLAINLY_NO_TEXT


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("20", 20),
        ("0.5", 0.5),
        ("true", True),
        ("null", None),
        ("2024-01-01", "2024-01-01"),  # no date
        ("1:30", "1:30"),  # no 90
        ("010", "010"),  # no 8
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("<<", "<<"),
        ("=", "="),
        ("{}", "{}"),
        ("[a]", "[a]"),
        ("a: b", "a: b"),
    ],
)
def test_only_plain_numbers_booleans_and_null_keep_a_meaning_of_their_own(
    value: str, meaning: object
) -> None:
    assert rendered("k: REPLACE_ENV_X", X=value) == {"k": meaning}
    assert rendered("k: 'REPLACE_ENV_X'", X=value) == {"k": value}


def test_a_value_is_written_as_the_author_wrote_the_token() -> None:
    template = "a: REPLACE_ENV_X  # why\nb: 'REPLACE_ENV_X'\nc: \"REPLACE_ENV_X\"\n"

    assert render(template, {"X": "it's"}, file=FILE) == "a: it's  # why\nb: 'it''s'\nc: \"it's\"\n"


def test_comments_and_layout_stay_and_tokens_in_comments_are_not_looked_at() -> None:
    template = "# REPLACE_ENV_NOWHERE\r\n\r\na :   REPLACE_ENV_X   # REPLACE_ENV_Y\r\n\r\n#end"

    assert render(template, {"X": "v"}, file=FILE) == template.replace("REPLACE_ENV_X", "v")


def test_a_value_is_not_searched_for_tokens() -> None:
    assert rendered("k: REPLACE_ENV_X", X="REPLACE_ENV_Y", Y="no") == {"k": "REPLACE_ENV_Y"}


def test_the_longest_name_is_the_name() -> None:
    template = "a: REPLACE_ENV_MODEL\nb: REPLACE_ENV_MODELID\nc: REPLACE_ENV_MODEL_ID-x"

    assert rendered(template, MODEL="m", MODELID="i", MODEL_ID="u") == {
        "a": "m",
        "b": "i",
        "c": "u-x",
    }


@pytest.mark.parametrize(
    ("scalar", "default"),
    [
        ("REPLACE_ENV_X++++default=- : . / a: b # comment", "- : . / a: b"),
        ("REPLACE_ENV_X++++default=a#b", "a#b"),
        ("'REPLACE_ENV_X++++default=it''s: #1'", "it's: #1"),
        ('"REPLACE_ENV_X++++default=a\\tb: #1"', "a\tb: #1"),
        ("pre REPLACE_ENV_X++++default=a b", "pre a b"),
        ("http://REPLACE_ENV_X++++default=h:80/v1 --then", "http://h:80/v1 --then"),
        ("'see \"REPLACE_ENV_X++++default=a b\" there'", 'see "a b" there'),
        ("REPLACE_ENV_X++++default='a b'", "a b"),
        ("REPLACE_ENV_X++++default=aREPLACE_COMMAb____c", "a,b c"),
        ("REPLACE_ENV_X++++default=", ""),
        ("REPLACE_ENV_X++++default=REPLACE_ENV_SET/x", "value/x"),
        ("REPLACE_ENV_SET++++default=other: b # c", "value"),
        ("{a: 1}", {"a": 1}),
    ],
)
def test_a_default_ends_where_the_rules_say(scalar: str, default: object) -> None:
    assert rendered(f"k: {scalar}\nz: 1", SET="value", X="") == {"k": default, "z": 1}


def test_a_default_in_a_list_or_in_braces_ends_with_its_item() -> None:
    template = (
        "- REPLACE_ENV_X++++default=a: b\n"
        "- {a: REPLACE_ENV_X++++default=http://h:1/, b: 2}\n"
        "- [REPLACE_ENV_X++++default=x, REPLACE_ENV_X++++default=y z]\n"
    )

    assert rendered(template) == ["a: b", {"a": "http://h:1/", "b": 2}, ["x", "y z"]]


def test_a_default_in_a_block_ends_with_its_line() -> None:
    template = (
        "k: |\n  curl 'http://REPLACE_ENV_X++++default=h:80/a b'\n  REPLACE_ENV_Y++++default=c\n"
    )

    assert rendered(template + "  d\n") == {"k": "curl 'http://h:80/a b'\nc\nd\n"}


def test_every_missing_variable_is_named_at_once_with_its_line() -> None:
    template = "a: REPLACE_ENV_MODLE\nb: |\n  x\n  REPLACE_ENV_EMPTY\nc: REPLACE_ENV_\n"
    template += "d: REPLACE_ENV_X+++default=1\n# REPLACE_ENV_NO\n"

    assert problems_of(template, MODEL="m", EMPTY="") == [
        (
            1,
            "REPLACE_ENV_MODLE",
            "cannot be replaced: MODLE is not set and the token has no default",
            "Did you mean `MODEL`?",
        ),
        (
            4,
            "REPLACE_ENV_EMPTY",
            "cannot be replaced: EMPTY is empty and the token has no default",
            "Set EMPTY, or write REPLACE_ENV_EMPTY++++default=VALUE.",
        ),
        (5, "REPLACE_ENV_", "names no variable", "Write REPLACE_ENV_NAME."),
        (
            6,
            "REPLACE_ENV_X",
            "has a misspelt default",
            "Write REPLACE_ENV_X++++default=VALUE.",
        ),
    ]


@pytest.mark.parametrize(
    ("template", "line"), [("a: 1\nb: [", 2), ("a: 1\n\tb: 2", 2), ("a: b: c", 1)]
)
def test_a_profile_that_is_not_yaml_is_refused_with_the_line(template: str, line: int) -> None:
    assert [found[0] for found in problems_of(template)] == [line]


def test_a_value_that_cannot_stand_where_its_token_stands_is_refused() -> None:
    ((line, _, message, _),) = problems_of("a: 1\nREPLACE_ENV_X: 2", X="x y" * 1000)

    assert (line, "YAML" in message) == (2, True)
