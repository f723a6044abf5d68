"""What the watch of pods tells on ordinary days, and in which order."""

import asyncio
from itertools import pairwise

from llmdbenchd.edge.kubernetes.view import PAGE, Pace, PodGone, PodSeen, PodsListed, PodWatch
from tests.edge.kubernetes.pod_listener import SELECTOR, listening
from tests.edge.kubernetes.pod_server import CLOSE, PodServer, event_line, no


async def test_first_there_is_a_list_and_then_what_changes() -> None:
    server = PodServer()
    server.put("a", phase="Pending")
    async with listening(server) as pods:
        assert await pods.next() == "list a"
        server.put("a")
        server.put("b")
        server.drop("a")

        assert [await pods.next() for _ in range(3)] == ["seen a", "seen b", "gone a"]


async def test_who_was_never_heard_is_degraded_and_who_was_is_not() -> None:
    server = PodServer()
    async with listening(server) as pods:
        assert pods.watch.degraded == "not listed yet"
        assert pods.watch.last_heard is None
        assert await pods.next() == "list"
        assert pods.watch.degraded == ""
        assert pods.watch.last_heard is not None


async def test_a_list_tells_the_state_of_each_pod_by_its_name() -> None:
    server = PodServer()
    server.put("a", uid="1", phase="Failed")
    async with listening(server) as pods:
        await pods.next()

        (listed,) = pods.changes
        assert isinstance(listed, PodsListed)
        assert listed.pods["a"].metadata.uid == "1"
        assert listed.pods["a"].status.phase == "Failed"


async def test_a_pod_that_is_gone_is_told_with_its_last_state() -> None:
    server = PodServer()
    server.put("a")
    async with listening(server) as pods:
        await pods.next()
        server.put("a", phase="Failed")
        server.drop("a")
        await pods.until("gone a")

        gone = pods.changes[-1]
        assert isinstance(gone, PodGone)
        assert gone.pod.status.phase == "Failed"


async def test_many_pods_are_listed_in_pages() -> None:
    server = PodServer()
    for number in range(2 * PAGE + 1):
        server.put(f"p{number}")
    async with listening(server) as pods:
        await pods.next()

        (listed,) = pods.changes
        assert isinstance(listed, PodsListed)
        assert len(listed.pods) == 2 * PAGE + 1
        assert [one.query["limit"] for one in server.lists] == [str(PAGE)] * 3
        assert all(one.query["labelSelector"] == SELECTOR for one in server.asked)


async def test_others_live_while_a_long_list_is_read() -> None:
    server = PodServer()
    for number in range(6 * PAGE):
        server.put(f"p{number}")
    turns = 0

    async def somebody() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with listening(server) as pods:
        other = asyncio.create_task(somebody())
        await pods.next()
        other.cancel()

    assert turns >= 4


async def test_a_watch_is_asked_for_with_bookmarks_and_a_random_end() -> None:
    server = PodServer()
    async with listening(server) as pods:
        await pods.hours(of=24 * 3600)

    lifetimes = [int(one.query["timeoutSeconds"]) for one in server.watches]
    assert all(one.query["allowWatchBookmarks"] == "true" for one in server.watches)
    assert max(lifetimes) <= 600
    assert len(set(lifetimes)) > len(lifetimes) / 3


async def test_a_watch_whose_time_is_up_goes_on_where_it_was() -> None:
    server = PodServer()
    async with listening(server, pace=Pace(relist=1e6)) as pods:
        await pods.next()
        await pods.hours(of=1000)
        assert len(server.watches) > 1
        server.put("a")

        assert await pods.next() == "seen a"
        assert len(server.lists) == 1
        assert pods.watch.degraded == ""


async def test_a_bookmark_moves_the_place_to_go_on_from() -> None:
    server = PodServer()
    async with listening(server, pace=Pace(relist=1e6)) as pods:
        await pods.next()
        server.version = 5000  # others' objects
        await pods.hours(of=1000)

    assert server.watches[-1].query["resourceVersion"] == "5000"


async def test_everything_is_listed_again_every_ten_to_fifteen_minutes() -> None:
    server = PodServer()
    async with listening(server) as pods:
        await pods.hours(of=24 * 3600)

    times = [one.at for one in server.lists]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(pauses) > 90
    assert min(pauses) >= 590
    assert max(pauses) <= 920


async def test_what_a_watch_did_not_tell_is_found_by_the_next_list() -> None:
    server = PodServer()
    server.put("lost", phase="Running")
    async with listening(server) as pods:
        await pods.next()
        server.drop("lost", told=False)
        server.put("new", told=False)

        assert await pods.next() == "gone lost"
        gone = pods.changes[-1]
        assert isinstance(gone, PodGone)
        assert gone.pod.status.phase == "Running"
        assert await pods.next() == "list new"


