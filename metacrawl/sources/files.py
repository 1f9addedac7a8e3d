"""Pages that a browser or a crawler has saved."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from scrapy import Request
from scrapy.http import Response
from w3lib.url import file_uri_to_path

from metacrawl.extract import Page, extract
from metacrawl.urls import SITE, PageRef


class FilesSource:
    """The saved pages in `files`, shown by the site at `captured_at`, else when the files were written."""

    def __init__(self, files: Sequence[Path], captured_at: dt.datetime | None) -> None:
        self.base_url = ""
        self.hosts: list[str] = []
        self.files = files
        self.captured_at = captured_at

    def first_requests(self, _pages: Iterable[PageRef]) -> Iterator[Request]:
        """Make a request for each file."""
        for file in self.files:
            yield Request(file.absolute().as_uri())

    def requests(self, _pages: Iterable[PageRef]) -> Iterable[Request]:
        """Follow nothing: there is what was saved, and no more."""
        return ()

    def is_astray(self, _request: Request) -> bool:
        """A file is what it is."""
        return False

    def read(self, response: Response) -> Page:
        """Extract a saved page. Raises `metacrawl.extract.LayoutError`."""
        file = Path(file_uri_to_path(response.url))
        written = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
        return extract(response.body, self.captured_at or written, saved_as=url_of(file))


def url_of(file: Path) -> str:
    """Tell the URL that a file's name ends in, `…/movie/her/details.html`; empty if it ends in none.

    >>> url_of(Path("saved/www.metacritic.com/movie/her/details.html")), url_of(Path("her.html"))
    ('https://www.metacritic.com/movie/her/details', '')
    """
    parts = file.with_suffix("").parts
    start = max((index for index, part in enumerate(parts) if part == "movie"), default=None)
    return "" if start is None else "/".join([SITE, *parts[start:]])
