"""The web archive's index of captures (CDX): what it answers, and which captures are chosen of it. Pure."""

import datetime as dt
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import msgspec

from metacrawl.urls import PageKind, PageRef, parse

FIELDS = ("timestamp", "original", "mimetype", "statuscode", "digest")
SECOND = dt.timedelta(seconds=1)
TIME = "%Y%m%d%H%M%S"
# In broken lines of the index there are years such as 1 and 9999.
YEARS = range(1990, 2101)
# How far from the film's page its other pages may have been captured.
REACH = dt.timedelta(days=180)
# How many captures may stand in for one that turns out to be no page.
STAND_INS = 2

POINT = "((?:19|20)[0-9]{2}(?:-[0-9]{2}){0,2})"
SPAN = re.compile(f"{POINT}(?:-{POINT})?")


class Row(NamedTuple):
    """A line of the index."""

    timestamp: str
    original: str
    mimetype: str
    statuscode: str
    digest: str

    @property
    def is_page(self) -> bool:
        """Whether the site answered with a page."""
        return (self.statuscode, self.mimetype) == ("200", "text/html")

    @property
    def repeats(self) -> bool:
        """Whether the answer was what the archive has already, and is kept as a reference to that."""
        return (self.statuscode, self.mimetype) == ("-", "warc/revisit")


class Answer(NamedTuple):
    """An answer of the index; `resume_key` asks for what follows, and is empty at the end."""

    rows: list[Row]
    resume_key: str


@dataclass(frozen=True)
class Capture:
    """A page of the site as it was at a time."""

    time: dt.datetime
    original: str
    """The site's URL, as it was asked for."""

    digest: str
    """The same for the same content."""

    ref: PageRef

    @property
    def timestamp(self) -> str:
        """The time as the archive writes it."""
        return self.time.strftime(TIME)

    @classmethod
    def read(cls, timestamp: str, original: str, digest: str = "") -> Self:
        """Make a capture. Raises `ValueError` for what is no time, or no page that metacrawl knows."""
        return cls(time_of(timestamp), original, digest, parse(original))


@dataclass(frozen=True)
class Span:
    """What time a person asks for: the captures nearest to its middle, or, of a series, all in it."""

    text: str
    first: dt.datetime
    last: dt.datetime
    is_series: bool

    @property
    def at(self) -> dt.datetime:
        """The middle."""
        return self.first + (self.last + SECOND - self.first) / 2

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a year, month or day, or two of them with a hyphen between. Raises `ValueError`.

        >>> Span.read("2014").at.isoformat(), Span.read("2014-07-16").at.isoformat()
        ('2014-07-02T12:00:00+00:00', '2014-07-16T12:00:00+00:00')
        >>> Span.read("2014-2017").last.isoformat()
        '2017-12-31T23:59:59+00:00'
        """
        match = SPAN.fullmatch(text)
        points = list(filter(None, match.groups())) if match else [""]
        try:
            first, last = ends(points[0])[0], ends(points[-1])[1]
        except ValueError:
            raise ValueError("is no time such as 2014, 2014-07, 2014-07-16 or 2014-2017") from None
        if last < first:
            raise ValueError("ends before it begins")
        return cls(text, first, last, is_series=len(points) > 1)


def ends(point: str) -> tuple[dt.datetime, dt.datetime]:
    """Give the first and the last second of a year, month or day. Raises `ValueError` where there is none."""
    first = dt.datetime.strptime(f"{point}-01-01"[:10], "%Y-%m-%d").replace(tzinfo=dt.UTC)
    following = first + dt.timedelta(days=1)
    if len(point) == len("2014-07"):
        following = (first + dt.timedelta(days=31)).replace(day=1)
    if len(point) == len("2014"):
        following = first.replace(year=first.year + 1)
    return first, following - SECOND


def time_of(timestamp: str) -> dt.datetime:
    """Read the archive's 14 digits. Raises `ValueError` for others, and for a year that no capture is of."""
    if not re.fullmatch("[0-9]{14}", timestamp) or int(timestamp[:4]) not in YEARS:
        raise ValueError(f"{timestamp!r} is no time of 14 digits from {YEARS[0]} to {YEARS[-1]}")
    return dt.datetime.strptime(timestamp, TIME).replace(tzinfo=dt.UTC)


