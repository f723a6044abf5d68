"""Exactly once: whatever is cut, whenever, within one file of the source."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from llmdbenchd.kit.stamps import gaps, opening
from tests.kit.kubelet import SECOND, START, World, Written, told

TEXTS = [b"", b"a", b"a", b"b\r 1%\r 2%", b"\xff\xfe\x00", b"c" * 200]
CHANCE = st.randoms(use_true_random=True)


def records(random: Random, count: int, *, pace: list[int], untidy: int = 0) -> list[Written]:
    """Lines of few words, many of them alike; stamps alike, or out of order by `untidy`."""
    now, made = START + random.randrange(SECOND), []
    for _ in range(count):
        now += random.choice(pace)
        text = random.choice(TEXTS)
        made.append(Written(now - random.randint(0, untidy), text))
    return made


@given(CHANCE)
@settings(max_examples=400, deadline=None)
def test_no_line_is_missing_and_none_is_doubled(random: Random) -> None:
    pace = random.choice([[0], [0, 1, SECOND // 100], [0, SECOND // 3], [SECOND, 90 * SECOND]])
    untidy = random.choice([0, SECOND * 9 // 10])
    world = World(random, records(random, 120, pace=pace, untidy=untidy))

    copier = world.run()

    assert copier.copy == told(world.records)
    assert copier.gaps == 0


@given(CHANCE)
@settings(max_examples=200, deadline=None)
def test_lines_that_are_written_piece_by_piece_are_copied_as_one(random: Random) -> None:
    """A runtime that records every write: a progress bar is one line that takes minutes."""
    whole = records(random, 80, pace=[0, SECOND // 5, 2 * SECOND])
    world = World(random, pieces(random, whole))

    copier = world.run()

    assert copier.copy == told(world.records)
    assert copier.gaps == 0


def pieces(random: Random, whole: list[Written]) -> list[Written]:
    """The same, with some lines ended by a later record."""
    made, late = [], 0
    for number, record in enumerate(whole):
        at = record.at + late
        for part in range(random.choice([0, 0, 0, 1, 4])):
            made.append(Written(at, b"%d.%d" % (number, part), whole=False))
            step = random.choice([1, SECOND, 3 * SECOND])
            at, late = at + step, late + step
        made.append(Written(at, record.text + b" %d" % number))
    return made


@given(CHANCE)
@settings(max_examples=200, deadline=None)
def test_a_copy_that_begins_in_the_middle_has_all_from_there_on_and_no_gap(random: Random) -> None:
    untidy = random.choice([0, SECOND * 9 // 10])
    made = records(random, 80, pace=[0, SECOND // 3, SECOND], untidy=untidy)
    made = made if untidy else pieces(random, made)
    begin = random.choice(made).at // SECOND
    world = World(random, made, begin=begin)

    copier = world.run()

    assert copier.copy == opening(begin) + told(world.records, begin)
    assert copier.gaps == 0


@given(CHANCE)
@settings(max_examples=60, deadline=None)
def test_lines_longer_than_a_record_are_copied_as_one(random: Random) -> None:
    made: list[Written] = []
    now = START
    for record in records(random, 40, pace=[0]):
        now += random.choice([0, SECOND // 10, SECOND])
        for _ in range(random.choice([0, 0, 1, 3])):
            made.append(Written(now, random.randbytes(1).hex().encode() * 8192, whole=False))
            now += random.choice([1, SECOND // 10, 4 * SECOND])
        made.append(Written(now - random.randint(0, SECOND * 9 // 10), record.text))
    world = World(random, made)

    copier = world.run()

    assert copier.copy == told(world.records)
    assert copier.gaps == 0


@given(CHANCE)
@settings(max_examples=300, deadline=None)
def test_what_rotation_took_is_marked_and_nothing_is_doubled(random: Random) -> None:
    made = records(random, 120, pace=[1, SECOND // 100, SECOND // 3])
    made = [Written(record.at, record.text.replace(b"\r", b"")) for record in made]
    world = World(random, made, rotates=0.1)

    copier = world.run()

    places = {line: number for number, line in enumerate(told(made).splitlines(keepends=True))}
    assert len(places) == len(made)
    above, marked = None, True  # what was rotated away before the first read, nobody can know
    for line in copier.copy.splitlines(keepends=True):
        if gaps(line):
            marked = True
            continue
        place = places[line]
        assert place == above + 1 if above is not None and not marked else place > (above or -1)
        above, marked = place, False
    assert marked or above == len(made) - 1