async def test_a_pod_of_the_same_name_is_another_one() -> None:
    server = PodServer()
    server.put("a", uid="1")
    async with listening(server) as pods:
        await pods.next()
        server.drop("a", told=False)
        server.put("a", uid="2", told=False)

        assert await pods.next() == "gone a"
        assert await pods.next() == "list a"
        gone, listed = pods.changes[-2:]
        assert isinstance(gone, PodGone)
        assert gone.pod.metadata.uid == "1"
        assert isinstance(listed, PodsListed)
        assert listed.pods["a"].metadata.uid == "2"


async def test_a_pod_whose_name_another_one_has_by_now_is_told_to_be_gone_first() -> None:
    server = PodServer()
    server.put("a", uid="1")
    async with listening(server) as pods:
        await pods.next()
        server.drop("a", told=False)
        server.put("a", uid="2")

        assert [await pods.next(), await pods.next()] == ["gone a", "seen a"]
        gone, seen = pods.changes[-2:]
        assert isinstance(gone, PodGone)
        assert isinstance(seen, PodSeen)
        assert (gone.pod.metadata.uid, seen.pod.metadata.uid) == ("1", "2")


async def test_who_was_told_to_be_gone_is_not_told_so_again() -> None:
    server = PodServer()
    server.put("a")
    server.put("b")
    async with listening(server) as pods:
        await pods.next()
        server.drop("a")
        await pods.until("list b")

        assert pods.heard.count("gone a") == 1


async def test_a_listener_who_goes_away_leaves_no_watch_behind() -> None:
    server = PodServer()
    for _ in range(3):
        async with listening(server) as pods:
            await pods.next()
            server.put("a")
            await pods.until("seen a")
            server.drop("a")

    assert len(asyncio.all_tasks()) == 1


async def test_a_watch_that_the_server_ends_after_an_event_goes_on_at_once() -> None:
    """A burst of changes makes a real API server do this."""
    server = PodServer()
    async with listening(server) as pods:
        await pods.next()
        server.put("a")
        await pods.next()
        server.interrupt(CLOSE)
        server.put("b")

        assert await pods.next(0.1) == "seen b"
        assert pods.watch.degraded == ""
        assert len(server.watches) == 2
        assert len(server.lists) == 1


async def test_the_time_is_the_clock_s_that_was_given() -> None:
    moments = iter(range(1000, 2000))
    async with listening(PodServer(), clock=lambda: float(next(moments))) as pods:
        await pods.next()

        assert pods.watch.last_heard is not None
        assert pods.watch.last_heard >= 1000


async def test_a_right_that_is_missing_is_no_silence_and_no_answer_is_no_refusal() -> None:
    server = PodServer()
    server.list_answers.extend([no(403), no(500)])
    async with listening(server) as pods:
        await asyncio.sleep(0.1)
        assert "403" in (refused(pods.watch) or "")
        await asyncio.sleep(0.8)
        assert refused(pods.watch) is None, "whoever cannot answer does not refuse"
        await pods.hours(of=60)

        assert refused(pods.watch) == ""
        assert pods.watch.degraded == ""


async def test_a_right_to_watch_that_is_taken_away_is_no_refusal_while_lists_are_allowed() -> None:
    server = PodServer()
    async with listening(server) as pods:
        await pods.next()
        server.watch_answers.extend([no(403)] * 40)
        server.interrupt(CLOSE)
        server.put("a")

        assert await pods.next(120) == "seen a" or await pods.next(120)
        assert refused(pods.watch) == ""
        assert len(server.lists) > 1, "what may not be watched is listed"


async def test_rights_that_are_taken_away_under_a_watch_are_noticed_in_a_minute() -> None:
    server = PodServer()
    async with listening(server) as pods:
        await pods.next()
        assert refused(pods.watch) == ""
        server.list_answers.extend([no(403)] * 40)
        server.watch_answers.extend([no(403)] * 40)
        server.interrupt(CLOSE)
        await asyncio.sleep(60)

        assert "403" in (refused(pods.watch) or "")


def refused(watch: PodWatch) -> str | None:
    """What the server says to a look, if that is no."""
    return watch.refused


async def test_events_of_a_kind_not_known_here_change_nothing() -> None:
    server = PodServer()
    async with listening(server) as pods:
        await pods.next()
        pod = {"metadata": {"name": "x", "resourceVersion": "500"}}
        server.interrupt(event_line("PARTIED", pod), b"\n")
        server.put("a")

        assert await pods.next() == "seen a"
