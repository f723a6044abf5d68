"""Lines of a watch, as a real API server writes them."""

import pytest

from llmdbenchd.edge.kubernetes.errors import Gone
from llmdbenchd.edge.kubernetes.telegrams import PodGone, PodSeen, told
from llmdbenchd.ports import Unavailable

BOOKMARK = (  # of 1.34: what is empty is null
    b'{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":'
    b'"421","creationTimestamp":null},"spec":{"containers":null},"status":{}}}'
)


def test_a_bookmark_moves_the_version_although_its_pod_is_full_of_nulls() -> None:
    one = told(BOOKMARK)

    assert (one.version, one.change) == ("421", None)


def test_a_change_is_told_with_its_pod() -> None:
    line = b'{"type":"%s","object":{"metadata":{"name":"a","resourceVersion":"7"}}}'

    assert isinstance(told(line % b"ADDED").change, PodSeen)
    assert isinstance(told(line % b"MODIFIED").change, PodSeen)
    assert isinstance(told(line % b"DELETED").change, PodGone)
    assert told(line % b"DELETED").version == "7"


def test_a_version_that_is_forgotten_is_gone_and_anything_else_is_trouble() -> None:
    with pytest.raises(Gone):
        told(b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}')
    for line in (b"<html>", b'{"type":"ERROR","object":{}}', b'{"type":"ADDED","object":[]}'):
        with pytest.raises(Unavailable):
            told(line)
