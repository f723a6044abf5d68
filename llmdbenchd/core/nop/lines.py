"""Bytes as they arrive -> fragments of physical lines: what stands between line ends and returns.

A progress bar rewrites its line with carriage returns, and a record may share that line; so both
end a fragment, but only a line feed counts as a line. How the bytes were cut into pieces never
shows, and no fragment is kept longer than `LIMIT`, however long the line is.
"""

LIMIT = 256 * 1024
"""Bytes of a fragment that are kept; the rest of it is passed over."""


class Lines:
    """Cuts bytes; holds nothing but the fragment that has not ended yet."""

    def __init__(self) -> None:
        self._open = bytearray()
        self.ended = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The fragments that `data` completes, each with its line's number (from 1), none empty."""
        found: list[tuple[int, bytes]] = []
        *whole, rest = data.split(b"\n")
        for part in whole:
            line = self.ended + 1
            if self._open or len(part) > LIMIT:
                self._cut(part, line, found)
                self._close(line, found)
            elif b"\r" in part:
                found += [(line, fragment) for fragment in part.split(b"\r") if fragment]
            elif part:
                found.append((line, part))
            self.ended = line
        self._cut(rest, self.ended + 1, found)
        return found

    def finish(self) -> list[tuple[int, bytes]]:
        """What stands behind the last line end, if anything does; it counts as a line."""
        found: list[tuple[int, bytes]] = []
        if self._open:
            self._close(self.ended + 1, found)
            self.ended += 1
        return found

    def _cut(self, part: bytes, line: int, found: list[tuple[int, bytes]]) -> None:
        """Take a piece of one line; the last fragment of it stays open."""
        *whole, rest = part.split(b"\r")
        for fragment in whole:
            self._keep(fragment)
            self._close(line, found)
        self._keep(rest)

    def _keep(self, fragment: bytes) -> None:
        self._open += fragment[: LIMIT - len(self._open)]

    def _close(self, line: int, found: list[tuple[int, bytes]]) -> None:
        if self._open:
            found.append((line, bytes(self._open)))
            self._open.clear()
