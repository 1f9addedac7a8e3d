"""Saves the demo site's pages the way that people do: as files, from browsers and mirrors, and as WARC files."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from gzip import compress
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from metacrawl.demo.designs import Design, designs
from metacrawl.demo.world import Film, World

SITE = "https://www.metacritic.com"
CLASSIC = frozenset({"2010", "2016"})
SAVED_AT: Mapping[str, dt.datetime] = {
    "2010": dt.datetime(2016, 7, 18, 9, 30, tzinfo=dt.UTC),
    "2016": dt.datetime(2019, 12, 16, 9, 30, tzinfo=dt.UTC),
    "2023": dt.datetime(2024, 6, 1, 9, 30, tzinfo=dt.UTC),
    "2026": dt.datetime(2026, 8, 15, 9, 30, tzinfo=dt.UTC),
}
"""The time in a WARC file of each design; each page is a second later than the one before."""

LINK = re.compile(r'((?:href|src|action)=")(/[^/"][^"]*)"')
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Saved:
    """A page and its address."""

    url: str
    text: str

    @property
    def title(self) -> str:
        """What browsers name a file by."""
        title = re.search(r"<title[^>]*>(.*?)</title>", self.text, re.DOTALL)
        return re.sub(r'[\\/:*?"<>|%]', "_", " ".join(unescape(title[1]).split())) if title else "page"


def pages_of(film: Film, design: Design) -> Iterator[Saved]:
    """Render a film's pages in a design."""
    classic = design.name in CLASSIC
    ends = ["", "/details", "/critic-reviews", "/user-reviews"]
    if classic:
        ends += [f"/user-reviews?page={page}" for page in range(1, len(film.user_reviews))]
    for end in ends:
        url = urlsplit(f"{SITE}/movie/{quote(film.slug)}{end}{'' if classic else '/'}")
        text = design.answer(unquote(url.path), dict(parse_qsl(url.query)))
        if text is not None:
            yield Saved(url.geturl(), text)


def save_folder(world: World, folder: Path, layout: str) -> list[Path]:
    """Save all pages of a design below a folder, and tell the files.

    Film by film in turn: named by their path as a mirror does; by Chrome; by Firefox; by their path, and compressed.
    """
    files: list[Path] = []
    design = designs(world)[layout]
    for number, film in enumerate(world.films):
        for page in pages_of(film, design):
            name, body = STYLES[number % len(STYLES)](page)
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            copy = 0
            while file.exists():
                copy += 1
                file = folder / f"{name.removesuffix('.html')} ({copy}).html"
            file.write_bytes(body)
            files.append(file)
    return files


def mirrored(page: Saved) -> tuple[str, bytes]:
    url = urlsplit(page.url)
    query = f"?{url.query}" if url.query else ""
    return f"{url.netloc}{url.path.rstrip('/')}{query}.html", page.text.encode()


def mirrored_compressed(page: Saved) -> tuple[str, bytes]:
    name, body = mirrored(page)
    return f"{name}.gz", compress(body, mtime=0)


def by_chrome(page: Saved) -> tuple[str, bytes]:
    """Save with the page's address in a comment behind the document type, and absolute links."""
    mark = f"<!-- saved from url=({len(page.url):04}){page.url} -->\n"
    text = re.sub(r"<html", lambda start: mark + start[0], absolute(page.text), count=1)
    meta = '<meta http-equiv="Content-Type" content="text/html; charset=UTF-8">'
    return f"{page.title}.html", re.sub("<head[^>]*>", lambda head: head[0] + meta, text, count=1).encode()


def by_firefox(page: Saved) -> tuple[str, bytes]:
    """Save with nothing of the address but what the page says itself."""
    meta = '\n<meta http-equiv="content-type" content="text/html; charset=UTF-8">'
    return f"{page.title}.html", re.sub(
        "<head[^>]*>", lambda head: head[0] + meta, absolute(page.text), count=1
    ).encode()


STYLES = (mirrored, by_chrome, by_firefox, mirrored_compressed)


def absolute(text: str) -> str:
    return LINK.sub(rf'\1{SITE}\2"', text)


class Warc:
    """Writes exchanges to a WARC file, each a second after the one before."""

    def __init__(self, writer: Any, begun: dt.datetime) -> None:
        self.writer, self.time = writer, begun

    def exchange(self, url: str, body: bytes, status: str = "200 OK", **headers: str) -> Any:
        """Write a request and its response; a header's `_` is a hyphen."""
        self.time += dt.timedelta(seconds=1)
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        asked = StatusAndHeaders(f"GET {path} HTTP/1.1", [("Host", parts.netloc)], is_http_request=True)
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        given = StatusAndHeaders(status, fields, protocol="HTTP/1.1")
        response = self.record(url, "response", payload=BytesIO(body), length=len(body), http_headers=given)
        self.writer.write_record(self.record(url, "request", http_headers=asked))
        self.writer.write_record(response)
        return response

    def again(self, url: str, first: Any) -> None:
        """Write that a page is unchanged since its first response."""
        self.time += dt.timedelta(days=1)
        headers = first.rec_headers
        self.writer.write_record(
            self.writer.create_revisit_record(
                url,
                digest=headers["WARC-Payload-Digest"],
                refers_to_uri=url,
                refers_to_date=headers["WARC-Date"],
                http_headers=first.http_headers,
                warc_headers_dict={"WARC-Date": self.date},
            )
        )

    def record(self, url: str, kind: str, **content: Any) -> Any:
        return self.writer.create_warc_record(url, kind, warc_headers_dict={"WARC-Date": self.date}, **content)

    @property
    def date(self) -> str:
        return f"{self.time:%Y-%m-%dT%H:%M:%SZ}"


def save_warc(world: World, path: Path, layout: str, *, gzip: bool = True) -> None:
    """Save all pages of a design in a WARC file, from `SAVED_AT` on.

    Responses are plain, compressed, in chunks, or both, in turn. Before them are a picture, a page that is not there,
    and a redirect; behind them is the last page once more, as a revisit.
    """
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=gzip)
        warc = Warc(writer, SAVED_AT[layout])
        writer.write_record(
            writer.create_warcinfo_record(path.name, {"software": "demo", "format": "WARC File Format 1.0"})
        )
        warc.exchange(f"{SITE}/images/demo/logo.png", b"\x89PNG\r\n\x1a\n invented", Content_Type="image/png")
        warc.exchange(f"{SITE}/movie/no-such-film", b"<h1>Page Not Found</h1>", "404 Not Found", Content_Type=HTML)
        warc.exchange(f"{SITE}/movie", b"", "301 Moved Permanently", Location=f"{SITE}/browse/movies")
        design = designs(world)[layout]
        pages = [page for film in world.films for page in pages_of(film, design)]
        for number, page in enumerate(pages):
            body, headers = sent(page.text.encode(), compressed=number % 4 in {1, 3}, in_chunks=number % 4 in {2, 3})
            last = warc.exchange(page.url, body, Content_Type=HTML, **headers)
            if page is pages[-1]:
                warc.again(page.url, last)


def sent(body: bytes, *, compressed: bool, in_chunks: bool) -> tuple[bytes, dict[str, str]]:
    """Put a body in the form that it goes over the wire in, with the headers that say so."""
    headers = {}
    if compressed:
        body, headers["Content_Encoding"] = compress(body, mtime=0), "gzip"
    if in_chunks:
        parts = [body[start : start + 4096] for start in range(0, len(body), 4096)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        headers["Transfer_Encoding"] = "chunked"
    else:
        headers["Content_Length"] = str(len(body))
    return body, headers
