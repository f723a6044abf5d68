"""A list that fails in the middle of its pages is no list, and takes no pod away."""

import pytest

from llmdbenchd.edge.kubernetes.view import PAGE
from llmdbenchd.ports import Unavailable
from tests.edge.kubernetes.pod_listener import listening
from tests.edge.kubernetes.pod_server import CUT, PodServer, no


@pytest.mark.parametrize("page", [2, 3])
@pytest.mark.parametrize("answer", [no(500), no(403), no(429), b"{", b"<html>502</html>"])
async def test_a_list_that_fails_on_a_later_page_takes_no_pod_away(
    answer: object, page: int
) -> None:
    """What was read of it is forgotten: nobody is told to be gone because of half a list."""
    server = PodServer()
    for number in range(3 * PAGE):
        server.put(f"p{number}")
    async with listening(server) as pods:
        assert len((await pods.next()).split()) == 1 + 3 * PAGE
        server.forget()
        server.list_answers.extend([*[None] * (page - 1), answer])
        server.interrupt(CUT)
        server.drop("p7", told=False)

        assert await pods.next(120) == "gone p7"
        assert len((await pods.next()).split()) == 3 * PAGE
        await pods.hours(of=60)
        assert [word for word in pods.heard if word.startswith("gone")] == ["gone p7"]


async def test_a_list_that_fails_in_the_middle_is_no_list() -> None:
    server = PodServer()
    for number in range(2 * PAGE):
        server.put(f"p{number}")
    server.list_answers.extend([None, Unavailable("the connection was cut")])
    async with listening(server) as pods:
        word = await pods.next()

        assert len(word.split()) == 1 + 2 * PAGE
        assert ["continue" in one.query for one in server.lists] == [False, True, False, True]
