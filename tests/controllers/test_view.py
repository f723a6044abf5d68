"""What was last seen: nothing is absent before a complete look, or after an own write."""

import pytest

from llmdbenchd.controllers.view import View
from llmdbenchd.core.run.sight import Absent, Pending, Running, Sight, Unknown
from llmdbenchd.ports import Listed, Seen
from tests.core.run.cases import GOOD


@pytest.fixture
def view() -> View:
    return View()


def test_before_a_complete_look_everything_is_unknown(view: View) -> None:
    view.apply(Seen("a", Running()))

    assert not view.is_complete
    assert view.look("a") == Unknown()
    assert view.look("b") == Unknown()


def test_what_is_not_in_a_complete_look_is_absent(view: View) -> None:
    view.apply(Listed({"a": Running()}))

    assert view.is_complete
    assert view.look("a") == Running()
    assert view.look("b") == Absent()


def test_a_launcher_that_a_new_complete_look_misses_is_gone(view: View) -> None:
    view.apply(Listed({"a": Running(), "b": GOOD}))

    assert view.apply(Listed({"b": GOOD, "c": Running()})) == {"a", "c"}
    assert view.look("a") == Absent()


def test_the_first_complete_look_is_news_about_everybody_known(view: View) -> None:
    view.apply(Seen("a", Running()))

    assert view.apply(Listed({"a": Running(), "b": Running()})) == {"a", "b"}


def test_what_was_seen_before_the_first_list_and_is_not_in_it_is_news_too(view: View) -> None:
    view.apply(Seen("a", Running()))

    assert view.apply(Listed({})) == {"a"}
    assert view.look("a") == Absent()


@pytest.mark.parametrize(
    ("before", "after", "is_news"),
    [
        (Absent(), Running(), True),
        (Running(), Running(), False),
        (Running(), GOOD, True),
        (Pending("image"), Pending("node"), True),
        (Running(), Absent(), True),
        (Absent(), Absent(), False),
    ],
)
def test_only_a_change_is_news(view: View, before: Sight, after: Sight, *, is_news: bool) -> None:
    view.apply(Listed({}))
    view.apply(Seen("a", before))

    assert view.apply(Seen("a", after)) == (frozenset({"a"}) if is_news else frozenset())
    assert view.look("a") == after


def test_our_own_write_makes_what_we_knew_unknown(view: View) -> None:
    view.apply(Listed({"a": Running(), "b": Running()}))
    view.unsettle(["a"])

    assert view.is_unsettled("a")
    assert view.look("a") == Unknown()
    assert view.look("b") == Running()


def test_news_of_the_watch_may_be_older_than_our_write(view: View) -> None:
    """Only a look that was begun after the write settles it."""
    view.apply(Listed({}))
    view.unsettle(["a"])
    view.apply(Seen("a", Running()))
    view.apply(Listed({}))

    assert view.look("a") == Unknown()


def test_a_look_after_the_write_settles_it(view: View) -> None:
    view.apply(Listed({}))
    view.unsettle(["a", "b"])
    view.settle("a", Running())
    view.settle("b", Absent())

    assert view.look("a") == Running()
    assert view.look("b") == Absent()
    assert not view.is_unsettled("a")


def test_settling_does_not_make_the_view_complete(view: View) -> None:
    view.settle("a", Running())

    assert not view.is_complete
    assert view.look("a") == Unknown()
