"""Stamps of log lines, most of which name neither a year nor a zone -> seconds that go on."""

import re
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

_FORMS = rb"""
    (?:(?P<year>\d{4})-)?(?P<month>\d\d)-(?P<day>\d\d)[ T]
    (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)
    (?:[.,](?P<fraction>\d{1,9}))?
    (?P<zone>Z|[+-]\d\d:?\d\d)?
"""
ISO = re.compile(_FORMS.replace(rb"(?:(?P<year>\d{4})-)?", rb"(?P<year>\d{4})-"), re.VERBOSE)
"""A stamp with its year."""
_ANY = re.compile(_FORMS, re.VERBOSE)
_QUARTER_S = 900
_HALF_A_YEAR_S = 183 * 86400


class Source(StrEnum):
    """Where a time was read, best first."""

    CLUSTER = "stamps of the container's log"
    LOG = "stamps of the log's own lines"


class Stamp(msgspec.Struct, frozen=True):
    """As it stands in the line.

    Attributes:
        when: without a zone; the year is 0 where the line names none.
        year: as written, or None.
        offset_s: what the zone is east of UTC; None where the line names none.
        grain_s: how exact it is.
    """

    when: tuple[int, int, int, int, int]
    year: int | None
    fraction_s: float
    offset_s: int | None
    grain_s: float


def stamp_of(text: bytes) -> Stamp | None:
    """The stamp that `text` begins with, or nothing if there is none or no such day."""
    found = _ANY.match(text)
    if found is None:
        return None
    year, *parts, fraction, zone = found.groups()
    month, day, hour, minute, second = map(int, parts)
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):  # noqa: PLR2004 - of a calendar
        return None
    return Stamp(
        (month, day, hour, minute, second),
        int(year) if year and int(year) else None,
        float(b"0." + fraction) if fraction else 0.0,
        _offset(zone),
        10.0 ** -len(fraction) if fraction else 1.0,
    )


def _offset(zone: bytes | None) -> int | None:
    if zone is None:
        return None
    if zone == b"Z":
        return 0
    sign = -1 if zone[:1] == b"-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)


class Calendar:
    """Gives stamps of one log their year and their zone.

    A year is the one that brings a stamp nearest to the stamp before it, so that New Year passes
    forward, and lines that overtook each other at midnight do not jump a year. The zone is
    learnt from a line that has two stamps, the container's and its own; until then it is UTC.
    """

    def __init__(self, year: int | None = None) -> None:
        """Start.

        Args:
            year: of the first line, if somebody knows; otherwise the first line that names one
                teaches it.
        """
        self.zone_s = 0
        self.zone_is_known = False
        self.year_is_known = year is not None
        self._year = year or 2024  # a leap year: no day of the log is impossible
        self._last: float | None = None

    def seconds(self, stamp: Stamp) -> float | None:
        """Since 1970, UTC as far as the zone is known; None for a day that no year has."""
        if stamp.year is not None:
            found = _seconds(stamp, stamp.year)
            self._year = stamp.year
            if found is not None and not self.year_is_known:
                self.year_is_known = True
                self._last = None
        else:
            found = self._nearest(stamp)
        if found is None:
            return None
        self._last = found
        return found - (self.zone_s if stamp.offset_s is None else stamp.offset_s)

    def _nearest(self, stamp: Stamp) -> float | None:
        """In the year that brings it nearest to the stamp before."""
        found = _seconds(stamp, self._year)
        if found is not None and (self._last is None or abs(found - self._last) < _HALF_A_YEAR_S):
            return found
        around = ((_seconds(stamp, year), year) for year in (self._year + 1, self._year - 1))
        for near, year in around:
            if near is not None and (self._last is None or abs(near - self._last) < _HALF_A_YEAR_S):
                self._year = year
                return near
        return found

    def learn_zone(self, cluster: Stamp, own: Stamp) -> None:
        """Compare two stamps of one line; the cluster's is UTC or says what it is."""
        if self.zone_is_known or own.offset_s is not None or cluster.offset_s is None:
            return
        utc = self.seconds(cluster)
        self.zone_s = 0
        local = self.seconds(own)
        if utc is not None and local is not None:
            self.zone_s = round((local - utc) / _QUARTER_S) * _QUARTER_S
            self.zone_is_known = True


def _seconds(stamp: Stamp, year: int) -> float | None:
    month, day, hour, minute, second = stamp.when
    try:
        at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    return at.timestamp() + stamp.fraction_s
