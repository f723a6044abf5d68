"""The room of pods: what a container waits for, and whether it waits in vain.

In vain means that nothing changes unless somebody mends something. That ends an attempt, so
it is said only of what registries, runtimes and kubelets say clearly; whatever may pass (a
registry that does not answer, a cache that is not filled yet) has its time-out instead.
"""

import re

from llmdbenchd.core.pods.objects import Waiting
from llmdbenchd.core.pods.words import quoted
from llmdbenchd.core.run.sight import Pending

_PULL = "pull"
_BEGINNING = frozenset({"ContainerCreating", "PodInitializing"})
_PULLING = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
_IN_VAIN = frozenset({"InvalidImageName", "ErrImageNeverPull", "SignatureValidationFailed"})
_IN_VAIN_UNLESS_BUSY = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "ImageInspectError",
    }
)
_BUSY = (  # of kubelets and runtimes under load, or just begun
    "failed to sync",  # the kubelet's cache of a ConfigMap or secret
    "timed out",
    "deadline exceeded",
    "is reserved for",  # by an earlier try that timed out
    "connection refused",
    "connection error",
    "transport is closing",
)
_NO_SUCH_IMAGE = (  # as registries and runtimes say it
    "not found",
    "manifest unknown",
    "name unknown",
    "does not exist",
    "denied",
    "unauthorized",
    "forbidden",
    "authentication required",
    "authorization failed",
    "no match for platform",
    "invalid reference",
)
_NO_ANSWER = (  # of a registry, whatever else is said then
    "failed to do request",
    "dial tcp",
    "i/o timeout",
    "too many requests",
    "toomanyrequests",
    "deadline exceeded",
    "connection reset",
    "unexpected eof",
    "500 internal server error",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway time",
)
_QUOTED = re.compile(r'"[^"]*"')


def waiting(state: Waiting, image: str) -> Pending:
    """What a container with this state waits for.

    Args:
        state: as the container's status has it.
        image: the container's, as the pod asks for it.
    """
    reason = f"{state.reason}: {quoted(state.message)}" if state.message else state.reason
    words = state.message.lower()
    if state.reason in _PULLING:
        return Pending(reason, _PULL, hopeless=_is_no_such_image(words, image))
    if state.reason in _IN_VAIN:
        return Pending(reason, hopeless=True)
    if state.reason in _IN_VAIN_UNLESS_BUSY:
        return Pending(reason, hopeless=not _has(words, _BUSY))
    # Nothing but an event tells a pull from a mount that fails: see `words.lacks_volume`.
    return Pending(reason, _PULL if state.reason in _BEGINNING else "")


def _is_no_such_image(words: str, image: str) -> bool:
    """Names are left out of what is looked at: an image may be called `denied`."""
    name = image.lower().partition("@")[0]
    folder, slash, last = name.rpartition("/")
    repository = f"{folder}{slash}{last.partition(':')[0]}"
    said = _QUOTED.sub("", words).replace(repository, "")
    return _has(said, _NO_SUCH_IMAGE) and not _has(said, _NO_ANSWER)


def _has(words: str, any_of: tuple[str, ...]) -> bool:
    return any(word in words for word in any_of)
