"""Rules of the house that no linter knows."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "llmdbenchd").rglob("*.py"))
WRITTEN = sorted(
    path
    for folder in ("llmdbenchd", "tests", "scripts", "bench")
    for path in (ROOT / folder).rglob("*.py")
)
LONGEST = 300
SHAPELESS = frozenset({"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"})
CODE = r"[A-Z]+[0-9]+"
EXCUSE = re.compile(
    rf"""
    \#\ (?:
        noqa:\ {CODE}(?:,\ {CODE})*            # which rules, never all of them
      | type:\ ignore\[[a-z-]+(?:,\ ?[a-z-]+)*\]
      | (?:mypy|pragma|fmt|pyright|isort):
    )
    (?P<reason>.*)
    """,
    re.VERBOSE,
)
LOOSE = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma|pyright|isort)", re.IGNORECASE)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_are_files_to_look_at() -> None:
    assert len(SOURCES) > 100
    assert Path(__file__) in WRITTEN


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_fits_in_the_head(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())

    assert lines <= LONGEST, f"{lines} lines: split it by what it knows"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_module_says_what_room_it_is(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    assert docstring, "no docstring"
    assert docstring.splitlines()[0].endswith((".", ":", "!", "?")), "its first line is a sentence"


def test_every_room_has_a_name_that_says_what_is_in_it() -> None:
    rooms = [path.relative_to(ROOT).with_suffix("") for path in SOURCES]
    names = {part for room in rooms for part in room.parts}

    assert names & SHAPELESS == set()


def comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def without_reason(text: str) -> list[str]:
    """Comments that silence a tool and do not say why, with their lines."""
    return [
        f"line {line}: {comment}"
        for line, comment in comments(text)
        if LOOSE.match(comment) and not _says_why(comment)
    ]


def _says_why(comment: str) -> bool:
    excuse = EXCUSE.match(comment)
    return excuse is not None and re.search(r"[a-z]{2}", excuse["reason"]) is not None


@pytest.mark.parametrize("path", WRITTEN, ids=name)
def test_who_silences_a_tool_says_why(path: Path) -> None:
    assert without_reason(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("comment", "is_fine"),
    [
        ("# noqa: TID251 - this is the clock", True),
        ("# noqa: PTH105, PTH108 -- pathlib imports slowly", True),
        ("# type: ignore[arg-type]  # a table of facts", True),
        ("# a reason to write noqa", True),
        ("# noqa: TID251", False),
        ("# noqa", False),
        ("# noqa - whatever", False),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore", False),
        ("# type: ignore  # a table of facts", False),
        ("#noqa:TID251", False),
    ],
)
def test_the_rule_itself_knows_a_reason_when_it_sees_one(comment: str, *, is_fine: bool) -> None:
    assert (without_reason(f"x = 1  {comment}\n") == []) is is_fine


def test_every_command_that_the_readme_names_can_be_made() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z]+)", readme))
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))

    assert {"demo", "test"} <= named
    assert named <= targets


def test_every_page_that_the_readme_links_to_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", readme)

    assert [link for link in links if not (ROOT / link).exists()] == []
