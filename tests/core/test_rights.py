"""What a missing right means, from the table alone."""

import pytest

from llmdbenchd.core.rights import (
    LAUNCHERS,
    PREPROCESS,
    SCRIPTS,
    STACK,
    STACK_CHANGES,
    Lack,
    Need,
    Right,
    lacks,
)

PROXY = [right for right in LAUNCHERS if right.resource == "pods/proxy"]
EXEC = [right for right in LAUNCHERS if right.resource == "pods/exec"]


def right(name: str) -> Right:
    return next(one for one in LAUNCHERS if str(one) == name)


def lack(*missing: Right) -> list[Lack]:
    return list(lacks(LAUNCHERS, missing))


@pytest.mark.parametrize("table", [LAUNCHERS, STACK, STACK_CHANGES, PREPROCESS])
def test_no_right_is_listed_twice(table: tuple[Right, ...]) -> None:
    assert len({(one.group, one.resource, one.verb) for one in table}) == len(table)


@pytest.mark.parametrize("one", [*LAUNCHERS, *STACK, *STACK_CHANGES, *PREPROCESS])
def test_every_row_says_why_and_what_happens_without_it(one: Right) -> None:
    assert one.reason
    assert bool(one.without) == (one.need is not Need.ALWAYS)
    assert bool(one.instead) == (one.need is Need.FALLBACK)


def test_secrets_are_never_asked_for() -> None:
    assert not [one for one in (*LAUNCHERS, *STACK) if "secret" in one.resource]


def test_the_stack_is_only_looked_at() -> None:
    assert {one.verb for one in STACK} <= {"get", "list", "watch"}


def test_nothing_is_lacking_where_nothing_is_missing() -> None:
    assert lack() == []


@pytest.mark.parametrize("one", LAUNCHERS, ids=str)
def test_one_missing_right_is_bad_exactly_if_nothing_stands_in_for_it(one: Right) -> None:
    [found] = lack(one)

    assert found.right == one
    assert found.is_bad == (one.need is Need.ALWAYS)
    assert found.then == (one.without or "no run can succeed, as nothing stands in for it")


def test_two_ways_for_results_are_bad_only_when_both_are_closed() -> None:
    assert not any(found.is_bad for found in lack(*EXEC))

    both = lack(right("get pods/proxy"), right("get pods/exec"))

    assert [found.is_bad for found in both] == [True, True]
    assert both[0].then == "pods/exec, which could stand in for it, is not allowed either"
    assert both[1].then == "pods/proxy, which could stand in for it, is not allowed either"


def test_the_way_for_words_to_a_launcher_is_not_the_way_for_results() -> None:
    assert not any(found.is_bad for found in lack(right("create pods/proxy"), *EXEC))


def test_what_is_missing_is_told_in_the_order_of_the_table() -> None:
    assert [found.right for found in lack(*reversed(LAUNCHERS))] == list(LAUNCHERS)


def test_the_rule_of_a_right_can_be_pasted_into_a_role() -> None:
    assert right("get pods/log").rule == (
        '- {apiGroups: [""], resources: ["pods/log"], verbs: [get]}'
    )


def test_a_right_on_one_object_names_it_in_its_rule() -> None:
    [patch] = [one for one in PREPROCESS if one.verb == "patch"]

    assert patch.rule == (
        '- {apiGroups: [""], resources: ["configmaps"], '
        f'resourceNames: ["{SCRIPTS}"], verbs: [patch]}}'
    )
