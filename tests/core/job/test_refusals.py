"""What is no job file at all, or YAML with a trap in it, is refused by name."""

import codecs

import pytest

from llmdbenchd.core.job.jobfile import read_job
from llmdbenchd.core.job.problems import Problem


def problems(data: bytes) -> tuple[Problem, ...]:
    return read_job(data, stem="x", environment={}).problems


REFUSED = {
    "too large": (b"#" * (1024 * 1024 + 1), 1, 1, "larger than 1048576 bytes"),
    "UTF-16": (codecs.BOM_UTF16_LE + "name: x".encode("utf-16-le"), 1, 1, "UTF-16"),
    "UTF-16 without its mark": ("name: x".encode("utf-16-le"), 1, 1, "UTF-16"),
    "UTF-32": (codecs.BOM_UTF32_LE + "name: x".encode("utf-32-le"), 1, 1, "UTF-32"),
    "binary": (b"name: x\nmore: text\n\0\x01", 3, 1, "NUL byte in line 3"),
    "Latin-1": ("name: x\nä: ö".encode("latin-1"), 2, 1, "byte 0xe4 in line 2"),
    "cut in a letter": ("name: ü".encode()[:-1], 1, 7, "byte 0xc3 in line 1"),
    "control character": (b"name: x\nkeywords: [\x1b]", 2, 12, "U+001B"),
    "tab": (b"harness:\n\tname: x", 2, 1, "indented with a tab"),
    "tab after spaces": (b"harness:\n  \tname: x: y", 2, 3, "indented with a tab"),
    "open bracket": (b"models: [a,\n", 2, 1, "not YAML"),
    "open quote": (b'name: "x\nrepeat: 1\n', 3, 1, "begun in line 1"),
    "colon in a text": (b"name: a: b", 1, 8, "mapping values are not allowed"),
    "list": (b"- a\n- b", 1, 1, "is a list"),
    "text": (b"just words", 1, 1, "single text"),
    "anchor and alias": (b"name: &a x\ndescription: *a", 1, 7, "an anchor, `&a`"),
    "alias alone": (b"name: *a", 1, 7, "an alias, `*a`"),
    "merge key": (b"harness: {<<: {cpu: 1}}", 1, 11, "a merge key"),
    "merge of an anchor": (b"nop: &n {repeat: 2}\nharness:\n  <<: *n", 1, 6, "an anchor"),
    "object tag": (b"name: !!python/object/apply:os.system [ls]", 1, 7, "a tag, `!!python"),
    "own tag": (b"name: !x y", 1, 7, "a tag, `!x`"),
    "two documents": (b"name: x\n---\nname: y", 2, 1, "second document"),
    "duplicate key": (b"name: x\nrepeat: 1\nname: y", 3, 1, "twice, in line 1 and here"),
    "nested duplicate": (b"harness:\n  cpu: 1\n  cpu: 1", 3, 3, "twice, in line 2 and here"),
    "number as key": (b"1: x", 1, 1, "the key `1`, which is not text"),
    "yes as key": (b"harness: {env: {y: 1, yes: 2}}", 1, 23, "the key `yes`"),
    "null as key": (b"~: x", 1, 1, "the key `~`"),
    "list as key": (b"? [a]\n: x", 1, 3, "a list or mapping as a key"),
    "deep": (b"workload: " + b"[" * 40 + b"]" * 40, 1, 40, "deeper than 30"),
    "very deep": (b"a: " + b"[" * 500_000, 1, 33, "deeper than 30"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_trap_is_one_finding_at_its_place(case: str) -> None:
    data, line, column, message = REFUSED[case]
    found = problems(data)

    assert [(one.line, one.column) for one in found] == [(line, column)]
    assert message in found[0].message


def test_a_bomb_of_aliases_is_met_before_it_is_built() -> None:
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n".encode()
        for n in range(20)
    )

    assert all("anchor" in one.message for one in problems(bomb))


def test_a_mistake_in_the_yaml_does_not_hide_one_in_a_field() -> None:
    found = problems(b"name: x\nname: y\nrepeat: 0\n")

    assert [(one.line, one.field) for one in found] == [(2, ""), (3, "repeat")]


def test_nothing_is_said_twice_about_what_was_refused() -> None:
    found = problems(b"endpoint_auth:\n  secret: &a x\n  key: k\n")

    assert [one.message.split(",")[0] for one in found] == ["uses an anchor"]


def test_a_byte_order_mark_does_not_shift_columns() -> None:
    (found,) = problems(codecs.BOM_UTF8 + b"nane: x")

    assert (found.line, found.column) == (1, 1)
