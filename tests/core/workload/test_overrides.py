"""Values of a profile changed by name, in its text."""

from collections.abc import Mapping
from functools import partial

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from llmdbenchd.core.workload import override, prepare
from llmdbenchd.core.workload.errors import WorkloadError
from llmdbenchd.core.workload.writing import scalar

FILE = "sanity.yaml.in"
PROFILE = """\
# measures things
load:
  type: constant   # kept
  stages:  # also kept
  - rate: 1
    duration: 30  # seconds
  - {rate: 2, duration: 60}
  # below the stages
request-rate: 7
data:
  input: {min: 10, max: 100}
  output:
    min: 10
    max: 100
    empty:
  text: |
    rate: 5
    min: 3

model: REPLACE_ENV_MODEL++++default=a: b   # a token
last: "min: 1"
"""


def problems_of(overrides: Mapping[str, object], text: str = PROFILE) -> list[tuple[int, str]]:
    with pytest.raises(WorkloadError) as caught:
        override(text, overrides, file=FILE)
    return [
        (each.line, f"{each.subject} {each.message}. {each.hint}".strip())
        for each in caught.value.problems
    ]


def lines_changed(overrides: Mapping[str, object], text: str = PROFILE) -> list[tuple[str, str]]:
    after = override(text, overrides, file=FILE).split("\n")
    pairs = zip(text.split("\n"), after, strict=True)
    return [(old, new) for old, new in pairs if old != new]


def test_the_seed_s_bare_names_change_every_leaf_of_that_name_and_nothing_else() -> None:
    assert lines_changed({"min": 20, "rate": 5}) == [
        ("  - rate: 1", "  - rate: 5"),
        ("  - {rate: 2, duration: 60}", "  - {rate: 5, duration: 60}"),
        ("  input: {min: 10, max: 100}", "  input: {min: 20, max: 100}"),
        ("    min: 10", "    min: 20"),
    ]


def test_a_path_changes_one_value_and_beats_a_bare_name() -> None:
    changes = {
        "load.stages.-1.rate": 9,
        "load.stages.0.duration": 1,
        "data.output.min": 3,
        "min": 4,
    }

    assert lines_changed(changes) == [
        ("    duration: 30  # seconds", "    duration: 1  # seconds"),
        ("  - {rate: 2, duration: 60}", "  - {rate: 9, duration: 60}"),
        ("  input: {min: 10, max: 100}", "  input: {min: 4, max: 100}"),
        ("    min: 10", "    min: 3"),
    ]


def test_a_block_gives_way_to_a_list_and_the_comments_around_it_stay() -> None:
    changed = override(PROFILE, {"load.stages": [{"rate": 3, "duration": 5}]}, file=FILE)

    assert "  stages: [{rate: 3, duration: 5}]  # also kept\n  # below the stages\nreq" in changed


def test_a_whole_mapping_can_be_given_by_its_bare_name() -> None:
    changed = override(PROFILE, {"output": {"type": "fixed"}, "load": None}, file=FILE)

    assert "\n  output: {type: fixed}\n  text: |\n" in changed
    assert "# measures things\nload: null\n  # below the stages\nrequest-rate" in changed


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("empty", 5, "    empty: 5"),
        ("max", "20", "    max: '20'"),
        ("max", "a\nb", '    max: "a\\nb"'),
        ("max", None, "    max: null"),
        ("max", "REPLACE_ENV_X++++default=a: b", "    max: 'REPLACE_ENV_X++++default=a: b'"),
        ("max", [1, "a, b"], "    max: [1, 'a, b']"),
        ("max", 1e-05, "    max: 1.0e-05"),
        ("max", float("nan"), "    max: .nan"),
        ("model", "x", "model: x   # a token"),
        ("last", True, "last: true"),
        ("text", "x", "  text: x"),
        ("load.stages.0", 7, "  - 7  # seconds"),
    ],
)
def test_a_value_is_written_so_that_it_stays_what_it_is(
    name: str, value: object, line: str
) -> None:
    assert line in override(PROFILE, {name: value}, file=FILE).split("\n")


def test_nothing_to_change_changes_nothing() -> None:
    assert override("not: yaml: at all", {}, file=FILE) == "not: yaml: at all"


def test_every_override_that_is_not_possible_is_named_at_once() -> None:
    wrong = {
        "mim": 1,
        "stages": 1,
        "max": object(),
        "load.stages.2.rate": 1,
        "data.input.mean": 1,
        "load.type.x": 1,
        "output.min": 1,
    }
    nowhere = "leads nowhere:"
    expected = [
        (
            "mim is not a key of this profile. Did you mean `min`? The profile has: type, rate, "
            "duration, request-rate, min, max, empty, text, model, last."
        ),
        (
            "stages is a list (`load.stages`), not a single value. Name a value in it, or give the "
            "whole as YAML; it holds: load.stages.0, load.stages.1."
        ),
        "max has no form in YAML. ",
        (
            f"load.stages.2.rate {nowhere} `load.stages` is a list of 2, without `2`. Did you mean "
            "`load.stages.1.rate`? Items count from 0, or from -1 backwards."
        ),
        (
            f"data.input.mean {nowhere} `data.input` has no key `mean`. Did you mean "
            "`data.input.min`? It has: min, max."
        ),
        (
            f"load.type.x {nowhere} `load.type` is a single value, with nothing below it. Did you "
            "mean `load.type`?"
        ),
        (
            f"output.min {nowhere} the profile has no key `output`. Did you mean "
            "`data.output.min`? It has: load, request-rate, data, model, last."
        ),
    ]

    found = problems_of(wrong)

    assert [line for line, _ in found] == [0, 5, 0, 5, 11, 3, 2]
    for (_, message), start in zip(found, expected, strict=True):
        assert message.startswith(start)


