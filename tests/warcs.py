"""WARC files, as crawlers and recorders write them."""

import gzip
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

HER = "https://www.metacritic.com/movie/her"
HTML = (("Content-Type", "text/html; charset=utf-8"),)


class Answer(NamedTuple):
    """A record of what a server answered."""

    body: bytes
    url: str = HER
    date: str = "2014-07-16T08:30:00Z"
    status: str = "200 OK"
    headers: Sequence[tuple[str, str]] = HTML
    kind: str = "response"


def write_warc(path: Path, answers: Sequence[Answer], *, packed: bool) -> Path:
    """Write a WARC with a header record, and a request before each answer."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=packed)
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "test"}))
        for answer in answers:
            asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "www.metacritic.com")], is_http_request=True)
            writer.write_record(writer.create_warc_record(answer.url, "request", http_headers=asked))
            writer.write_record(writer.create_warc_record(answer.url, answer.kind, **parts(answer)))
    return path


def parts(answer: Answer) -> dict[str, Any]:
    dated = {
        "warc_headers_dict": {"WARC-Date": answer.date},
        "payload": BytesIO(answer.body),
        "length": len(answer.body),
    }
    if answer.kind == "resource":
        return dated | {"warc_content_type": dict(answer.headers)["Content-Type"]}
    return dated | {"http_headers": StatusAndHeaders(answer.status, list(answer.headers), protocol="HTTP/1.1")}


def chunked(body: bytes, size: int = 1000) -> bytes:
    """Send a body in chunks."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate without a header": lambda body: zlib.compress(body, wbits=-zlib.MAX_WBITS),
}
