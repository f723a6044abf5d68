"""Fields are set in a job file's text, and nothing else of it changes."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from llmdbenchd.core.job.editing import NoJobFile, edited, has, own_id, value_at

ADDED = {
    "submitted_environment": {"LLMDBENCH_HARNESS_NAME": "guidellm", "LLMDBENCH_X": 'a: "b" # ü'}
}
COMMENTED = """\
# mine
harness:  # the tool
  name: guidellm  # which
  cpu: 010
# between
models: a/b  # served

storage: {size: 1Gi}  # small
"""


def test_a_field_that_is_set_leaves_comments_and_other_fields_alone() -> None:
    new = edited(COMMENTED, {"models": "c/d", "storage.claim": "mine", "repeat": 3})

    assert (
        new
        == """\
# mine
harness:  # the tool
  name: guidellm  # which
  cpu: 010
# between
models: c/d  # served

storage: {size: 1Gi, claim: mine}  # small
repeat: 3
"""
    )


def test_a_section_keeps_what_is_written_beside_the_new_value_and_as_it_is_written() -> None:
    new = edited(COMMENTED, {"harness.parallelism": 2, "harness.name": "nop"})

    assert new == COMMENTED.replace(
        "  name: guidellm  # which\n  cpu: 010\n", "  {cpu: 010, parallelism: 2, name: nop}\n"
    )


@pytest.mark.parametrize(
    ("text", "changes", "harness"),
    [
        ("harness: nop", {"harness.cpu": "1"}, {"name": "nop", "cpu": "1"}),
        ("harness: nop", {"harness.name": "guidellm"}, {"name": "guidellm"}),
        ("harness:", {"harness.cpu": 1}, {"cpu": 1}),
        ("{}", {"harness.cpu": 1}, {"cpu": 1}),
        ("harness: {cpu: 3}", {"harness": "nop"}, "nop"),
    ],
)
def test_the_short_form_of_a_section_becomes_a_section(
    text: str, changes: dict[str, object], harness: object
) -> None:
    assert yaml.safe_load(edited(text, changes)) == {"harness": harness}


def test_what_is_no_section_has_no_place_for_a_field() -> None:
    with pytest.raises(NoJobFile, match="`storage` is no section, so `storage"):
        edited("storage: [a]", {"storage.claim": "b"})


@pytest.mark.parametrize(
    "text",
    [
        "models: |\n  a\n  b\nrepeat: 2\n",
        "models: |\n  a\n  b",
        "models:\n- a\n- b\n\nrepeat: 2",
        "models: []\nrepeat: 2",
        "models: &m [a]\nkeywords: *m\n",
        "models: a\nmodels: b\n",
        "? models\n: a\n",
        "{models: a, repeat: 2}",
        "models:\nrepeat: 2",
    ],
)
def test_any_form_of_a_value_can_be_replaced(text: str) -> None:
    rest = {key: value for key, value in yaml.safe_load(text).items() if key != "models"}
    new = edited(text, {"models": ["x/y", "z"]})

    assert yaml.safe_load(new) == rest | {"models": ["x/y", "z"]}
    assert new.count("models") == 1


def test_nodes_are_written_as_they_stand_so_no_number_changes_its_meaning() -> None:
    node = yaml.compose("{rate: 010, text: x, url: http://h}")
    clock = yaml.compose("{rate: 010, at: [1:30, {}]}")

    assert edited("", {"workload": node}) == "workload: {rate: 010, text: x, url: 'http://h'}\n"
    assert edited("repeat: 2", {"workload": clock}) == (
        "repeat: 2\nworkload:\n  rate: 010\n  at:\n  - 1:30\n  - {}\n"
    )


def test_a_text_of_many_lines_stays_what_it_is() -> None:
    text = "a: 1 # one\n\n\tb: ü\u2028\n"

    new = edited("repeat: 2", {"workload": {"file": "x.yaml", "text": text}})

    assert yaml.safe_load(new)["workload"]["text"] == text
    assert len(new.splitlines()) == 2


def test_a_value_is_found_by_its_dotted_name() -> None:
    assert value_at("harness: {name: nop}", "harness.name") == "nop"
    assert value_at("harness: nop", "harness.name") is None
    assert value_at("", "id") is None
    assert value_at("id: ''", "id") is None
    assert own_id("id: mine") == "mine"
    assert has("workload: {a: 1}", "workload")
    assert not has("workload: {a: 1}", "scenario")


@pytest.mark.parametrize("text", ["- a", "a: [", "just words", "a: 1\n---\nb: 2\n", "{" * 5000])
def test_what_is_no_job_file_cannot_be_edited(text: str) -> None:
    with pytest.raises(NoJobFile):
        edited(text, {"repeat": 2})


def test_what_becomes_too_large_is_refused() -> None:
    with pytest.raises(NoJobFile, match="larger than"):
        edited("repeat: 2", {"workload": {"file": "x.yaml", "text": "x" * 2**20}})


def test_a_value_that_yaml_has_no_word_for_is_a_mistake_of_ours() -> None:
    with pytest.raises(yaml.YAMLError):
        edited("", {"repeat": object()})


@pytest.mark.parametrize(
    "text",
    ["", "# only\n", "{}", "{a: 1}", "{a: 1, # c\n b: 2,}\n# end\n", "a: 1", "a: 1\n", "a: 1 # c",
     "# c\n---\na: 1\n...\n", "  a: 1\n  b: |+\n    x\n\n\n", "a:\n- b\n- c\n", "a:",
     "a: &x {b: 1}\nc: *x", "a: 'x'\n\n# trailing comment", "\ufeffa: 1\n", "a: 1\r\nb: 2\r\n"],
)  # fmt: skip
def test_adding_the_environment_changes_nothing_else(text: str) -> None:
    new = edited(text, ADDED)
    expected = (yaml.safe_load(text) or {}) | ADDED
    assert yaml.safe_load(new) == expected
    lines = text.removesuffix("...\n").splitlines()
    assert [line.removeprefix("{") for line in lines[1:]] == new.splitlines()[1 : len(lines)]


def test_a_last_value_that_an_added_line_would_change_keeps_its_place() -> None:
    text = "a: >\n  folded\n  text"
    expected = {"a": "folded text", **ADDED}
    assert yaml.safe_load(edited(text, ADDED)) == expected


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab: #-'\"\n|>{}[]ü", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text("abcd", min_size=1), PLAIN), st.sampled_from([None, True, False]))
def test_adding_the_environment_to_any_mapping_adds_only_that(
    job: dict[str, object],
    style: bool | None,  # noqa: FBT001 -- drawn by hypothesis
) -> None:
    text = yaml.safe_dump(job, default_flow_style=style, allow_unicode=True)
    new = edited(text, ADDED)
    assert yaml.safe_load(new) == {**job, **ADDED}


def test_a_bomb_of_aliases_is_not_expanded() -> None:
    text = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)
    )
    assert edited(text, ADDED).startswith(text)


def test_a_file_larger_than_a_job_file_is_refused() -> None:
    with pytest.raises(NoJobFile, match="larger than"):
        edited("a: " + "x" * 2**20, ADDED)
