"""A scenario in the shell's language: assignments and here-documents, nothing else.

What is understood
    `export X=...` and `X=...`, several on a line, with quotes, escapes, continued lines and
    comments; `$X`, `${X}` and `${X:-default}`; and `X=$(mktemp)` together with
    `cat << EOF > $X`, which gives `X` the text of the here-document. All of it means what
    it means to bash, save that a leading `~` stays a `~`.

What is not
    Everything else. Reading stops at it, with its line and its name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from llmdbenchd.core.scenario.cursor import NAME, Cursor
from llmdbenchd.core.scenario.scenario import Assigned, Scenario
from llmdbenchd.core.scenario.values import Reader, TempFile, Value

_WORD = re.compile(r"[^\s;|&<>()\"'`$]+")
_DELIMITER = re.compile(r"(['\"]?)([A-Za-z0-9_.-]+)\1(?=[\s;>])")
_TARGET = re.compile(r"(\"?)\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))\1(?=[\s;<]|\Z)", re.ASCII)
_END = re.compile(r"(?:[ \t]+#[^\n]*|[ \t]*)(?:\n|\Z)")
_LINE = re.compile(r"[^\n]*")
_HINT = "a scenario holds assignments only: export X=value"
_CONSTRUCTS = {
    "a condition": ("if", "then", "else", "elif", "fi", "case", "esac", "test", "[", "[[", "!"),
    "a loop": ("for", "while", "until", "do", "done", "select"),
    "a function": ("function", "return"),
    "the sourcing of another file": ("source", "."),
    "a group of commands": ("{", "}"),
    "a command": (
        "eval", "exec", "exit", "set", "shopt", "unset", "alias", "declare", "typeset", "local",
        "readonly", "let", "read", "trap", "echo", "printf", "cd", "mkdir", "sleep",
    ),
}  # fmt: skip
_NAMED = {word: f"{what} (`{word}`)" for what, words in _CONSTRUCTS.items() for word in words}


def read_shell(text: str, *, file: str, given: Mapping[str, str]) -> Scenario:
    """Read a scenario.

    Args:
        text: the whole file.
        file: its name, for errors.
        given: the variables that it may refer to without assigning them.

    Raises:
        ScenarioError: the first construct that scenarios may not use.
    """
    return _Script(Cursor(text, file), given).read()


@dataclass(frozen=True, slots=True)
class _Assignment:
    """`X=value` as it was read."""

    name: str
    value: Value
    line: int
    missing: tuple[str, ...]


class _Script:
    """One file being read."""

    def __init__(self, cursor: Cursor, given: Mapping[str, str]) -> None:
        self._cursor = cursor
        self._values: dict[str, Value] = {}
        self._about: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._reader = Reader(cursor, given, self._values)

    def read(self) -> Scenario:
        cursor = self._cursor
        if (found := cursor.text.find("\r")) >= 0:
            cursor.refuse("a carriage return", "save it with Unix line ends", at=found)
        while cursor.char:
            cursor.blanks()
            cursor.comment()
            if cursor.char and not cursor.skip("\n"):
                self._command()
        variables = {
            name: Assigned(value.text if isinstance(value, TempFile) else value, *self._about[name])
            for name, value in self._values.items()
        }
        return Scenario(cursor.file, variables)

    def _command(self) -> None:
        cursor, start = self._cursor, self._cursor.at
        if first := self._assignment():
            self._assignments(first)
            return
        word = cursor.take(_WORD)
        if word == "export":
            self._export(start)
        elif word == "cat":
            self._cat(start)
        else:
            self._refuse(word, start)

    def _refuse(self, word: str, start: int) -> None:
        cursor = self._cursor
        cursor.blanks()
        if NAME.fullmatch(word) and cursor.ahead("("):
            construct = "a function"
        elif word.endswith("+=") or "+=" in word:
            construct = "an appending assignment (`+=`)"
        elif re.match(r"[A-Za-z_]\w*\[", word):
            construct = "an array"
        elif not word and cursor.ahead("(("):
            construct = "arithmetic (`((`)"
        elif not word and cursor.ahead("("):
            construct = "a subshell (`(`)"
        else:
            construct = _NAMED.get(word, "a command")
        cursor.refuse(construct, _HINT, at=start)

    def _assignment(self) -> _Assignment | None:
        """Read `X=value` if it is what comes next."""
        cursor, start = self._cursor, self._cursor.at
        name = cursor.take(NAME)
        if not name or not cursor.skip("="):
            cursor.at = start
            return None
        line = cursor.line
        if cursor.ahead("("):
            cursor.refuse("an array (`=(`)")
        self._reader.missing.clear()
        value = self._reader.value()
        return _Assignment(name, value, line, tuple(dict.fromkeys(self._reader.missing)))

    def _assign(self, one: _Assignment) -> None:
        self._values[one.name] = one.value
        self._about[one.name] = (one.line, one.missing)

    def _assignments(self, first: _Assignment) -> None:
        """Assignments without `export`: each sees those before it."""
        self._assign(first)
        while self._more():
            start = self._cursor.at
            following = self._assignment()
            if following is None:
                self._cursor.refuse("a command behind an assignment", _HINT, at=start)
            self._assign(following)

    def _export(self, start: int) -> None:
        """`export` with its words: all are read before the first counts."""
        found: list[_Assignment] = []
        empty = True
        while self._more():
            empty = False
            if one := self._assignment():
                found.append(one)
            else:
                self._exported()
        if empty:
            self._cursor.refuse("`export` without a name", _HINT, at=start)
        for one in found:
            self._assign(one)

    def _exported(self) -> None:
        """A name without a value: what is there already is exported."""
        cursor, start = self._cursor, self._cursor.at
        name = cursor.take(NAME)
        if name and (cursor.ahead("+=") or cursor.ahead("[")):
            cursor.at = start
            self._refuse(cursor.take(_WORD), start)
        if not name or (cursor.char and cursor.char not in " \t\n;"):
            cursor.refuse("`export` of anything but X=value", _HINT, at=start)

    def _more(self) -> bool:
        """Whether the command goes on; moves behind its end when it does not."""
        cursor = self._cursor
        cursor.blanks()
        cursor.comment()
        if not cursor.char or cursor.skip("\n"):
            return False
        if cursor.ahead(";;"):
            cursor.refuse("a condition (`;;`)", _HINT)
        return not cursor.skip(";")

    def _cat(self, start: int) -> None:
        """`cat << EOF > $X` and the lines up to `EOF`; both parts in any order."""
        cursor = self._cursor
        delimiter = target = None
        while not (end := _END.match(cursor.text, cursor.at)):
            cursor.blanks()
            if delimiter is None and cursor.ahead("<<"):
                delimiter = self._delimiter()
            elif target is None and cursor.ahead(">"):
                target = self._target()
            else:
                cursor.refuse("a use of `cat` other than `cat << EOF > $X`", _HINT, at=start)
        if delimiter is None or target is None:
            cursor.refuse("a use of `cat` other than `cat << EOF > $X`", _HINT, at=start)
        cursor.at = end.end()
        first = cursor.line
        body = self._body(delimiter[1], quoted=delimiter[0], start=start)
        target.text = body if delimiter[0] else self._reader.here(body, first)

    def _delimiter(self) -> tuple[bool, str]:
        cursor = self._cursor
        if cursor.ahead("<<<"):
            cursor.refuse("a here-string (`<<<`)")
        if cursor.ahead("<<-"):
            cursor.refuse("a here-document with `<<-`", "write << EOF")
        cursor.skip("<<")
        cursor.blanks()
        found = _DELIMITER.match(cursor.text, cursor.at)
        if found is None:
            cursor.refuse("a here-document without a plain word for its end", "write << EOF")
        cursor.at = found.end()
        return found[1] != "", found[2]

    def _target(self) -> TempFile:
        cursor, start = self._cursor, self._cursor.at
        if cursor.ahead(">>"):
            cursor.refuse("appending to a file (`>>`)")
        cursor.skip(">")
        cursor.blanks()
        found = _TARGET.match(cursor.text, cursor.at)
        file = self._values.get(found[2] or found[3]) if found else None
        if found is None or not isinstance(file, TempFile):
            hint = "first give X a file: export X=$(mktemp)"
            cursor.refuse("writing to a file that is not one of $(mktemp)", hint, at=start)
        cursor.at = found.end()
        return file

    def _body(self, delimiter: str, *, quoted: bool, start: int) -> str:
        """The lines up to the delimiter; a continued line is never the delimiter's."""
        cursor, first, continued = self._cursor, self._cursor.at, False
        while True:
            if not cursor.char:
                hint = f"end it with {delimiter}"
                cursor.refuse("a here-document that is never closed", hint, at=start)
            begin = cursor.at
            line = cursor.take(_LINE)
            cursor.skip("\n")
            if line == delimiter and not continued:
                return cursor.text[first:begin]
            slashes = len(line) - len(line.rstrip("\\"))
            continued = not quoted and slashes % 2 == 1
