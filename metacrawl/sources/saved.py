"""Saved pages: what was stored, under which name, and what is known of each. Pure: no engine, no network, no clock."""

import datetime as dt
import gzip
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32
from io import BytesIO
from pathlib import Path

from metacrawl.bounds import BoundsError
from metacrawl.encoding import decode
from metacrawl.extract import LayoutError
from metacrawl.layouts.rules import CANONICAL
from metacrawl.selectors import Document, select
from metacrawl.sources import cdx
from metacrawl.urls import API_HOSTS, SITE, SITE_HOSTS, UrlError, archived, parse

GZIP = b"\x1f\x8b"
# What programs make of the `?` in a page's URL when they name its file, and what stands before it.
QUESTION_MARK = re.compile(r"(?:[?@]|%3F)(?=[\w-]+=)", re.IGNORECASE)
ENDING = re.compile(r"(?:\.(?:x?html?|mht(?:ml)?|json))?(?:\.gz)?$", re.IGNORECASE)
PAGE_NAME = re.compile(r"\.(?:x?html?|mht(?:ml)?|json|warc)(?:\.gz)?$", re.IGNORECASE)
WARC_NAME = re.compile(r"\.warc(?:\.gz)?$", re.IGNORECASE)
MULTIPART_NAME = re.compile(r"\.mht(?:ml)?(?:\.gz)?$", re.IGNORECASE)

# The browser's mark stands behind the doctype.
HEAD = 4096
MARK = re.compile(rb"<!--\s*saved from url=\(\d{1,6}\)(\S{1,2000}?)\s*-->", re.IGNORECASE)
ARCHIVED = re.compile(rb"/web/[0-9]{14}")
# A page and its pictures in one file: a few parts within each other, at most, and each with a type of few words.
CONTAINER = re.compile(rb"multipart/|content-type:\s*message/", re.IGNORECASE)
MULTIPARTS = 20
PARTS = 5000
TYPE = 1000


@dataclass(frozen=True)
class Saved:
    """A page as the site gave it, and what was stored with it."""

    body: bytes
    url: str = ""
    """The site's own URL of it, where it is sure."""

    saved_as: str = ""
    """The URL that it seems to have, if it does not name itself."""

    captured_at: dt.datetime | None = None
    content_type: str = ""

    @property
    def known(self) -> dict[str, str]:
        """What there is to tell of it to whoever reads its records."""
        return {"url": self.url, "saved_as": self.saved_as, "content_type": self.content_type}


def is_page(file: Path) -> bool:
    """Tell whether a file's name is one that pages are saved under, and neither it nor a folder is hidden.

    >>> [is_page(Path(name)) for name in ("her.html", "her.HTM.gz", "index.html?page=1", "a.warc.gz", "logo.png")]
    [True, True, True, True, False]
    """
    names = [file.name, QUESTION_MARK.split(file.name)[0]]
    return any(map(PAGE_NAME.search, names)) and not any(part.startswith(".") for part in file.parts)


def is_warc(file: Path) -> bool:
    """Tell whether a file holds many pages, each with what it was an answer to."""
    return bool(WARC_NAME.search(file.name))


def is_resources(folder: Path) -> bool:
    """Tell whether a folder is one of those that a browser puts beside a page: pictures, scripts and frames."""
    stem = folder.name.removesuffix("_files")
    pages = (folder.with_name(stem + ending) for ending in (".html", ".htm", ".xhtml"))
    return stem not in {"", folder.name} and any(page.is_file() for page in pages)


def read_saved(body: bytes, file: Path, limit: int) -> Saved:
    """Read what was saved in a file: unpacked, and of a page with its pictures the page alone.

    Raises `LayoutError` for what is broken, and for a page of more than `limit` bytes.
    """
    body = bounded(body, limit)
    if body.startswith(GZIP) or file.name.lower().endswith(".gz"):
        body = unpacked(body, limit)
    saved = page_part(body) if MULTIPART_NAME.search(file.name) else Saved(body, saved_as=marked_url(body))
    return replace(
        saved,
        captured_at=archived_at(saved.saved_as) or archived_at(canonical(saved)),
        # Not as it was spelled that time: what is relative to it would change, too.
        saved_as=parse(saved.saved_as).url if saved.saved_as else url_of(file),
    )


def archived_at(url: str) -> dt.datetime | None:
    """Tell when the web archive captured the page at a URL of its own.

    >>> archived_at("https://web.archive.org/web/20140716083000/http://www.metacritic.com/movie/her")
    datetime.datetime(2014, 7, 16, 8, 30, tzinfo=datetime.timezone.utc)
    """
    try:
        return cdx.time_of(archived(url)[0])
    except ValueError:
        return None


