"""Pages in WARC files, which crawlers and recorders write: where each lies, and what it holds. Pure but for the file.

Files may be hostile: headers have a largest size, nothing is unpacked as a whole, and no more than a page is kept in
memory. warcio's own iterator does not see to that, and takes broken gzip for the end of a page.
"""

import io
import logging
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from warcio.bufferedreaders import ChunkedDataException, ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

from metacrawl.extract import LayoutError
from metacrawl.layouts import LAYOUTS
from metacrawl.sources.saved import GZIP, Saved, archived_at, bounded, time_of, unpacked
from metacrawl.urls import UrlError, parse

BLOCK = 64 * 1024
# How long a record's headers may be, all together.
HEADERS = 256 * 1024
# What pages, and answers of the back end, are sent as.
CONTENT_TYPES = ("text/html", "application/xhtml+xml", "application/json")
CHUNK = re.compile(rb"[0-9a-f]{1,8}[ \t]*(?:;[^\r\n]{0,200})?\r\n", re.IGNORECASE)
BROKEN = (ArchiveLoadFailed, ChunkedDataException, EOFError, ValueError, zlib.error)

LOADER = ArcWarcRecordLoader()
HTTP_PARSER = StatusAndHeadersParser([], verify=False)
# It would log URLs as they stand in the file.
logging.getLogger("warcio").setLevel(logging.ERROR)


class WarcError(ValueError):
    """A file that is broken from `offset` on; the message tells it."""

    def __init__(self, offset: int, why: object) -> None:
        super().__init__(f"broken WARC at byte {offset:,}: {why}")
        self.offset = offset


@dataclass(frozen=True)
class Place:
    """Where a record lies in a file."""

    offset: int
    length: int


class Member(io.RawIOBase):
    """One member of a gzip file, unpacked; leaves the file behind it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.packed = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes. Raises `EOFError` for a member that is cut off, `zlib.error` for one that is broken."""
        found = b""
        while not found and not self.packed.eof:
            data = self.packed.unconsumed_tail or self.file.read(BLOCK)
            if not data:
                raise EOFError("cut off")
            found = self.packed.decompress(data, len(buffer))
            if self.packed.eof:
                self.file.seek(-len(self.packed.unused_data), os.SEEK_CUR)
        buffer[: len(found)] = found
        return len(found)


class Stream(io.BufferedReader):
    """What a record is read from; lines are those of its headers."""

    left = HEADERS

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line. Raises `ValueError` where the headers do not end."""
        most = self.left + 1
        line = super().readline(most if size is None or size < 0 else min(size, most))
        self.left -= len(line)
        if self.left < 0:
            raise ValueError(f"headers of more than {HEADERS:,} bytes")
        return line


@contextmanager
def record_at(file: BinaryIO) -> Iterator[ArcWarcRecord]:
    """Give the record that a file stands at, without its content read; leaves the file behind the record.

    Raises one of `BROKEN`.
    """
    start = file.tell()
    packed = file.read(2) == GZIP
    file.seek(start)
    stream = Stream(Member(file) if packed else file)  # type: ignore[arg-type] # typeshed wants a raw file
    record = LOADER.parse_record_stream(stream, known_format="warc", no_record_parse=True)
    if record.length is None:
        raise ValueError("a record without its length")
    yield record
    while record.raw_stream.read(BLOCK):
        pass
    if record.raw_stream.limit:
        raise EOFError("cut off")
    while stream.peek(1)[:1] in {b"\r", b"\n"}:
        stream.readline()
    if not packed:
        end = stream.tell()
        stream.detach()
        file.seek(end)
    elif stream.peek(1):
        raise ValueError("packed in one piece; `warcio recompress` packs each record by itself")


def places(file: BinaryIO, passed_over: Counter[str]) -> Iterator[Place]:
    """Find the pages in a file, and count what else is in it. Raises `WarcError` where it is broken."""
    offset = 0
    try:
        while file.read(1):
            file.seek(offset)
            with record_at(file) as record:
                what = no_page(record)
            if what:
                passed_over[what] += 1
            else:
                yield Place(offset, file.tell() - offset)
            offset = file.tell()
    except BROKEN as error:
        raise WarcError(offset, error) from None


def no_page(record: ArcWarcRecord) -> str:
    """Tell what a record is, if it is no page that can be read."""
    if record.rec_type not in {"response", "resource"} or not record.length:
        return "records without a page"
    if not is_readable(target(record)):
        return "other pages"
    headers = http_headers(record)
    status = headers.get_statuscode() if headers else "200"
    if status != "200":
        return "answers that are no page"
    return "" if content_type(record, headers).lower().startswith(CONTENT_TYPES) else "answers that are no page"


def read_record(body: bytes, limit: int) -> Saved:
    """Read a record that is a page. Raises `LayoutError` for what is broken, and for one of more than `limit` bytes."""
    try:
        with record_at(io.BytesIO(bounded(body, limit))) as record:
            headers = http_headers(record)
            url = target(record)
            return Saved(
                content(record, headers, limit),
                url=parse(url).url,
                captured_at=archived_at(url) or time_of(record.rec_headers.get_header("WARC-Date") or ""),
                content_type=content_type(record, headers),
            )
    except LayoutError:
        raise
    except BROKEN as error:
        raise LayoutError(f"broken WARC record: {error}") from None


def target(record: ArcWarcRecord) -> str:
    return record.rec_headers.get_header("WARC-Target-URI") or ""


def is_readable(url: str) -> bool:
    """Tell whether a URL is that of a page which some design has rules for."""
    try:
        kind = parse(url).kind
    except UrlError:
        return False
    return any(kind in layout.pages for layout in LAYOUTS)


def http_headers(record: ArcWarcRecord) -> StatusAndHeaders | None:
    """Read the answer's status and headers; a resource has none."""
    return HTTP_PARSER.parse(record.raw_stream) if record.rec_type == "response" else None


def content_type(record: ArcWarcRecord, headers: StatusAndHeaders | None) -> str:
    return (headers or record.rec_headers).get_header("Content-Type") or CONTENT_TYPES[0]


def content(record: ArcWarcRecord, headers: StatusAndHeaders | None, limit: int) -> bytes:
    """Read a page as it was meant; recorders that have unpacked it may have left the headers as they were."""
    body = bounded(record.raw_stream.read(limit + 1), limit)
    if headers is None:
        return body
    if CHUNK.match(body) and (headers.get_header("Transfer-Encoding") or "").lower() == "chunked":
        body = ChunkedDataReader(io.BytesIO(body), raise_exceptions=True).read()
    encoding = (headers.get_header("Content-Encoding") or "identity").lower()
    if body.lstrip()[:1] in {b"<", b"{", b"["} or encoding == "identity":
        return body
    if encoding in {"gzip", "x-gzip"}:
        return unpacked(body, limit)
    if encoding == "deflate":
        return bounded(inflated(body, limit), limit)
    raise LayoutError(f"packed as {encoding}, which metacrawl cannot unpack")


def inflated(body: bytes, limit: int) -> bytes:
    """Unpack what is sent as `deflate`, with a header or, as many servers do, without; a byte too much at most."""
    try:
        return zlib.decompressobj().decompress(body, limit + 1)
    except zlib.error:
        return zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(body, limit + 1)
