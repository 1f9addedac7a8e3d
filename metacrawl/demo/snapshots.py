"""Captures of the demo site's pages, and what each shows."""

import base64
import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from metacrawl.demo.designs import Design, designs
from metacrawl.demo.history import as_of, design_of
from metacrawl.demo.world import World

Kind = Literal["movie", "details", "critic-reviews", "user-reviews"]
Shows = Literal["page", "again", "moved", "missing", "unavailable", "apology"]

STATUS: Mapping[Shows, str] = {
    "page": "200",
    "again": "-",
    "moved": "301",
    "missing": "404",
    "unavailable": "503",
    "apology": "200",
}
NOT_A_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1><p>{1}</p></body></html>\n"
NOTES: Mapping[Shows, str] = {
    "moved": "",
    "unavailable": NOT_A_PAGE.format("Service Unavailable", "Too many visitors; come back in a while."),
    "apology": NOT_A_PAGE.format("One moment, please", "The page cannot be shown just now."),
}


@dataclass(frozen=True, kw_only=True)
class Capture:
    """One visit of the archive at one URL."""

    time: dt.datetime
    original: str
    slug: str
    kind: Kind
    page: int = 0
    """Of the user reviews, counted from 0."""

    plain: bool = True
    """Whether the URL has no parameter beside `page`, so that the page shows what it shows by default."""

    shows: Shows = "page"
    """`again` is the page once more, unchanged, kept as a reference to the first (`warc/revisit`)."""

    location: str = ""

    @property
    def timestamp(self) -> str:
        return f"{self.time:%Y%m%d%H%M%S}"

    @property
    def design(self) -> str:
        return design_of(self.time.date())

    @property
    def status(self) -> str:
        return STATUS[self.shows]

    @property
    def mimetype(self) -> str:
        return "warc/revisit" if self.shows == "again" else "text/html"

    @property
    def circular(self) -> bool:
        """Whether it leads to another spelling of its own URL, as from `http:` to `https:`: no news to the archive."""
        return bool(self.location) and surt(self.location) == self.urlkey

    @property
    def urlkey(self) -> str:
        return surt(self.original)


class Snapshots:
    """All captures, by URL key and time; what they show is rendered when it is asked for."""

    def __init__(self, world: World, captures: list[Capture]) -> None:
        self.captures = sorted(captures, key=lambda capture: (capture.urlkey, capture.timestamp))
        self.world = world
        self.body = lru_cache(maxsize=200)(self._body)
        self.digest = lru_cache(maxsize=None)(self._digest)
        # one world for all days: a design renders what the world is at the moment of asking
        self._then = replace(world)
        self._day: dt.date | None = None

    def of(self, slug: str) -> list[Capture]:
        """List a film's captures."""
        return self._by_slug.get(slug, [])

    def at(self, url: str) -> list[Capture]:
        """List the captures of a URL, however it is spelled, the oldest first."""
        return self._by_key.get(surt(url), [])

    @cached_property
    def _by_slug(self) -> dict[str, list[Capture]]:
        return grouped((capture.slug, capture) for capture in self.captures)

    @cached_property
    def _by_key(self) -> dict[str, list[Capture]]:
        return grouped((capture.urlkey, capture) for capture in self.captures)

    @cached_property
    def _designs(self) -> Mapping[str, Design]:
        return designs(self._then)

    def _body(self, capture: Capture) -> bytes:
        if capture.shows == "missing":
            return self._designs[capture.design].missing().encode()
        if capture.shows not in {"page", "again"}:
            return NOTES[capture.shows].encode()
        if self._day != capture.time.date():
            self._day = capture.time.date()
            self._then.films = as_of(self.world, self._day).films
        url = urlsplit(capture.original)
        text = self._designs[capture.design].answer(unquote(url.path), dict(parse_qsl(url.query)))
        if text is None:
            raise LookupError(f"{capture.original} is not there on {self._day}")
        return text.encode()

    def _digest(self, capture: Capture) -> str:
        return base64.b32encode(hashlib.sha1(self.body(capture), usedforsecurity=False).digest()).decode()


def grouped(pairs: Iterable[tuple[str, Capture]]) -> dict[str, list[Capture]]:
    groups: dict[str, list[Capture]] = {}
    for key, capture in pairs:
        groups.setdefault(key, []).append(capture)
    return groups


def surt(url: str) -> str:
    """Give the key under which the archive files a URL; scheme, `www.`, default port and last slash do not count.

    >>> surt("https://www.metacritic.com:443/movie/Her/?page=1")
    'com,metacritic)/movie/her?page=1'
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = (parts.hostname or "").removeprefix("www.")
    port = "" if parts.port in {None, 80, 443} else f":{parts.port}"
    path = quote(unquote(parts.path), safe="/!$&'()*+,:;=@").lower().rstrip("/") or "/"
    query = "&".join(sorted(parts.query.lower().split("&")))
    return f"{','.join(reversed(host.split('.')))}{port}){path}{'?' if query else ''}{query}"
