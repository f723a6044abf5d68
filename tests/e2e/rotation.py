"""A log that the kubelet rotates: what is told of it begins later than it did."""

import threading
import time

from tests.e2e.namespace import Namespace

PATIENCE_S = 120.0
BURST = 12 << 20  # bytes; a kubelet rotates at 10 MiB if it is not told otherwise
MARK = b"llmdbenchd: log gap"


def wait_for_rotation(namespace: Namespace, pod: str, container: str, words: str) -> None:
    """Until the kubelet tells a log without these words of its beginning any more."""
    deadline = time.monotonic() + PATIENCE_S
    while words in namespace.log(pod, container):
        assert time.monotonic() < deadline, "the kubelet does not rotate"
        threading.Event().wait(1)
