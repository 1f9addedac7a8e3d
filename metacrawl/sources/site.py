"""Pages from the site itself, or from a mirror of it."""

import datetime as dt
from collections.abc import Iterable
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response

from metacrawl.extract import LayoutError, Page, extract
from metacrawl.outcome import ConfigError
from metacrawl.urls import SITE, PageRef, UrlError, parse

THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class SiteSource:
    """The site at `base_url`.

    Raises `ConfigError` for a `base_url` that is none, and for a public one without a `contact`: who runs the site must
    be able to tell who crawls it.
    """

    def __init__(self, base_url: str, contact: str) -> None:
        try:
            parts = urlsplit(base_url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port = "", None
        if not host or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
            raise ConfigError(f"METACRAWL_SITE_URL={base_url} is no URL of a site")
        if host not in THIS_MACHINE and not contact:
            raise ConfigError(
                f"METACRAWL_CONTACT is not set: {host} must be able to see who crawls it; "
                "set it to a URL or an e-mail address of yours"
            )
        self.hosts = [host]
        self.origin = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
        self.base_url = self.origin + parts.path.rstrip("/")

    def first_requests(self, pages: Iterable[PageRef]) -> Iterable[Request]:
        """Make the requests that a crawl for these pages starts from."""
        return self.requests(pages)

    def requests(self, pages: Iterable[PageRef]) -> Iterable[Request]:
        """Make the requests of pages."""
        return (Request(self.base_url + page.path, meta={"kind": page.kind.value}) for page in pages)

    def own_url(self, url: str) -> str:
        """Tell the site's own URL of a page at `base_url`."""
        return SITE + url.removeprefix(self.base_url)

    def is_astray(self, request: Request) -> bool:
        """Tell whether a redirected request has come to another kind of page than it was made for."""
        try:
            kind = parse(self.own_url(request.url)).kind
        except UrlError:
            return True
        return bool(kind != request.meta.get("kind", kind))

    def read(self, response: Response) -> Page:
        """Extract a page that was fetched just now; its records bear the site's own URL.

        Raises `metacrawl.extract.LayoutError`.
        """
        if "{0.scheme}://{0.netloc}".format(urlsplit(response.url)) != self.origin:
            raise LayoutError(f"redirected away from {self.base_url}")
        page = extract(
            response.body,
            dt.datetime.now(dt.UTC),
            url=self.own_url(response.url),
            content_type=(response.headers.get("Content-Type") or b"").decode("latin-1"),
        )
        # A request of somebody else's, as from `scrapy parse`, asks for no kind.
        if response.meta.get("kind", page.ref.kind) != page.ref.kind:
            raise LayoutError(f"redirected here from a page of kind {response.meta['kind']}")
        return page
