"""Profiles that are lists of options: what YAML means by them, and nothing else."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.payload.options import arguments, read

PROFILE = """\
# a comment
model: org/model#1  # not part of it
base_url: http://h:80
ignore-eos: none
streaming: true
quiet: false
empty:
null-one: null
metric-percentiles: "0.1,1"
label: 'it''s'
number: 0.50
text: "true"
"""


def test_a_line_is_an_option_and_none_makes_a_bare_flag() -> None:
    expected = [
        "--model=org/model#1",
        "--base-url=http://h:80",
        "--ignore-eos",
        "--streaming",
        "--metric-percentiles=0.1,1",
        "--label=it's",
        "--number=0.50",
        "--text=true",
    ]

    assert arguments(read(PROFILE)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1, 2]", "line 1: a: a value is one word or a quoted text"),
        ("a: 1\nb:\n  c: 2\n", "line 3 is not an option"),
        ("- a", "line 1 is not an option"),
        ("a: |\n  x", "line 1: a: a value is one word"),
        ("a:1", "line 1 is not an option"),
        ("a", "line 1 is not an option"),
        ("a: 1\na: 2", "line 2: a is given twice"),
        ("a_b: 1\na-b: 2", "line 2: a-b is given twice"),
        ('a: "x', "line 1: a: its double quotes are not closed"),
        ("a: 'x", "line 1: a: its single quotes are not closed"),
        ("a: 'x' y", "line 1: a: 'y' follows its quotes"),
    ],
)
def test_what_cannot_be_an_option_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="line") as caught:
        read(text)

    assert str(caught.value).startswith(words)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_text_that_a_yaml_library_wrote_in_double_quotes_comes_back(text: str) -> None:
    written = yaml.safe_dump({"a": text}, default_style='"', width=10**6, allow_unicode=True)
    line = written.replace('"a": ', "a: ", 1)
    try:
        options = read(line)
    except ValueError:
        return  # an escape that JSON has not: refused, never misread

    assert options == {"a": text}
