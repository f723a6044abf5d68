"""What an API server says of pods, as we tell it on: pages of a list, lines of a watch."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from llmdbenchd.core.pods.objects import Pod, PodList, Status, WatchEvent
from llmdbenchd.edge.kubernetes.errors import Gone, translated
from llmdbenchd.ports import Unavailable

_CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})
_FORGOTTEN = frozenset({"Expired", "Gone"})
_WRONG = (msgspec.MsgspecError, UnicodeDecodeError)


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""


class _Bookmark(msgspec.Struct, frozen=True):
    """A pod with nothing in it but its version; the rest is null, which no pod has."""

    metadata: _Version = _Version()


_bookmarks = msgspec.json.Decoder(_Bookmark)
_events = msgspec.json.Decoder(WatchEvent)
_pods = msgspec.json.Decoder(Pod)
_lists = msgspec.json.Decoder(PodList)
_statuses = msgspec.json.Decoder(Status)


@dataclass(frozen=True, slots=True)
class PodsListed:
    """A whole list, by name: a pod that is not in it does not exist."""

    pods: Mapping[str, Pod]


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod is there, in this state."""

    pod: Pod


@dataclass(frozen=True, slots=True)
class PodGone:
    """A pod is gone (or lost the labels that we watch); this was its last state."""

    pod: Pod


Change = PodsListed | PodSeen | PodGone


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a watch: the version to go on from, empty if not told, and what changed."""

    version: str
    change: PodSeen | PodGone | None


def page_of(body: bytes) -> PodList:
    """A page of a list.

    Raises:
        Unavailable: it is none.
    """
    try:
        return _lists.decode(body)
    except _WRONG as error:
        raise Unavailable(f"list pods: not a list of pods: {error}") from error


def told(line: bytes) -> Told:
    """A line of a watch; a bookmark, or an event of a kind not known here, changes nothing.

    Raises:
        Gone: the server cannot go on.
        Unavailable: it ends the watch, or something that is no API server speaks.
    """
    try:
        event = _events.decode(line)
        if event.type == "ERROR":
            raise _error(event.object)
        if event.type not in _CHANGES:
            return Told(_bookmarks.decode(event.object).metadata.resource_version, None)
        pod = _pods.decode(event.object)
    except _WRONG as error:
        start = line[:60].decode("utf-8", "replace")
        raise Unavailable(f"watch pods: not a watch event: {start!r}") from error
    version = pod.metadata.resource_version
    return Told(version, PodGone(pod) if event.type == "DELETED" else PodSeen(pod))


def _error(said: msgspec.Raw) -> Unavailable:
    status = _statuses.decode(said)
    error = translated(status.code or 500, bytes(said), {}, what="watch pods")
    if status.reason in _FORGOTTEN:
        return Gone(str(error), status.code)
    return error if isinstance(error, Unavailable) else Unavailable(str(error))
