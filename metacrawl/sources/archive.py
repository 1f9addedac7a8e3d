"""Pages as the web archive has kept them."""

import datetime as dt
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response

from metacrawl.extract import LayoutError, Page, extract
from metacrawl.outcome import Outcome, Problem
from metacrawl.sources import cdx
from metacrawl.sources.address import Address
from metacrawl.sources.cdx import REACH, Capture, Span, Timeline
from metacrawl.sources.lacks import lack_of
from metacrawl.urls import PageKind, PageRef

logger = logging.getLogger(__name__)

# The downloader slot of look-ups: the archive allows fewer of them than of captures.
CDX_SLOT = "cdx"
LOOK_UP = "look-up"
INDEX = "/cdx/search/cdx"
# Without what the archive answers with errors and redirects; the expressions fit a whole value.
FILTERS = ("statuscode:200|-", "mimetype:text/html|warc/revisit")
# Rows in an answer: it stays below `DOWNLOAD_MAXSIZE`, and all that the archive has of a film is rarely more.
MOST_ROWS = 10_000
# Answers to one look-up: an index that goes on longer does not end at all.
MOST_PARTS = 100
ERRORS = [status.value for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST]
HOST = "www.metacritic.com"


@dataclass(frozen=True)
class LookUp:
    """What is looked up in the index; it travels with the request, as JSON."""

    slug: str
    kinds: Sequence[str]
    beside: list[str] | None = None
    """The times of the captures of the film's page that these pages go with; none where a film is begun with them."""

    found: list[list[str]] = field(default_factory=list)
    """What was chosen from the answers before this one: time, URL and digest of each."""

    digests: list[str] = field(default_factory=list)
    """Those of the pages that these answers ended with: the next one may begin with what repeats them."""

    keys: list[str] = field(default_factory=list)
    """What these answers said to go on with."""


