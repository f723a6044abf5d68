"""The table of transitions, and the picture that is drawn from it."""

from llmdbenchd.core.run.phase import FINAL, NEXT, Phase, picture


def reachable(start: Phase) -> set[Phase]:
    seen: set[Phase] = set()
    ahead = {start}
    while ahead:
        seen |= ahead
        ahead = {after for phase in ahead for after in NEXT[phase]} - seen
    return seen


def test_every_phase_is_in_the_table_and_can_be_reached() -> None:
    assert set(NEXT) == set(Phase)
    assert reachable(Phase.QUEUED) == set(Phase)


def test_every_open_run_can_come_to_an_end() -> None:
    for phase in set(Phase) - FINAL:
        assert reachable(phase) & FINAL, phase


def test_nothing_follows_an_end_but_the_collecting_of_what_was_left_running() -> None:
    follows = {phase: NEXT[phase] for phase in FINAL if NEXT[phase]}

    assert follows == {Phase.LEFT: frozenset({Phase.COLLECTING})}


def test_every_end_but_left_comes_after_the_archive_was_sealed() -> None:
    for phase in FINAL - {Phase.LEFT}:
        assert [before for before in Phase if phase in NEXT[before]] == [Phase.CLEANING]
    assert [before for before in Phase if Phase.CLEANING in NEXT[before]] == [Phase.REPORTING]


def test_slots_are_held_while_load_may_be_generated_and_at_no_other_time() -> None:
    assert {phase for phase in Phase if phase.holds_slot} == {Phase.LAUNCHING, Phase.RUNNING}


def test_the_picture_shows_every_transition_and_every_end_once() -> None:
    lines = picture().splitlines()

    assert lines[:2] == ["stateDiagram-v2", "    [*] --> QUEUED"]
    arrows = [f"    {one} --> {after}" for one in NEXT for after in NEXT[one]]
    ends = [f"    {phase} --> [*]" for phase in FINAL]
    assert sorted(lines[2:]) == sorted([*arrows, *ends])
    assert picture().endswith("[*]\n")
