"""Pages that a browser or a crawler has saved, one in a file or many in a WARC."""

import datetime as dt
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from scrapy import Request
from scrapy.http import Response

from metacrawl.extract import LayoutError, Page, extract
from metacrawl.sources.saved import Saved, is_warc, read_saved
from metacrawl.sources.warc import WarcError, places, read_record
from metacrawl.urls import SITE_HOSTS, PageRef

logger = logging.getLogger(__name__)

# What 0 stands for in the settings; what a page could be read in at all.
NO_LIMIT = 1024 * 1024 * 1024
PLACE = re.compile(r"offset=([0-9]{1,18})&length=([0-9]{1,18})")


class FilesSource:
    """The saved pages in `files`, each of `limit` bytes at most.

    They were shown by the site at `captured_at`; without one when a file says so, else when it was written.
    """

    def __init__(self, files: Sequence[Path], captured_at: dt.datetime | None, limit: int) -> None:
        self.base_urls: list[str] = []
        self.follows = False
        self.hosts: list[str] = []
        self.files = {file.absolute().as_uri(): file.absolute() for file in files}
        self.captured_at = captured_at
        self.limit = limit or NO_LIMIT

    def first_requests(self, _pages: Iterable[PageRef]) -> Iterator[Request]:
        """Make a request for each page in each file."""
        for uri, file in self.files.items():
            if is_warc(file):
                yield from self.requests_of(uri, file)
            else:
                yield Request(uri)

    def requests_of(self, uri: str, file: Path) -> Iterator[Request]:
        """Make the requests of the pages in a WARC, and one that fails for where it is broken."""
        passed_over: Counter[str] = Counter()
        pages = 0
        try:
            with file.open("rb") as opened:
                for place in places(opened, passed_over):
                    pages += 1
                    yield Request(f"{uri}?{urlencode(vars(place))}")
        except WarcError as error:
            yield Request(f"{uri}?offset={error.offset}&length=0", meta={"broken": str(error)})
        except OSError:
            yield Request(uri)  # fails as any other file would that cannot be read
        others = ", ".join(f"{number:,} {what}" for what, number in sorted(passed_over.items()))
        logger.info("%s: %d pages; passed over: %s", uri, pages, others or "nothing")

    def requests(self, _pages: Iterable[PageRef]) -> Iterable[Request]:
        """Follow nothing: there is what was saved, and no more."""
        return ()

    def instead(self, _request: Request) -> Iterable[Request]:
        """Nothing can stand in for a file."""
        return ()

    def may_ask(self, url: str) -> bool:
        """Tell whether a URL is that of a file that was named."""
        return url.partition("?")[0] in self.files

    def is_astray(self, _request: Request) -> bool:
        """A file is what it is."""
        return False

    def load(self, url: str) -> bytes:
        """Read what one of the requests asks for, and of a file that is too large a byte too much.

        Raises `KeyError` for a file that nobody has named, and `OSError`.
        """
        uri, _, query = url.partition("?")
        place = PLACE.fullmatch(query)
        offset, length = map(int, place.groups()) if place else (0, self.limit + 1)
        with self.files[uri].open("rb") as file:
            file.seek(offset)
            return file.read(min(length, self.limit + 1))

    def read(self, response: Response) -> Page:
        """Extract a saved page. Raises `metacrawl.extract.LayoutError`."""
        if broken := response.meta.get("broken"):
            raise LayoutError(broken)
        saved = self.saved(response.url, response.body)
        page = extract(saved.body, self.time_of(response.url, saved), **saved.known)
        forget_pictures(page)
        return page

    def saved(self, url: str, body: bytes) -> Saved:
        """Tell what is known of a saved page. Raises `metacrawl.extract.LayoutError`."""
        file = self.files[url.partition("?")[0]]
        return read_record(body, self.limit) if is_warc(file) else read_saved(body, file, self.limit)

    def time_of(self, url: str, saved: Saved) -> dt.datetime:
        """Tell when a page was shown by the site."""
        written = self.files[url.partition("?")[0]].stat().st_mtime
        return self.captured_at or saved.captured_at or dt.datetime.fromtimestamp(written, dt.UTC)


def forget_pictures(page: Page) -> None:
    """Drop the URLs of pictures that the browser has put beside the page: they are nowhere on the site."""
    for film in page.movies:
        parts = urlsplit(film.image_url or "")
        if parts.hostname in SITE_HOSTS and parts.path.startswith("/movie/"):
            film.image_url = None
