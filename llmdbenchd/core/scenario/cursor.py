"""A place in a shell text that moves forward, and says where it stopped."""

import re
from bisect import bisect_right
from typing import NoReturn

from llmdbenchd.core.scenario.errors import ScenarioError

_BLANKS = re.compile(r"(?:[ \t]|\\\n)+")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Cursor:
    """Reads one text from its beginning to its end."""

    def __init__(self, text: str, file: str, *, above: int = 0) -> None:
        """Stand in front of the text.

        Args:
            text: what is read.
            file: its name, for errors.
            above: lines of the file that lie above a text which is a part of it.
        """
        self.text = text
        self.file = file
        self.at = 0
        self._above = above
        self._lines = [found.end() for found in re.finditer("\n", text)]

    @property
    def line(self) -> int:
        """The line where the cursor stands, from 1."""
        return bisect_right(self._lines, self.at) + 1 + self._above

    @property
    def char(self) -> str:
        """The next character, or an empty text at the end."""
        return self.text[self.at : self.at + 1]

    def ahead(self, word: str) -> bool:
        """Whether this word comes next."""
        return self.text.startswith(word, self.at)

    def skip(self, word: str) -> bool:
        """Move behind this word if it comes next."""
        found = self.ahead(word)
        if found:
            self.at += len(word)
        return found

    def take(self, pattern: re.Pattern[str]) -> str:
        """Move behind what matches here; empty when nothing does."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def blanks(self) -> bool:
        """Move behind white space and continued lines; whether there were any."""
        return self.take(_BLANKS) != ""

    def comment(self) -> None:
        """Move to the end of the line, behind a comment if there is one."""
        if self.char == "#":
            end = self.text.find("\n", self.at)
            self.at = end if end >= 0 else len(self.text)

    def refuse(self, construct: str, hint: str = "", *, at: int | None = None) -> NoReturn:
        """Stop here, or at an earlier place: this construct is none that scenarios may use."""
        if at is not None:
            self.at = at
        raise ScenarioError(self.file, self.line, construct, hint)
