"""The queue and the records on a local disk: where a job came from, kept in its folder.

It tells a claim that was committed before a crash from a second file with the same id.
"""

from dataclasses import dataclass

import msgspec

FILE = "origin.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """One dropped file.

    Attributes:
        name: its name in the queue, readable (odd bytes escaped).
        owner: the owner's name, or the number where there is no name; `uid` the number.
        mtime_ns: when it was last written; `changed_ns` when its claim was made. Both are
            nanoseconds since the epoch.
        inode: of the file; with `changed_ns`, which nobody can set, it names this very file.
        sha256: of its bytes, in hex.
    """

    name: str
    owner: str
    uid: int
    mtime_ns: int
    changed_ns: int
    inode: int
    sha256: str
    version: int = 1

    def is_same_file(self, other: "Origin") -> bool:
        """Whether both are one and the same dropped file (not merely equal in content)."""
        return (self.inode, self.changed_ns) == (other.inode, other.changed_ns)


def encoded(origin: Origin) -> bytes:
    """The origin as JSON."""
    return msgspec.json.encode(origin) + b"\n"


def decoded(data: bytes) -> Origin | None:
    """The origin from JSON, or None when it is not one."""
    try:
        return msgspec.json.decode(data, type=Origin)
    except msgspec.DecodeError:
        return None