class ArchiveSource:
    """The web archive at `base_url`: films' pages in a span of time, and beside each those of some other `kinds`.

    What leads from one answer to the next is in the requests themselves, so that it survives a restart.
    """

    def __init__(self, base_url: str, contact: str, span: Span, kinds: Collection[PageKind]) -> None:
        self.archive = Address.read("METACRAWL_ARCHIVE_URL", base_url, contact)
        self.base_url, self.base_urls, self.follows = self.archive.base_url, [self.archive.base_url], False
        self.hosts = [self.archive.host]
        self.span, self.kinds = span, kinds

    # --- Requests

    def first_requests(self, pages: Iterable[PageRef]) -> Iterator[Request]:
        """Look each film up: its page, or the pages of another kind that a crawl starts from."""
        for page in pages:
            yield self.look_up(LookUp(page.slug, [page.kind.value]))

    def requests(self, _pages: Iterable[PageRef]) -> Iterable[Request]:
        """Follow nothing: which pages were captured is in the index."""
        return ()

    def instead(self, request: Request) -> Iterator[Request]:
        """Ask for the next best capture of the same page."""
        if stand_ins := self.stand_ins(request.meta):
            yield self.request(stand_ins)

    def stand_ins(self, meta: Mapping[str, Any]) -> list[Capture]:
        """Read what can stand in for the capture of a request, the best first."""
        return [Capture.read(*capture) for capture in meta.get("stand_ins", ())]

    def request(self, chosen: Sequence[Capture]) -> Request:
        """Ask for the bytes of a capture as the site sent them; what can stand in for it travels along."""
        capture, *others = chosen
        meta: dict[str, Any] = {
            "kind": capture.ref.kind.value,
            "film": capture.ref.slug,
            "path": capture.ref.path,
            "stand_ins": [[other.timestamp, other.original] for other in others],
        }
        if others:
            # What cannot be had comes to `read`, too; without a stand-in it fails as any other page.
            meta["handle_httpstatus_list"] = ERRORS
        return Request(f"{self.base_url}/web/{capture.timestamp}id_/{capture.original}", meta=meta)

    def look_up(self, what: LookUp) -> Request:
        """Ask the index for captures of a film's page, or of those below it.

        From the beginning: a capture may repeat any before it, and is known for a page by that alone.
        """
        last = self.last(what)
        film = HOST + PageRef(PageKind.MOVIE, what.slug).path
        query = [
            ("url", film if is_film(what) else f"{film}/"),
            ("matchType", "exact" if is_film(what) else "prefix"),
            ("output", "json"),
            ("fl", ",".join(cdx.FIELDS)),
            *(("filter", text) for text in FILTERS),
            *([("to", f"{last:{cdx.TIME}}")] if last else []),
            ("limit", str(MOST_ROWS)),
            ("showResumeKey", "true"),
            *(("resumeKey", key) for key in what.keys[-1:]),
        ]
        meta = {"kind": LOOK_UP, "film": what.slug, "look_up": asdict(what), "download_slot": CDX_SLOT}
        return Request(f"{self.base_url}{INDEX}?{urlencode(query)}", meta=meta)

    def last(self, what: LookUp) -> dt.datetime | None:
        """Tell until when captures can be chosen; there is no end for the nearest one of a film's page."""
        if times := self.times(what):
            return None if is_film(what) else max(times) + REACH
        return self.span.last

    def times(self, what: LookUp) -> list[dt.datetime]:
        """Tell the times that captures are to be near to; none for a series."""
        if what.beside is not None:
            return [cdx.time_of(timestamp) for timestamp in what.beside]
        return [] if self.span.is_series else [self.span.at]

    # --- Answers

    def may_ask(self, url: str) -> bool:
        """Tell whether a URL leads to the archive's server."""
        return self.archive.is_at(url)

    def is_astray(self, request: Request) -> bool:
        """Tell whether a redirected request has come to anything but bytes of the same page, as the site sent them."""
        if request.meta.get("kind") == LOOK_UP:
            return not request.url.startswith(f"{self.base_url}{INDEX}?")
        capture = self.capture_at(request.url)
        return capture is None or capture.ref.path != request.meta.get("path", capture.ref.path)

    def capture_at(self, url: str) -> Capture | None:
        """Read the address of a capture; none for any other."""
        place = re.escape(f"{self.base_url}/web/")
        match = re.fullmatch(f"{place}([0-9]{{14}})id_/(.+)", url)
        try:
            return Capture.read(match[1], match[2]) if match else None
        except ValueError:
            return None

    def read(self, response: Response) -> Page | Iterator[Request | Problem]:
        """Extract a capture, or choose from what the index answers. Raises `metacrawl.extract.LayoutError`."""
        if response.meta.get("kind") == LOOK_UP:
            return self.read_index(response)
        try:
            return self.page(response)
        except LayoutError as error:
            # An error page can come with status 200; the last one that was tried is told of.
            stand_ins = self.stand_ins(response.meta)
            if not stand_ins:
                message = f"{response.url}: the capture shows no page of the film: {error}"
                return iter([Problem(Outcome.PARTIAL, message)])
            logger.warning("%s: %s; another capture stands in for it", response.url, error)
            return iter([self.request(stand_ins)])

    def page(self, response: Response) -> Page:
        """Extract a capture. Raises `metacrawl.extract.LayoutError`."""
        capture = self.capture_at(response.url)
        if capture is None or capture.ref.path != response.meta.get("path", capture.ref.path):
            raise LayoutError("redirected away from the captures of this page")
        if response.status != HTTPStatus.OK:
            raise LayoutError(f"HTTP {response.status}")
        content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
        # Not as it was spelled that time (`http://metacritic.com:80/`): what is relative to it would change, too.
        return extract(response.body, capture.time, url=capture.ref.url, content_type=content_type)

    def read_index(self, response: Response) -> Iterator[Request | Problem]:
        """Ask for the captures that are chosen, and look up what goes with them. Raises `LayoutError`."""
        what = LookUp(**response.meta["look_up"])
        try:
            rows, resume_key = cdx.read_answer(response.body)
        except ValueError as error:
            raise LayoutError(str(error)) from None
        found = cdx.captures(rows, what.slug, {PageKind(kind) for kind in what.kinds}, what.digests)
        chosen = self.choose(what, [*(Capture.read(*before) for before in what.found), *found])
        if not resume_key:
            return self.follow(what, chosen)
        if not rows or resume_key in what.keys or len(what.keys) == MOST_PARTS:
            raise LayoutError(f"the archive's index goes on without end: it says to go on with {resume_key[:200]}")
        kept = {capture: None for captures in chosen for capture in captures}
        so_far = [[capture.timestamp, capture.original, capture.digest] for capture in kept]
        ends_with = {capture.digest for capture in found if capture.ref == found[-1].ref}
        digests, keys = sorted(ends_with.union(what.digests)), [*what.keys, resume_key]
        return iter([self.look_up(replace(what, found=so_far, digests=digests, keys=keys))])

    def choose(self, what: LookUp, found: Iterable[Capture]) -> list[list[Capture]]:
        """Choose captures, each with those that can stand in for it. What is chosen of a part is enough of it."""
        pages, times = cdx.by_page(found).values(), self.times(what)
        if not times:
            return [[capture] for page in pages for capture in cdx.series(page, self.span.first, self.span.last)]
        reach = dt.timedelta.max if is_film(what) else REACH
        return [near for page in map(Timeline, pages) for time in times if (near := page.nearest(time, reach))]

    def follow(self, what: LookUp, chosen: Sequence[Sequence[Capture]]) -> Iterator[Request | Problem]:
        """Make the requests that follow from a choice, each once, and tell what the archive has not."""
        first = {(captures[0].timestamp, captures[0].original): captures for captures in chosen}
        for captures in first.values():
            yield self.request(captures)
        yield from self.lacks(what, [captures[0] for captures in first.values()])
        if is_film(what) and self.kinds and chosen:
            times = sorted({captures[0].timestamp for captures in chosen})
            yield self.look_up(LookUp(what.slug, sorted(kind.value for kind in self.kinds), times))

    def lacks(self, what: LookUp, found: Sequence[Capture]) -> Iterator[Problem]:
        """Tell what the archive has not, once a kind; of the details, which few have, the log alone is told."""
        moments = list(self.moments(what, found))
        for kind in sorted(map(PageKind, what.kinds)):
            lacks = [f"{lack} {when}" for when, pages in moments if (lack := lack_of(kind, pages))]
            if lacks:
                more = f", nor all of it at {len(lacks) - 1} more of its captures" if len(lacks) > 1 else ""
                message = f"{what.slug}: the archive has no {lacks[0]}{more}"
                if kind is PageKind.DETAILS:
                    logger.info("%s", message)
                else:
                    yield Problem(Outcome.PARTIAL, message)

    def moments(self, what: LookUp, found: Sequence[Capture]) -> Iterator[tuple[str, Collection[PageRef]]]:
        """Tell for each moment, in words, which pages were found of it."""
        if what.beside is None:
            yield f"{'in' if self.span.is_series else 'near'} {self.span.text}", {capture.ref for capture in found}
            return
        pages = {ref: Timeline(captures) for ref, captures in cdx.by_page(found).items()}
        for time in self.times(what):
            near = {ref for ref, captures in pages.items() if captures.nearest(time, REACH)}
            yield f"within {REACH.days} days of {time:%Y-%m-%d}", near


def is_film(what: LookUp) -> bool:
    """Tell whether films' own pages are looked up."""
    return list(what.kinds) == [PageKind.MOVIE.value]
