"""A top-level block of a YAML text is set without a YAML library, whatever form the text has."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.payload.yamltext import quoted, with_top_level

PATH = '/a b/"c"'
NEW = {"local_storage": {"path": PATH}}
VALUE = f"{{local_storage: {{path: {quoted(PATH)}}}}}"

FORMS = {
    "nothing": "",
    "only comments": "# one\n\n  # two",
    "a marker and nothing": "---\n",
    "no storage": "load: {type: constant}\napi: x\n",
    "no line end": "load:\n  type: constant",
    "a block": "a: 1\nstorage:\n  local_storage:\n    path: /old\n    prefix: x\nb: 2\n",
    "the last block": "a: 1\nstorage:\n  local_storage:\n    path: /old",
    "the first block": "storage:\n  local_storage: {path: /old}\n\n# of b\nb: 2\n",
    "a flow on one line": "storage: {local_storage: {path: /old}}\nb: [1, 2]\n",
    "a flow on many lines": "storage: {\n  local_storage: {\n    path: /old } }\nb: 2\n",
    "a flow without indentation": "storage: {\nlocal_storage: {\npath: /old\n}\n}\nb: 2\n",
    "null": "a: 1\nstorage:\nb: 2\n",
    "tilde": "storage: ~\nb: 2\n",
    "quoted keys": '"a": 1\n"storage":\n  "x": 1\n\'b\': 2\n',
    "a space before the colon": "a : 1\nstorage : {x: 1}\nb : 2\n",
    "an explicit key": "? storage\n: {x: 1}\n? b\n: 2\n",
    "an anchor and a tag": "a: &x {k: 1}\nstorage: !!map &y {z: 1}\nb: *x\n",
    "an alias": "a: &x {k: 1}\nstorage: *x\nb: 2\n",
    "a merge": "<<: {storage: {x: 1}}\nb: 2\n",
    "storage further down": "a:\n  storage: {x: 1}\nb: {storage: 2}\nc: [storage]\n",
    "storage in a block scalar": "a: |\n  storage: {\n  '\nb: >-\n   \"storage: {\nc: 3\n",
    "a nested block scalar": "a:\n  - k: |\n      storage: {\n    l: '\n\n      x'\nb: 1\n",
    "a quote left open in a block scalar": 'a: |\n  k: "\nstorage: 1\nb: "x"\n',
    "a bracket left open in a block scalar": "a:\n- >\n  [\nstorage: 1\nb: [1]\n",
    "storage in a quoted scalar": "a: \"x\n  storage: 1\n  {\"\nb: 'it''s\n  {'\nc: 1\n",
    "a quoted scalar without indentation": 'a: "x\nstorage: 1"\nb: 2\n',
    "storage in a comment": "a: 1 # storage: {\n# storage: {\nb: 2\n",
    "a comment in a flow": "a: {x: 1, # }\n  y: 2}\nstorage: {z: 1} # }\nb: 2\n",
    "quotes inside plain scalars": "a: it's {fine\nb: don't [worry\nstorage: 1\nc: x\n",
    "a url": "a: http://h:1/#x\nstorage: {local_storage: {path: 's3://b'}}\nb: {u: http://h/}\n",
    "a list at the key's column": "a:\n- 1\n- {x: [\n2]}\nstorage:\n  x: 1\nb:\n- storage\n",
    "closing brackets at the margin": "a:\n  b: [\n    1,\n]\nstorage: {x: {\n}\n}\nc: 1\n",
    "two blocks": "storage: 1\nb: 2\nstorage: {x: 1}\n",
    "indented as a whole": "  a: 1\n  storage:\n    x: 1\n  b: 2\n",
    "a marker before and after": "%YAML 1.1\n--- # go\na: 1\nstorage: {x: 1}\n...\n",
    "windows line ends": "a: 1\r\nstorage:\r\n  x: 1\r\nb: 2\r\n",
    "a flow document": "{load: {a: 1}, storage: {x: 1}, b: 2}",
    "a flow document without storage": "{\n  load: {a: 1}\n}\n",
    "an empty flow document": "{}\n",
    "a flow document after a marker": "--- {a: 1,\n storage: [1, {x: '}'}],}\n",
    "json": '{"a": "storage: }", "storage":{"x":"y, }"}, "b":[1,2]}',
    "json on lines": '{\n  "storage": {\n    "x": 1\n  },\n  "b": "it\'s \\" , storage"\n}\n',
    "comments in a flow document": "{ # a: {\n  a: 1, # storage: 2\n  # x\n  storage: 3, b: 4 }\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_storage_is_set_and_nothing_else_changes(text: str) -> None:
    before: dict[str, Any] = yaml.safe_load(text) or {}

    after = with_top_level(text, "storage", VALUE)

    assert yaml.safe_load(after) == {**before, "storage": NEW}
    assert with_top_level(after, "storage", VALUE) == after


def test_comments_stay_where_they_are() -> None:
    text = "# head\na: 1  # one\n\nstorage:\n  # inside\n  x: 1\n\n# of b\nb: 2\n"

    after = with_top_level(text, "storage", "1")

    assert after == "# head\nstorage: 1\na: 1  # one\n\n\n# of b\nb: 2\n"


@pytest.mark.parametrize(
    "text", ["- 1\n- 2\n", "- a: 1\n", "just words\n", "[1, 2]\n", "{a: 1\n", "'x'\n"]
)
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is not a mapping|it begins with"):
        with_top_level(text, "storage", VALUE)


WORDS = st.text(st.sampled_from("ab{}[]'\"#:,&*!|>-? \\\u20ac"), max_size=12)
LEAVES = st.none() | st.booleans() | st.integers() | WORDS
KEYS = st.sampled_from(["storage", "a", "b c", "it's", "x: y", "{", "#", "? q", "- d"])
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)


STYLES = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([None, True, False]),
        "default_style": st.sampled_from([None, '"', "'"]),
        "indent": st.integers(2, 4),
    }
)


@given(document=st.dictionaries(KEYS, TREES, max_size=4), style=STYLES)
def test_whatever_a_yaml_library_writes_keeps_its_meaning(
    document: dict[str, Any], style: dict[str, Any]
) -> None:
    text = yaml.safe_dump(document, width=30, **style)

    after = yaml.safe_load(with_top_level(text, "storage", VALUE))

    assert after == {**document, "storage": NEW}


@given(st.text())
def test_a_quoted_text_is_read_back_as_it_was(text: str) -> None:
    assert yaml.safe_load(f"x: {quoted(text)}") == {"x": text}
    assert quoted(text).isascii()
