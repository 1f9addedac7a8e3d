"""Pages from the site itself and its back end, or from a mirror of them."""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response

from metacrawl.extract import LayoutError, Page, extract
from metacrawl.layouts.rules import STEADY
from metacrawl.outcome import Outcome, Problem
from metacrawl.sources.address import Address
from metacrawl.urls import API, FILM_KINDS, SITE, PageKind, PageRef, UrlError, parse

# The site's pages that show the first reviews of a list of the back end's.
SLICES = {
    PageKind.API_CRITIC_REVIEWS: PageKind.CRITIC_REVIEWS,
    PageKind.API_USER_REVIEWS: PageKind.USER_REVIEWS,
}
# What the site's own pages send along; some of the back end's routes are said to refuse requests without it.
COMPONENTS = {
    PageKind.API_CRITIC_REVIEWS: ("critic-reviews", "critic Reviews", "ReviewList"),
    PageKind.API_USER_REVIEWS: ("user-reviews", "user Reviews", "ReviewList"),
}
COMPONENT_PARAMS = ("componentName", "componentDisplayName", "componentType")


class SiteSource:
    """The site and its back end; without `api_url` the site's own, or none of a mirror."""

    def __init__(self, site_url: str, api_url: str, contact: str) -> None:
        self.site = Address.read("METACRAWL_SITE_URL", site_url, contact)
        api_url = api_url or (API if self.site.base_url == SITE else "")
        self.api = Address.read("METACRAWL_API_URL", api_url, contact) if api_url else None
        self.follows = True
        self.places = [place for place in (self.site, self.api) if place]
        self.base_urls = [place.base_url for place in self.places]
        self.hosts = [place.host for place in self.places]

    def first_requests(self, pages: Iterable[PageRef]) -> Iterable[Request]:
        """Make the requests that a crawl for these pages starts from."""
        return map(self.request, pages)

    def requests(self, pages: Iterable[PageRef]) -> Iterator[Request | Problem]:
        """Make the requests of pages; without a back end, of what can stand in for its lists, which is a problem."""
        for page in pages:
            if self.api or not page.is_api:
                yield self.request(page)
            else:
                shown = self.slice_of(page)
                message = f"{shown.url}: shows the first reviews only, and METACRAWL_API_URL, where all are, is not set"
                yield Problem(Outcome.PARTIAL, message)
                yield self.request(shown)

    def instead(self, request: Request) -> Iterator[Request]:
        """Ask for the first reviews on the site's page where the back end's list cannot be had."""
        # As it was asked for: a redirect may lead anywhere.
        url = request.meta.get("redirect_urls", [request.url])[0]
        with suppress(UrlError):
            page = parse(self.own_url(url))
            if page.kind in SLICES:
                yield self.request(self.slice_of(page))

    def request(self, page: PageRef) -> Request:
        """Make the request of a page."""
        place = self.api if page.is_api and self.api else self.site
        component = urlencode(dict(zip(COMPONENT_PARAMS, COMPONENTS.get(page.kind, ()), strict=False)))
        path = page.path + (f"{'&' if page.query else '?'}{component}" if component else "")
        film = {"film": page.slug} if page.kind in FILM_KINDS else {}
        return Request(place.base_url + path, meta={"kind": page.kind.value, **film})

    def slice_of(self, page: PageRef) -> PageRef:
        """Give the site's page that shows the first reviews of a list, asked for as a spider does that begins there."""
        kind = SLICES[page.kind]
        return PageRef(kind, page.slug, STEADY if kind is PageKind.USER_REVIEWS else ())

    def own_url(self, url: str) -> str:
        """Tell the site's own URL of a page, wherever it is served."""
        if self.api and self.api.has(url):
            return API + url.removeprefix(self.api.base_url)
        return SITE + url.removeprefix(self.site.base_url)

    def may_ask(self, url: str) -> bool:
        """Tell whether a URL leads to the site's server, or to the back end's."""
        return any(place.is_at(url) for place in self.places)

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
        if not self.may_ask(response.url):
            raise LayoutError(f"redirected away from {self.site.base_url}")
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
