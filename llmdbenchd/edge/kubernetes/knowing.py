"""What the watch has told of our launchers, kept so that nobody asks the API server for it.

A pod that ended and then went away is kept with its last words until it is removed: who
looks a moment too late would otherwise see nothing but that it is gone.
"""

from collections.abc import Iterable, Mapping

from llmdbenchd.core.launch import labels
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.pods.sight import sight_of
from llmdbenchd.core.run.sight import Absent, Ended, Sight


class Known:
    """Our launchers in one namespace."""

    def __init__(self, instance: str) -> None:
        self._ours = labels.instance_labels(instance).items()
        self._pods: dict[str, Pod] = {}
        self._gone: dict[str, Pod] = {}
        self._gone_at_last_list: frozenset[str] = frozenset()
        self._told_to_end: set[str] = set()
        self._taken_away: set[str] = set()

    def is_ours(self, pod: Pod) -> bool:
        """Whether it is a launcher of this daemon, whatever its name is."""
        carried = pod.metadata.labels
        return self._ours <= carried.items() and carried.get(labels.APP) == labels.LAUNCHER_APP

    def all(self) -> tuple[Pod, ...]:
        """The launchers that are there, as they were last seen."""
        return tuple(self._pods.values())

    def get(self, launcher: str) -> Pod | None:
        """The pod as it was last seen; None when it was never seen, or is gone."""
        return self._pods.get(launcher)

    def is_current(self, pod: Pod) -> bool:
        """Whether nothing newer was seen of it."""
        return self._pods.get(pod.metadata.name) is pod

    def last(self, launcher: str) -> Pod | None:
        """The pod as it was last seen, also one that ended and is gone."""
        return self._pods.get(launcher) or self._gone.get(launcher)

    def attempts(self) -> frozenset[str]:
        """Names of the attempts that have launchers."""
        return frozenset(map(labels.attempt_name, self._pods.keys() | self._gone.keys()))

    def payloads(self) -> frozenset[str]:
        """Digests of the payloads that launchers have mounted."""
        return frozenset(pod.metadata.labels.get(labels.PAYLOAD, "") for pod in self._pods.values())

    def sight(self, pod: Pod) -> Sight:
        """What the pod's state means, that we asked it to end included."""
        return sight_of(pod, stopping=self.was_told_to_end(pod))

    def listed(self, pods: Iterable[Pod]) -> Mapping[str, Pod]:
        """A whole list: what is not in it is gone. Returns our launchers.

        Those that ended and are gone are among them, until they are removed or a second
        list has come: the list that follows a gap must not hide what happened in the gap.
        """
        for name in self._gone_at_last_list & self._gone.keys():
            del self._gone[name]
        self._pods = {pod.metadata.name: pod for pod in pods if self.is_ours(pod)}
        self._gone = {name: pod for name, pod in self._gone.items() if name not in self._pods}
        self._gone_at_last_list = frozenset(self._gone)
        known = self._gone | self._pods
        uids = {pod.metadata.uid for pod in known.values()}
        self._told_to_end &= uids
        self._taken_away &= uids
        return known

    def seen(self, pod: Pod) -> None:
        """It is there, in this state."""
        self._pods[pod.metadata.name] = pod
        self._gone.pop(pod.metadata.name, None)

    def left(self, pod: Pod) -> Sight | None:
        """It is gone, and this was its last state; None when another has its name by now.

        Returns how it ended, unless we took it away ourselves or nobody knows.
        """
        name, uid = pod.metadata.name, pod.metadata.uid
        there = self._pods.get(name)
        if there is not None and there.metadata.uid != uid:
            return None
        self._pods.pop(name, None)
        sight = self.sight(pod)
        if uid in self._taken_away or not isinstance(sight, Ended):
            self._taken_away.discard(uid)
            self._told_to_end.discard(uid)
            return Absent()
        self._gone[name] = pod
        return sight

    def told_to_end(self, pod: Pod) -> None:
        """We ask it to end: how it ends is our doing, unless it has ended already."""
        if not isinstance(sight_of(pod), Ended):
            self._told_to_end.add(pod.metadata.uid)

    def was_told_to_end(self, pod: Pod) -> bool:
        """Whether we have asked it before."""
        return pod.metadata.uid in self._told_to_end

    def take_away(self, pod: Pod) -> bool:
        """We take it away: its last words were heard. Returns whether it is still there."""
        if self._gone.pop(pod.metadata.name, None) is not None:
            self._told_to_end.discard(pod.metadata.uid)
            return False
        self._taken_away.add(pod.metadata.uid)
        return True