def read_answer(body: bytes) -> Answer:
    """Read an answer that was asked for as JSON with `FIELDS`. Raises `ValueError` for anything else."""
    try:
        lines = msgspec.json.decode(body, type=list[list[str]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"no answer of the archive's index: {error}") from None
    key = ""
    if len(lines) > 2 and not lines[-2] and len(lines[-1]) == 1:
        [key] = lines[-1]
        lines = lines[:-2]
    if lines and tuple(lines[0]) != FIELDS:
        raise ValueError(f"the archive's index answers with {', '.join(lines[0])[:200]}, not with {', '.join(FIELDS)}")
    if any(len(line) != len(FIELDS) for line in lines):
        raise ValueError(f"the archive's index has a line of other than {len(FIELDS)} parts")
    return Answer([Row(*line) for line in lines[1:]], key)


def captures(
    rows: Sequence[Row], slug: str, kinds: Collection[PageKind], digests: Collection[str] = ()
) -> list[Capture]:
    """Find the captures of a film's pages of some kinds.

    One that repeats another counts where that is among the rows, or in `digests`: else it may repeat an error page.
    """
    pages = {*digests, *(row.digest for row in rows if row.is_page)}
    found = []
    for row in rows:
        if row.is_page or (row.repeats and row.digest in pages):
            try:
                capture = Capture.read(row.timestamp, row.original, row.digest)
            except ValueError:
                # Not a URL that the site ever linked to, for instance.
                continue
            if capture.ref.slug == slug and capture.ref.kind in kinds:
                found.append(capture)
    return found


class Timeline:
    """The captures of a page, ordered so that the nearest to a time is found without looking at each."""

    def __init__(self, found: Iterable[Capture]) -> None:
        # Of those at the same time the first by URL comes first, whichever way one goes.
        backward = sorted(found, key=lambda capture: (capture.original, capture.digest), reverse=True)
        backward.sort(key=lambda capture: capture.time)
        forward = sorted(backward, key=lambda capture: (capture.time, capture.original, capture.digest))
        self.times = [capture.time for capture in forward]
        self.before = [(), *latest(backward)]
        self.after = [(), *latest(reversed(forward))][::-1]

    def nearest(self, at: dt.datetime, reach: dt.timedelta = dt.timedelta.max) -> list[Capture]:
        """Choose the capture nearest to a time, of two as near the earlier, and after it what can stand in for it.

        Those have other content: the same would be the same error page.
        """
        place = bisect_left(self.times, at)
        near = [capture for capture in (*self.before[place], *self.after[place]) if abs(capture.time - at) <= reach]
        near.sort(key=lambda capture: (abs(capture.time - at), capture.time, capture.original, capture.digest))
        chosen: dict[str, Capture] = {}
        for capture in near:
            chosen.setdefault(capture.digest, capture)
        return list(chosen.values())[: 1 + STAND_INS]


def latest(found: Iterable[Capture]) -> Iterator[tuple[Capture, ...]]:
    """Give at each capture the last one of each content so far, the latest first, and no more than are ever chosen."""
    contents: tuple[Capture, ...] = ()
    for capture in found:
        others = (other for other in contents if other.digest != capture.digest)
        contents = (capture, *others)[: 1 + STAND_INS]
        yield contents


def series(found: Iterable[Capture], first: dt.datetime, last: dt.datetime) -> list[Capture]:
    """Choose the first capture of each content in a time."""
    chosen: dict[str, Capture] = {}
    for capture in sorted(found, key=lambda capture: (capture.time, capture.original)):
        if first <= capture.time <= last:
            chosen.setdefault(capture.digest, capture)
    return list(chosen.values())


def by_page(found: Iterable[Capture]) -> dict[PageRef, list[Capture]]:
    """Group captures by what they show, however the URL is written."""
    groups: dict[PageRef, list[Capture]] = {}
    for capture in found:
        groups.setdefault(capture.ref, []).append(capture)
    return groups
