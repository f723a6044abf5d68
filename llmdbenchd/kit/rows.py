"""The kit's long text: its lines in order, of which nothing is held but where each begins."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, overload

_BITS = 32  # of a filter, for each line: one strange line in some thousands is taken for known


class Text(Protocol):
    """Bytes, or a file that is mapped into memory."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...
    def find(self, sub: bytes, start: int, end: int, /) -> int: ...  # noqa: D102 -- as bytes does
    def rfind(self, sub: bytes, start: int, end: int, /) -> int: ...  # noqa: D102 -- as bytes does


class Rows(Sequence[bytes]):
    """The lines of a part of a text, without their ends."""

    def __init__(
        self, text: Text, read: Callable[[bytes], bytes], begins: "array[int]", rows: range
    ) -> None:
        self._text = text
        self._read = read
        self._begins = begins  # one more than there are lines
        self._rows = rows

    @classmethod
    def of(cls, text: Text, begin: int, end: int, read: Callable[[bytes], bytes]) -> "Rows":
        """Find the lines from `begin` to `end`, where others begin; `read` says what each is."""
        begins = array("Q")
        while begin < end:
            begins.append(begin)
            begin = text.find(b"\n", begin, end) + 1 or end + 1
        count = len(begins)
        begins.append(begin)
        return cls(text, read, begins, range(count))

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> "Rows": ...
    def __getitem__(self, at: int | slice) -> "bytes | Rows":
        if isinstance(at, slice):
            return Rows(self._text, self._read, self._begins, self._rows[at])
        row = self._rows[at]
        return self._read(self._text[self._begins[row] : self._begins[row + 1] - 1])


class Filter:
    """Whether a line is among some: never wrong where it says no."""

    def __init__(self, lines: Iterable[bytes], count: int) -> None:
        self._mask = (1 << (count * _BITS).bit_length()) - 1
        bits = self._bits = bytearray((self._mask >> 3) + 1)
        for line in lines:
            for place in self._places(line):
                bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, line: bytes) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in self._places(line))

    def _places(self, line: bytes) -> tuple[int, int, int]:
        number, mask = hash(line), self._mask
        return number & mask, number >> 20 & mask, number >> 40 & mask
