"""From what the watch says of pods to what the daemon is told of launchers.

Whoever is told that a launcher failed is told why at the same time: the pod's warning
events are asked for before, once for each pod and reason. And a pod that neither starts
nor says why (a volume that cannot be mounted shows in events only) is asked about, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.run.sight import Cause, Ended, Pending, Sight
from llmdbenchd.edge.kubernetes.complaints import Complaint, Complaints
from llmdbenchd.edge.kubernetes.knowing import Known
from llmdbenchd.edge.kubernetes.view import Change, PodGone, PodSeen, PodsListed
from llmdbenchd.ports import Listed, Seen

STUCK_AT_ONCE = 12  # pods that are asked about in one go


class Teller:
    """Turns pods into sights, with their reasons."""

    def __init__(self, known: Known, complaints: Complaints) -> None:
        self._known = known
        self._complaints = complaints
        self._texts: dict[tuple[str, str], str] = {}
        self._unmounted: set[str] = set()
        self._pending_before: frozenset[str] = frozenset()

    async def sight(self, pod: Pod) -> Sight:
        """What the pod's state means, and why."""
        await self._learn([pod])
        return self._explained(pod)

    async def told(self, news: Sequence[Change]) -> list[Listed | Seen]:
        """What the daemon is told of these news, in their order."""
        await self._learn(pod for one in news for pod in _pods_of(one) if self._known.is_ours(pod))
        told = (self._one(one) for one in news)
        return [what for what in told if what is not None]

    async def stuck(self) -> list[Listed | Seen]:
        """Pods that were pending at the last call already, and what is complained about them."""
        pending = {
            pod.metadata.uid: pod
            for pod in self._known.all()
            if pod.spec.node_name and isinstance(self._known.sight(pod), Pending)
        }
        silent = [
            uid
            for uid, pod in pending.items()
            if uid in self._pending_before
            and (uid in self._unmounted or not self._texts.get(self._key(pod)))
        ]
        self._pending_before = frozenset(pending)
        found = await self._complaints.about(silent[:STUCK_AT_ONCE])
        self._note({self._key(pending[uid]): one for uid, one in found.items()})
        stuck = (pending[uid] for uid in found if self._known.is_current(pending[uid]))
        return [Seen(pod.metadata.name, self._explained(pod)) for pod in stuck]

    def _one(self, news: Change) -> Listed | Seen | None:
        known = self._known
        match news:
            case PodsListed(pods=pods):
                ours = known.listed(pods.values())
                self._forget_all_but({pod.metadata.uid for pod in ours.values()})
                return Listed({name: self._explained(pod) for name, pod in ours.items()})
            case PodSeen(pod=pod) if known.is_ours(pod):
                known.seen(pod)
                return Seen(pod.metadata.name, self._explained(pod))
            case PodGone(pod=pod) if known.is_ours(pod):
                explained, last = self._explained(pod), known.left(pod)
                said = explained if isinstance(last, Ended) else last
                return None if said is None else Seen(pod.metadata.name, said)
        return None

    async def _learn(self, pods: Iterable[Pod]) -> None:
        """Ask why, where that is not known yet."""
        unknown = {
            pod.metadata.uid: self._key(pod)
            for pod in pods
            if _is_bad(self._known.sight(pod)) and self._key(pod) not in self._texts
        }
        if unknown:
            found = await self._complaints.about(list(unknown))
            self._texts |= dict.fromkeys(unknown.values(), "")
            self._note({unknown[uid]: one for uid, one in found.items()})

    def _note(self, found: Mapping[tuple[str, str], Complaint]) -> None:
        for key, complaint in found.items():
            self._texts[key] = complaint.text
            known = self._unmounted
            (known.add if complaint.lacks_volume else known.discard)(key[0])

    def _explained(self, pod: Pod) -> Sight:
        sight = self._known.sight(pod)
        text = self._texts.get(self._key(pod), "")
        words = "; ".join(filter(None, (_why(sight), text)))
        if isinstance(sight, Pending):
            is_mount = not sight.hopeless and pod.metadata.uid in self._unmounted
            return replace(sight, reason=words, waits="bind" if is_mount else sight.waits)
        return replace(sight, detail=words) if isinstance(sight, Ended) else sight

    def _key(self, pod: Pod) -> tuple[str, str]:
        sight = self._known.sight(pod)  # an end stays what it is, whatever becomes of the pod
        return pod.metadata.uid, "ended" if isinstance(sight, Ended) else _why(sight)

    def _forget_all_but(self, uids: set[str]) -> None:
        self._texts = {key: text for key, text in self._texts.items() if key[0] in uids}
        self._unmounted &= uids


def _pods_of(news: Change) -> Iterable[Pod]:
    return news.pods.values() if isinstance(news, PodsListed) else (news.pod,)


def _is_bad(sight: Sight) -> bool:
    if isinstance(sight, Pending):
        return sight.hopeless
    return isinstance(sight, Ended) and not sight.ok and sight.cause is not Cause.STOPPED


def _why(sight: Sight) -> str:
    if isinstance(sight, Pending):
        return sight.reason
    return sight.detail if isinstance(sight, Ended) else ""