def time_of(text: str) -> dt.datetime | None:
    """Read a time stamp; one without a zone is UTC.

    >>> time_of("2014-07-16T10:30:00+02:00"), time_of("2014"), time_of("0001-01-01T00:00:00+01:00")
    (datetime.datetime(2014, 7, 16, 8, 30, tzinfo=datetime.timezone.utc), None, None)
    """
    try:
        time = dt.datetime.fromisoformat(text)
        return time.astimezone(dt.UTC) if time.tzinfo else time.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None


def bounded(body: bytes, limit: int) -> bytes:
    """Refuse a page that is too large."""
    if len(body) > limit:
        raise LayoutError(f"larger than {limit:,} bytes")
    return body


def unpacked(body: bytes, limit: int) -> bytes:
    """Unpack gzip. Raises `LayoutError` for what is broken or too large."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(body)) as file:
            return bounded(file.read(limit + 1), limit)
    except (OSError, EOFError, zlib.error) as error:
        raise LayoutError(f"broken gzip: {error}") from None


class Bounded(Compat32):
    """Refuses what Python's parser of messages would take minutes for."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Read a header."""
        name, value = super().header_source_parse(sourcelines)
        if name.lower() == "content-type" and len(value) > TYPE:
            raise LayoutError(f"a file of several parts, and one has a type of more than {TYPE:,} characters")
        return name, value


def counted() -> Callable[..., Message]:
    """Make parts of a file, up to `PARTS`: each takes far more memory than the file has bytes for it."""
    numbers = iter(range(PARTS))

    def part(policy: Bounded) -> Message:
        if next(numbers, None) is None:
            raise LayoutError(f"more than {PARTS:,} parts")
        return Message(policy)

    return part


def page_part(body: bytes) -> Saved:
    """Take the page out of a "Webpage, single file". Raises `LayoutError` if there is none."""
    if len(CONTAINER.findall(body)) > MULTIPARTS:
        raise LayoutError("too many parts within parts")
    message = message_from_bytes(body, counted(), policy=Bounded())
    for part in message.walk():
        if part.get_content_type() == "text/html" and isinstance(page := part.get_payload(decode=True), bytes):
            url = part.get("Content-Location") or message.get("Snapshot-Content-Location") or ""
            return Saved(page, saved_as=sites_own(str(url)), content_type=str(part.get("Content-Type", "")))
    raise LayoutError("a file of several parts, and none is a page")


def marked_url(body: bytes) -> str:
    """Tell the URL that a browser has marked a page with; empty if there is none, or none of the site's."""
    mark = MARK.search(body[:HEAD])
    # Two hyphens would end the comment.
    return sites_own(re.sub("%2D", "-", mark[1].decode("utf-8", "replace"), flags=re.IGNORECASE)) if mark else ""


def sites_own(url: str) -> str:
    """Keep the URL of a page of the site's; a page may have been saved from a disk, or from another site's copy."""
    try:
        parse(url)
    except UrlError:
        return ""
    return url.strip()


def canonical(saved: Saved) -> str:
    """Tell the URL by which a page names itself; looked for only where it can be one of the web archive's."""
    if not ARCHIVED.search(saved.body):
        return ""
    with suppress(BoundsError):
        return select(Document(decode(saved.body, saved.content_type)).html, CANONICAL).get() or ""
    return ""


def url_of(file: Path) -> str:
    """Tell the URL that a file's name ends in, from its host on or from `movie/`; empty if it ends in none.

    >>> url_of(Path("saved/movie/her/details.html")), url_of(Path("her.html"))
    ('https://www.metacritic.com/movie/her/details', '')
    >>> url_of(Path("www.metacritic.com/movie/her/user-reviews/index.html?page=1"))
    'https://www.metacritic.com/movie/her/user-reviews?page=1'
    """
    name, *query = QUESTION_MARK.split(file.name, maxsplit=1)
    name = ENDING.sub("", name, count=1)
    parts = [*file.parts[:-1], *([] if name == "index" else [name])]
    hosts = [index for index, part in enumerate(parts) if part in SITE_HOSTS | API_HOSTS]
    films = [index for index, part in enumerate(parts) if part == "movie"]
    if not hosts and not films:
        return ""
    path = [f"https://{parts[hosts[-1]]}", *parts[hosts[-1] + 1 :]] if hosts else [SITE, *parts[films[-1] :]]
    return "?".join(["/".join(path), *(ENDING.sub("", text, count=1) for text in query)])
