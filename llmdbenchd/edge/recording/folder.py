"""The recorder's memory: the folder of one recording, from which everything is read again.

    <state>/recordings/<launcher>/
        order.json      what is to be done; it makes the recording
        behind.json     whose pods; written once
        passes.json     what was begun, and how it ended
        stop            somebody wants it to end
        end.json        it has ended
        recorder.log    what the recorder says
        servers/<uid>/  pod.json, facts.json, lives.json, events.json, <container>/<restart>.log
        launched/       logs of what a launcher started
        results/        what comes home

Everything here blocks: asyncio calls it in a thread.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from llmdbenchd.core.nop.behind import Behind
from llmdbenchd.core.nop.calls import Cycle
from llmdbenchd.core.nop.cluster import Life, all_lives, lives
from llmdbenchd.core.nop.instances import Launch
from llmdbenchd.core.nop.order import Order
from llmdbenchd.core.pods.objects import Event, Pod
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running, Sight
from llmdbenchd.edge.files.durable import publish, translated
from llmdbenchd.edge.files.staging import made
from llmdbenchd.ports import Unavailable

ORDER, BEHIND, PASSES, STOP, END = "order.json", "behind.json", "passes.json", "stop", "end.json"
LOG, RESULTS = "recorder.log", "results"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One recording of several.

    Attributes:
        begun: seconds since 1970.
        removed: uids of the pods that it begins by deleting.
        ended: None while it goes on.
        cycles: sleeps and wakes that were asked for.
        launches: instances that were asked for, of each pod one at most.
    """

    begun: float
    removed: tuple[str, ...] = ()
    expected: int = 1
    ended: float | None = None
    is_good: bool = False
    reason: str = ""
    cycles: tuple[Cycle, ...] = ()
    launches: tuple[Launch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What we know of a pod beside its object: in which pass it was met (from 0)."""

    number: int
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """How a recording ended: an exit code as of a program, and a sentence."""

    code: int
    detail: str
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """What is kept of one pod."""

    path: Path

    @property
    def uid(self) -> str:
        """Of the pod."""
        return self.path.name

    def log(self, container: str, restart: int) -> Path:
        """The log of one life of a container."""
        return self.path / container / f"{restart}.log"

    def logs(self, container: str) -> list[tuple[int, Path]]:
        """All of its logs, by life."""
        found = [(int(path.stem), path) for path in (self.path / container).glob("*.log")]
        return sorted(found)

    def containers(self) -> list[str]:
        """Those that have a log."""
        return sorted({path.parent.name for path in self.path.glob("*/*.log")})

    def pod(self) -> Pod:
        """The pod as last seen."""
        return _read(self.path / "pod.json", Pod) or Pod()

    def facts(self) -> Facts:
        """What else is known."""
        return _read(self.path / "facts.json", Facts) or Facts(number=0)

    def lives(self) -> dict[str, tuple[Life, ...]]:
        """All lives of its containers that were ever told of: a pod tells of the last two."""
        return _read(self.path / "lives.json", dict[str, tuple[Life, ...]]) or {}

    def events(self) -> tuple[Event, ...]:
        """All that were ever told of it."""
        return _read(self.path / "events.json", tuple[Event, ...]) or ()

    def keep(self, pod: Pod, facts: Facts) -> None:
        """Keep both."""
        made(self.path)
        earlier = self.lives()
        known = {
            one.name: all_lives(earlier.get(one.name, ()), lives(pod, one.name))
            for one in pod.spec.containers
        }
        if known != earlier:
            publish(self.path / "lives.json", msgspec.json.encode(known))
        publish(self.path / "facts.json", msgspec.json.encode(facts))
        publish(self.path / "pod.json", msgspec.json.encode(pod))

    def keep_events(self, events: Sequence[Event]) -> None:
        """Add what is new: the API server forgets after an hour."""
        known = {_same(one): one for one in self.events()}
        merged = known | {_same(one): one for one in events}
        if merged != known:
            publish(self.path / "events.json", msgspec.json.encode(tuple(merged.values())))


@dataclass(frozen=True, slots=True)
class Folder:
    """One recording on disk."""

    path: Path
    name: str = field(init=False)

    def __post_init__(self) -> None:
        """Its launcher's name is the folder's."""
        object.__setattr__(self, "name", self.path.name)

    def make(self, order: Order) -> None:
        """Begin it; one that is there is left alone."""
        if (self.path / ORDER).exists():
            return
        made(self.path)
        publish(self.path / ORDER, msgspec.json.encode(order))

    def sight(self) -> Sight:
        """What an engine says of it."""
        with translated(self.path):
            if not (self.path / ORDER).exists():
                return Absent()
            end = _read(self.path / END, End)
        if end is None:
            return Running()
        cause = Cause.STOPPED if end.stopped else Cause.EXITED
        return Ended(cause, None if end.stopped else end.code, detail=end.detail)

    def order(self) -> Order:
        """What is to be done.

        Raises:
            Unavailable: it cannot be read.
        """
        order = _read(self.path / ORDER, Order)
        if order is None:
            raise Unavailable(f"{self.path / ORDER} is not there any more")
        return order

    def behind(self) -> Behind | None:
        """Whose pods, if that was found out."""
        return _read(self.path / BEHIND, Behind)

    def keep_behind(self, behind: Behind) -> None:
        """Remember whose pods."""
        publish(self.path / BEHIND, msgspec.json.encode(behind))

    def passes(self) -> tuple[Pass, ...]:
        """What was begun, in order."""
        return _read(self.path / PASSES, tuple[Pass, ...]) or ()

    def keep_passes(self, passes: Sequence[Pass]) -> None:
        """Remember it, before anything is done about it."""
        publish(self.path / PASSES, msgspec.json.encode(tuple(passes)))

    def keep_launch(self, launch: Launch) -> None:
        """Remember what became of an instance of the recording that is under way."""
        *before, this = self.passes()
        others = tuple(one for one in this.launches if one.uid != launch.uid)
        self.keep_passes([*before, replace(this, launches=(*others, launch))])

    def launched(self, launch: Launch) -> Path:
        """The log of an instance; of each recording of several it is another."""
        number = next(
            number
            for number, one in enumerate(self.passes(), 1)
            if any((each.uid, each.begun) == (launch.uid, launch.begun) for each in one.launches)
        )
        return self.path / "launched" / f"{launch.uid}-{number}.log"

    def ask_to_stop(self) -> None:
        """Remember that somebody wants it to end."""
        publish(self.path / STOP, b"")

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether somebody wants it to end."""
        return (self.path / STOP).exists()

    def end(self, end: End) -> None:
        """Say how it ended; from now on nothing changes here."""
        publish(self.path / END, msgspec.json.encode(end))

    def server(self, uid: str) -> ServerFolder:
        """What is kept of one pod."""
        return ServerFolder(self.path / "servers" / uid)

    def servers(self) -> Iterator[ServerFolder]:
        """All pods that were met, by the times of their making."""
        found = [ServerFolder(path.parent) for path in self.path.glob("servers/*/pod.json")]
        yield from sorted(found, key=lambda one: one.pod().metadata.creation_timestamp)

    def named(self) -> list[tuple[str, ServerFolder]]:
        """The same, each with a name of its own: a pod that is made anew may have its name again.

        The last of a name has it; the earlier ones are numbered, by what no pod's name has in it.
        """
        found = list(self.servers())
        names = [one.pod().metadata.name for one in found]
        return [
            (name if name not in names[at + 1 :] else f"{name}_{names[: at + 1].count(name)}", one)
            for at, (name, one) in enumerate(zip(names, found, strict=True))
        ]

    def say(self, stamp: str, text: str) -> None:
        """Add a line to the recorder's own log."""
        with translated(self.path), (self.path / LOG).open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {text}\n")

    def remove(self) -> None:
        """Take it away; absent already is fine. The order goes first: then it is none any more."""
        with translated(self.path):
            (self.path / ORDER).unlink(missing_ok=True)
            shutil.rmtree(self.path, ignore_errors=True)


def recordings(root: Path) -> list[Folder]:
    """All that are there."""
    with translated(root):
        return [Folder(path.parent) for path in sorted(root.glob(f"*/{ORDER}"))]


def _read(path: Path, kind: type[T]) -> T | None:
    with translated(path):
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unavailable(f"{path}: {error}") from error


def _same(event: Event) -> tuple[str, str, str]:
    return event.reason, event.involved_object.field_path, event.first_timestamp or event.last_seen