def test_two_overrides_of_which_one_swallows_the_other_are_refused() -> None:
    ((line, message),) = problems_of({"data.input": {"min": 1}, "data.input.min": 2})

    assert line == 11
    assert "which `data.input` replaces as a whole" in message


def test_a_change_that_an_alias_would_carry_elsewhere_is_refused() -> None:
    text = "a: &x {min: 1}\nb: *x\nc: &n 5\nd: *n\n"

    assert "would also change `b`, through the anchor &x" in problems_of({"a.min": 2}, text)[0][1]
    assert "is an alias (*x)" in problems_of({"b.min": 2}, text)[0][1]
    assert "would also change `d`" in problems_of({"c": 2}, text)[0][1]
    assert override(text, {"c": 2, "d": 3}, file=FILE) == "a: &x {min: 1}\nb: *x\nc: 2\nd: 3\n"
    assert override(text, {"min": 2}, file=FILE) == text.replace("min: 1", "min: 2")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\n---\na: 2\n", "holds 2 documents"),
        ("a: 1\nb: 2\na: 3\n", "is there twice"),
        ("a: [1\n", "not valid YAML"),
        ("a: " + "[" * 200 + "]" * 200, "nested too deeply"),
        ("{a}", "cannot be changed in place"),
    ],
)
def test_a_profile_in_which_nothing_can_be_changed_safely_is_refused(text: str, words: str) -> None:
    assert words in problems_of({"a": 5}, text)[0][1]


def test_overrides_come_before_tokens_and_after_jinja() -> None:
    variables = {"M": "m"}
    changes: dict[str, object] = {"a": "REPLACE_ENV_M"}

    assert prepare("a: 1", overrides=[changes], variables=variables, file="p.yaml.in") == "a: m"
    jinja = prepare("a: {{ M }}", overrides=[{"a": 2}], variables=variables, file="p.yaml.j2")
    assert jinja == "a: 2"


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
NAMES = st.sampled_from(["min", "max", "rate", "request-rate", "a b"])
VALUES = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3),
    max_leaves=12,
)
TEXTS = st.builds(
    partial(yaml.safe_dump, allow_unicode=True),
    st.dictionaries(NAMES, VALUES, min_size=1),
    default_flow_style=st.sampled_from([None, True, False]),
)


def paths(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths to everything below, sections included."""
    if not isinstance(value, dict | list):
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [
        each
        for key, below in items
        for each in [(*path, str(key)), *paths(below, (*path, str(key)))]
    ]


def replaced(document: object, path: tuple[str, ...], value: object) -> object:
    """The document with one value replaced."""
    if not path:
        return value
    if isinstance(document, dict):
        return {
            key: replaced(below, path[1:], value) if key == path[0] else below
            for key, below in document.items()
        }
    assert isinstance(document, list)
    return [
        replaced(below, path[1:], value) if str(index) == path[0] else below
        for index, below in enumerate(document)
    ]


def with_new_rates(value: object, key: object = None) -> object:
    """The document with "new" as each leaf that is called `rate`."""
    if isinstance(value, dict) and value:
        return {name: with_new_rates(below, name) for name, below in value.items()}
    if isinstance(value, list) and value:
        return [with_new_rates(below) for below in value]
    return "new" if key == "rate" else value


@pytest.mark.parametrize("value", ["]: 0", "]: {a: 0}", "]", "a]: 0"])
def test_a_text_that_would_end_the_list_around_it_is_quoted(value: str) -> None:
    """The list became a key, and looking at its pairs as items was a crash."""
    assert yaml.safe_load(f"[{scalar(value, style='', in_flow=True)}]") == [value]
    changed = override("k: [{}, 1]\n", {"k.1": value}, file=FILE)

    assert yaml.safe_load(changed) == {"k": [{}, value]}


@given(text=TEXTS, data=st.data())
def test_a_path_changes_its_own_value_and_no_other(text: str, data: st.DataObject) -> None:
    document = yaml.safe_load(text)
    nested = [path for path in paths(document) if len(path) > 1]
    assume(nested)
    path = data.draw(st.sampled_from(nested))
    value = data.draw(SCALARS | st.lists(SCALARS, max_size=2))

    changed = override(text, {".".join(path): value}, file=FILE)

    assert yaml.safe_load(changed) == replaced(document, path, value)


@given(text=TEXTS)
def test_a_bare_name_changes_exactly_the_leaves_of_that_name(text: str) -> None:
    document = yaml.safe_load(text)
    expected = with_new_rates(document)
    assume(expected != document)

    assert yaml.safe_load(override(text, {"rate": "new"}, file=FILE)) == expected
