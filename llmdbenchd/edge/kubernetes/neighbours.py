"""The Kubernetes room's look over the fence: what launchers of other daemons load here.

They come with the same watch as our own, are never touched, and of interest only as long as
they load something.
"""

from collections.abc import Iterable

from llmdbenchd.core.launch.labels import INSTANCE, TARGET
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.pods.sight import sight_of
from llmdbenchd.core.run.rivals import Rivals, marked
from llmdbenchd.core.run.sight import Ended
from llmdbenchd.edge.kubernetes.knowing import Known
from llmdbenchd.edge.kubernetes.view import Change, PodGone, PodSeen, PodsListed


class Neighbours:
    """Launchers of other daemons in one namespace."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._loads: dict[str, Rivals] = {}

    @property
    def rivals(self) -> Rivals:
        """What they load."""
        return {mark: who for loads in self._loads.values() for mark, who in loads.items()}

    def is_theirs(self, change: Change) -> bool:
        """Whether it is of no interest but for what is loaded."""
        return not isinstance(change, PodsListed) and not self._known.is_ours(change.pod)

    def note(self, changes: Iterable[Change]) -> bool:
        """Hear of pods; whether they load something else than before."""
        before = self.rivals
        for change in changes:
            self._note(change)
        return self.rivals != before

    def _note(self, change: Change) -> None:
        match change:
            case PodsListed(pods=pods):
                self._loads = {}
                for pod in pods.values():
                    self._take(pod)
            case PodSeen(pod=pod):
                self._take(pod)
            case PodGone(pod=pod):
                self._loads.pop(pod.metadata.uid, None)

    def _take(self, pod: Pod) -> None:
        """Keep what a pod loads; most load nothing that is not ours."""
        if load := self._load(pod):
            self._loads[pod.metadata.uid] = load
        else:
            self._loads.pop(pod.metadata.uid, None)

    def _load(self, pod: Pod) -> Rivals:
        metadata = pod.metadata
        if self._known.is_ours(pod) or isinstance(sight_of(pod), Ended):
            return {}
        who = f"launcher {metadata.name} of the daemon {metadata.labels.get(INSTANCE, '?')}"
        return dict.fromkeys(marked(metadata.annotations.get(TARGET, "")), who)
