"""The queue and the records on a local disk: what people ask of the daemon, as files.

A request is one small file in `queue/control/`. Who asks is the file's owner, never its
content. A request stays until it is `done` or `refused`, so none is lost by a crash;
carrying it out twice must be harmless.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec

from llmdbenchd.edge.files.claims import JOB_ID
from llmdbenchd.edge.files.durable import publish_new, translated
from llmdbenchd.edge.files.hints import folder_hints
from llmdbenchd.edge.files.inbox import CONTROL
from llmdbenchd.edge.files.rejecting import set_aside
from llmdbenchd.edge.files.taking import Unfit, Unsettled, read_once

REFUSED = "refused"
_CAP = 4096  # bytes of a request
_AT_ONCE = 200  # requests read in one go; the rest waits for the next
_RUN_ID = re.compile(r"[a-z0-9]([-a-z0-9.]{0,126}[a-z0-9])?")
_NAME_CAP = 200


class Asked(StrEnum):
    """What can be asked for."""

    CANCEL = "cancel"  # a job, or one run of it
    COLLECT = "collect"  # the results of a job that was left running, or again
    PAUSE = "pause"  # admission; of the whole queue
    RESUME = "resume"


_OF_THE_QUEUE = frozenset({Asked.PAUSE, Asked.RESUME})


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        asked: what for.
        job: which job; empty where the whole queue is meant.
        run: which run of it; empty for all.
        owner: name of who asks; `uid` their number. Both are the file's, not its content's.
        path: its file.
    """

    asked: Asked
    job: str
    run: str
    owner: str
    uid: int
    path: Path


class _Content(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    asked: Asked
    job: str = ""
    run: str = ""
    version: int = 1


def request(queue: Path, asked: Asked, *, job: str = "", run: str = "") -> Path:
    """Ask the daemon for something; the file that does so.

    Raises:
        ValueError: the words do not fit together.
        Refused, Unavailable: the folder cannot be written (who may: its group).
    """
    content = _checked(_Content(asked, job, run))
    words = [part for part in (asked, job, run) if part]
    name = f"{'-'.join(words)[:_NAME_CAP]}-{secrets.token_hex(4)}.json"
    path = queue / CONTROL / name
    publish_new(path, msgspec.json.encode(content) + b"\n", mode=0o640)
    return path


@dataclass(slots=True)
class Control:
    """The requests of one queue, for its daemon."""

    queue: Path
    _half: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where requests lie."""
        return self.queue / CONTROL

    def pending(self) -> tuple[Request, ...]:
        """Requests that are not yet done, oldest name first; bad ones are set aside.

        A file that is no request may be half written by hand: it has until the next call.

        Raises:
            Refused, Unavailable: the folder cannot be read, or a bad file not moved.
        """
        with translated(self.folder):
            names = sorted(p.name for p in self.folder.iterdir() if p.suffix == ".json")
        self._half = {name: why for name, why in self._half.items() if name in names}
        visible = [name for name in names if not name.startswith(".")][:_AT_ONCE]
        found = [self._read(self.folder / name) for name in visible]
        return tuple(one for one in found if one is not None)

    def done(self, request: Request) -> None:
        """The request was carried out.

        Raises:
            Refused, Unavailable: the disk; the request is still there.
        """
        with translated(request.path), suppress(FileNotFoundError):
            request.path.unlink()

    def refused(self, request: Request, why: str) -> None:
        """The request will not be carried out; `why` is put beside it in `control/refused/`.

        Raises:
            Refused, Unavailable: the disk; the request is still there.
        """
        self._set_aside(request.path, why)

    def _read(self, path: Path) -> Request | None:
        try:
            content = read_once(path, path.name, cap=_CAP)
            said = _checked(msgspec.json.decode(content.data, type=_Content))
        except (FileNotFoundError, Unsettled):
            return None
        except Unfit as error:
            self._set_aside(path, str(error))
        except (msgspec.DecodeError, ValueError) as error:
            if self._half.pop(path.name, None) == str(error):
                self._set_aside(path, f"it is no request: {error}")
            else:
                self._half[path.name] = str(error)
        except OSError:
            with translated(path):
                raise
        else:
            by = content.origin
            return Request(said.asked, said.job, said.run, by.owner, by.uid, path)
        return None

    def _set_aside(self, path: Path, why: str) -> None:
        folder = self.folder / REFUSED
        with translated(folder):
            folder.mkdir(exist_ok=True)
        set_aside(path, folder, path.name, why)


async def requests(
    control: Control, disk: Executor, *, scan_s: float = 5, polling: bool = False
) -> AsyncGenerator[tuple[Request, ...], None]:
    """Hand out what is pending, whenever the folder changes and every `scan_s`, for ever.

    A request comes again until it is `done` or `refused`.

    Raises:
        Refused, Unavailable: the folder cannot be read.
    """
    loop = asyncio.get_running_loop()
    with folder_hints(control.folder, polling=polling) as hints:
        while True:
            hints.drain()
            yield await loop.run_in_executor(disk, control.pending)
            await hints.wait(scan_s)


def _checked(content: _Content) -> _Content:
    whole = content.asked in _OF_THE_QUEUE
    if whole and (content.job or content.run):
        raise ValueError(f"{content.asked} is for the whole queue, not for one job")
    if not whole and JOB_ID.fullmatch(content.job) is None:
        raise ValueError(f"{content.asked} needs the id of a job, not {content.job!r}")
    if content.run and _RUN_ID.fullmatch(content.run) is None:
        raise ValueError(f"{content.run!r} is no run")
    return content
