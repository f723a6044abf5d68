"""Values in a shell text: quotes, escapes and the expansions that scenarios may use."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from llmdbenchd.core.scenario.cursor import NAME, Cursor

_DEEPEST = 20  # defaults within defaults
_MOST_TEXT = 4 * 1024 * 1024  # characters in all values together: doubling reaches it soon
_PLAIN = re.compile(r"[^ \t\n;|&<>()`$\\\"'{~:]+")
_PLAIN_IN_BRACES = re.compile(r"(?:[^`$\\\"'{}~:<>]|[<>](?!\())+")
_QUOTED = re.compile(r"[^`$\\\"]+")
_QUOTED_IN_BRACES = re.compile(r"(?:[^`$\\\"'}<>]|[<>](?!\())+")
_HERE = re.compile(r"[^`$\\]+")
_SPECIAL = re.compile(r"[0-9@*#?$!-]")
_META = {
    "|": "a pipe (`|`)",
    "&": "a list or a background command (`&`)",
    "<": "a redirection (`<`)",
    ">": "a redirection (`>`)",
    "(": "parentheses (an array, a function or a subshell)",
    ")": "parentheses (an array, a function or a subshell)",
}


class Quoting(Enum):
    """What surrounds a piece of text, and with it which characters are special."""

    NONE = auto()
    DOUBLE = auto()
    HERE = auto()


@dataclass(slots=True, eq=False)
class TempFile:
    """A file made by `$(mktemp)`: nothing but the text that is written into it."""

    text: str = ""


Value = str | TempFile
_Pieces = list[Value]


@dataclass(slots=True)
class Reader:
    """Reads values at a cursor.

    Attributes:
        given: variables from outside of the file.
        assigned: variables of the file so far.
        missing: names without a value that were met.
    """

    cursor: Cursor
    given: Mapping[str, str]
    assigned: Mapping[str, Value]
    missing: list[str] = field(default_factory=list)
    _length: int = 0

    def value(self) -> Value:
        """One word without quotes around it: up to white space or the command's end."""
        start = self.cursor.at
        pieces: _Pieces = []
        self._tilde()
        while (char := self.cursor.char) and char not in " \t\n;":
            self._unquoted(pieces, 0, _PLAIN)
        return self._joined(pieces, start)

    def here(self, text: str, line: int) -> str:
        """The body of a here-document whose first line is `line`, expanded."""
        cursor = Cursor(text, self.cursor.file, above=line - 1)
        inner = Reader(cursor, self.given, self.assigned, self.missing)
        pieces: _Pieces = [""]
        while cursor.char:
            inner._within(pieces, Quoting.HERE, 0)
        return "".join(self._texts(pieces, self.cursor.at))

    def _joined(self, pieces: _Pieces, start: int) -> Value:
        """The word as a whole; a temporary file is one only by itself."""
        filled = [each for each in pieces if each != ""]
        if len(filled) == 1 and isinstance(filled[0], TempFile):
            return filled[0]
        return "".join(self._texts(filled, start))

    def _texts(self, pieces: _Pieces, start: int) -> list[str]:
        texts = [each for each in pieces if isinstance(each, str)]
        if len(texts) < len(pieces):
            self.cursor.refuse("the path of a temporary file inside of other text", at=start)
        self._length += sum(map(len, texts))
        if self._length > _MOST_TEXT:
            self.cursor.refuse("values of more than 4 MiB in all", at=start)
        return texts

    def _unquoted(self, pieces: _Pieces, depth: int, plain: re.Pattern[str]) -> None:
        """One step outside of quotes."""
        cursor = self.cursor
        start = cursor.at
        if text := cursor.take(plain):
            pieces.append(text)
        elif cursor.skip("\\\n"):
            pass
        elif cursor.skip("\\"):
            if not cursor.char:
                cursor.refuse("a backslash at the end of the file", at=start)
            pieces.append(self._character())
        elif cursor.skip("'"):
            pieces.append(self._single(start))
        elif cursor.skip('"'):
            self._double(pieces, start)
        elif cursor.char in "$`":
            self._dollar(pieces, Quoting.NONE, depth)
        elif cursor.char == "{":
            self._brace(pieces, depth)
        elif cursor.char in _META:
            cursor.refuse(_META[cursor.char])
        else:
            pieces.append(self._character())
            if pieces[-1] == ":":
                self._tilde()

    def _within(self, pieces: _Pieces, quoting: Quoting, depth: int) -> None:
        """One step inside of double quotes or of a here-document."""
        cursor = self.cursor
        outer = _QUOTED if quoting is Quoting.DOUBLE else _HERE
        special = '$`\\"' if quoting is Quoting.DOUBLE else "$`\\"
        if text := cursor.take(_QUOTED_IN_BRACES if depth else outer):
            pieces.append(text)
        elif cursor.skip("\\\n"):
            pass
        elif cursor.skip("\\"):
            known = cursor.char and cursor.char in (special + "}" if depth else special)
            pieces.append(self._character() if known else "\\")
        elif cursor.char in "$`":
            self._dollar(pieces, quoting, depth)
        else:
            cursor.refuse("quotes or `<(` in the braces of a quoted expansion")

    def _character(self) -> str:
        char = self.cursor.char
        self.cursor.at += len(char)
        return char

    def _single(self, start: int) -> str:
        cursor = self.cursor
        end = cursor.text.find("'", cursor.at)
        if end < 0:
            cursor.refuse("a single quote that is never closed", at=start)
        text = cursor.text[cursor.at : end]
        cursor.at = end + 1
        return text

    def _double(self, pieces: _Pieces, start: int) -> None:
        pieces.append("")
        while not self.cursor.skip('"'):
            if not self.cursor.char:
                self.cursor.refuse("a double quote that is never closed", at=start)
            self._within(pieces, Quoting.DOUBLE, 0)

    def _brace(self, pieces: _Pieces, depth: int) -> None:
        if depth or not self.cursor.skip("{}"):
            self.cursor.refuse("a brace expansion (`{`)", "put the value into quotes")
        pieces.append("{}")

    def _tilde(self) -> None:
        """A `~` is kept as it is: whose home it means is not known where this is read."""
        following = self.cursor.text[self.cursor.at + 1 : self.cursor.at + 2]
        if self.cursor.char == "~" and following and following not in "/: \t\n;}":
            self.cursor.refuse("a tilde expansion (`~`) of a name", "write the path out")

    def _dollar(self, pieces: _Pieces, quoting: Quoting, depth: int) -> None:
        cursor = self.cursor
        if cursor.skip("$(mktemp)"):
            pieces.append(TempFile())
        elif cursor.ahead("$((") or cursor.ahead("$["):
            cursor.refuse("an arithmetic expansion (`$((`)")
        elif cursor.ahead("$(") or cursor.ahead("`"):
            hint = "only $(mktemp) is known; write the value itself"
            cursor.refuse("a command substitution (`$(` or a backtick)", hint)
        elif cursor.ahead("${"):
            self._braces(pieces, quoting, depth)
        elif quoting is Quoting.NONE and (cursor.ahead("$'") or cursor.ahead('$"')):
            cursor.refuse("a quote with a dollar before it (`$'`)", "use ordinary quotes")
        else:
            cursor.skip("$")
            name = cursor.take(NAME)
            if cursor.ahead("\\\n"):
                cursor.refuse("an expansion (`$`) at a continued line's end", "write ${X}")
            if name:
                pieces.append(self._meaning(name))
            elif _SPECIAL.match(cursor.char):
                cursor.refuse("a positional or special parameter (`$1`, `$?`)", at=cursor.at - 1)
            else:
                pieces.append("$")

    def _braces(self, pieces: _Pieces, quoting: Quoting, depth: int) -> None:
        """`${X}`, `${X:-default}` or `${X-default}`."""
        cursor, start = self.cursor, self.cursor.at
        cursor.skip("${")
        name = cursor.take(NAME)
        if name and cursor.skip("}"):
            pieces.append(self._meaning(name))
            return
        empty_counts = cursor.skip(":-")
        if not name or not (empty_counts or cursor.skip("-")):
            hint = "only ${X} and ${X:-default} are known"
            cursor.refuse("a parameter expansion (`${`)", hint, at=start)
        if depth >= _DEEPEST:
            cursor.refuse(f"defaults nested deeper than {_DEEPEST}", at=start)
        default = self._default(quoting, depth + 1, start)
        value = self._known(name)
        if value is None or (value == "" and empty_counts):
            pieces += default
        else:
            pieces.append(value)

    def _default(self, quoting: Quoting, depth: int, start: int) -> _Pieces:
        pieces: _Pieces = []
        cursor = self.cursor
        if quoting is Quoting.NONE:
            self._tilde()
        while not cursor.skip("}"):
            if not cursor.char:
                cursor.refuse("an expansion that is never closed (`${`)", at=start)
            if quoting is Quoting.NONE:
                self._unquoted(pieces, depth, _PLAIN_IN_BRACES)
            else:
                self._within(pieces, quoting, depth)
        return pieces

    def _known(self, name: str) -> Value | None:
        return self.assigned.get(name, self.given.get(name))

    def _meaning(self, name: str) -> Value:
        value = self._known(name)
        if value is None:
            self.missing.append(name)
        return "" if value is None else value
