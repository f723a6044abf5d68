"""Which pods a recording is about: also those that do not exist yet, or any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmdbenchd.core.pods.objects import Pod

_OVER = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The servers of a stack, told by what they have in common.

    A pod that is made anew has another name, and no address for a while; so neither names
    alone nor the slices of a Service find it.

    Attributes:
        selectors: labels, all of one of which a pod has.
        names: pods known by name.
        owners: uids of what made those.
    """

    namespace: str
    selectors: tuple[Mapping[str, str], ...] = ()
    names: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    @property
    def is_nobody(self) -> bool:
        """Whether no pod can be one of them."""
        return not (self.selectors or self.names)

    @property
    def query(self) -> Mapping[str, str]:
        """What narrows a list of pods to those that may be among them."""
        if self.names or len(self.selectors) != 1:
            return {}
        [labels] = self.selectors
        return {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items())}

    def holds(self, pod: Pod) -> bool:
        """Whether a pod is one of them."""
        labels, owners = pod.metadata.labels.items(), pod.metadata.owner_references
        return (
            any(selector.items() <= labels for selector in self.selectors)
            or pod.metadata.name in self.names
            or any(one.uid in self.owners for one in owners)
        )

    def known_by(self, pods: Sequence[Pod]) -> "Behind":
        """The same, with those that made the pods that are known by name."""
        named = [pod for pod in pods if pod.metadata.name in self.names]
        owners = {one.uid for pod in named for one in pod.metadata.owner_references if one.uid}
        return Behind(
            namespace=self.namespace,
            selectors=self.selectors,
            names=self.names,
            owners=tuple(sorted(owners)),
        )


def is_over(pod: Pod) -> bool:
    """Whether it was over before anybody looked: evicted, or a job's."""
    return pod.status.phase in _OVER
