"""Faults of HTTP: connections, status lines, headers, lengths, chunks, redirects."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

from tests.faults.site.faults import RESET, chunk, fault, head, html

TYPE = "Content-Type: text/html; charset=utf-8"
CHUNKED = "Transfer-Encoding: chunked"
HOPS = count()


@fault("cut off on its way")
def length_too_large(page: bytes) -> bytes:
    """Content-Length of more than is sent."""
    return head(TYPE, f"Content-Length: {len(page) + 1000}") + page


@fault("cut off")
def length_too_small(page: bytes) -> bytes:
    """Content-Length of half the page, all of which is sent."""
    return head(TYPE, f"Content-Length: {len(page) // 2}") + page


@fault("cut off")
def closed_early(page: bytes) -> bytes:
    """No length, and the connection is closed in the middle."""
    return head(TYPE) + page[: len(page) // 2]


@fault("cut off on its way")
async def reset_in_the_body(page: bytes) -> AsyncIterator[bytes]:
    """The connection is reset in the middle of the body."""
    yield head(TYPE, f"Content-Length: {len(page)}") + page[:5000]
    await asyncio.sleep(0.1)
    yield RESET


@fault("ConnectionLost")
async def reset_at_once(_: bytes) -> AsyncIterator[bytes]:
    """The connection is reset before anything is sent."""
    yield RESET


@fault("ConnectionDone")
def closed_at_once(_: bytes) -> bytes:
    """The connection is closed before anything is sent."""
    return b""


@fault("ConnectionDone")
def closed_in_the_headers(_: bytes) -> bytes:
    """The connection is closed within the headers."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/ht"


@fault("took longer")
async def no_answer(_: bytes) -> AsyncIterator[bytes]:
    """Nothing is ever sent."""
    await asyncio.sleep(60)
    yield b""


@fault("took longer")
async def headers_drip(_: bytes) -> AsyncIterator[bytes]:
    """A byte of a header every tenth of a second, without end."""
    yield b"HTTP/1.1 200 OK\r\nX-Slow: "
    while True:
        await asyncio.sleep(0.1)
        yield b"x"


@fault("took longer")
async def body_drips(page: bytes) -> AsyncIterator[bytes]:
    """A byte of the body every tenth of a second."""
    yield head(TYPE, f"Content-Length: {len(page)}")
    for byte in page:
        await asyncio.sleep(0.1)
        yield bytes([byte])


@fault("took longer")
async def body_stops(page: bytes) -> AsyncIterator[bytes]:
    """Half the page, and the connection stays open."""
    yield head(TYPE, f"Content-Length: {len(page)}") + page[: len(page) // 2]
    await asyncio.sleep(60)


@fault("larger than")
async def body_without_end(_: bytes) -> AsyncIterator[bytes]:
    """A body without a length and without an end."""
    yield head(TYPE)
    while True:
        yield b"<p>a</p>" * 8192


@fault("larger than")
async def chunks_without_end(_: bytes) -> AsyncIterator[bytes]:
    """Chunks without end."""
    yield head(TYPE, CHUNKED)
    while True:
        yield chunk(b"<p>a</p>" * 8192)


@fault("larger than")
def length_of_a_gigabyte(page: bytes) -> bytes:
    """Content-Length of a gigabyte."""
    return head(TYPE, "Content-Length: 1073741824") + page


@fault("larger than")
def length_of_forty_digits(page: bytes) -> bytes:
    """Content-Length of forty digits."""
    return head(TYPE, f"Content-Length: {'9' * 40}") + page


@fault()
def chunked(page: bytes) -> bytes:
    """The page in chunks of a few bytes each, as may be."""
    chunks = (chunk(page[start : start + 1000]) for start in range(0, len(page), 1000))
    return head(TYPE, CHUNKED) + b"".join(chunks) + b"0\r\n\r\n"


@fault()
def chunks_with_extensions(page: bytes) -> bytes:
    """Chunks with extensions and trailers."""
    return head(TYPE, CHUNKED) + b"%x;a=b\r\n%b\r\n0\r\nX-Trailer: a\r\n\r\n" % (len(page), page)


@fault("cut off on its way")
def chunks_cut_off(page: bytes) -> bytes:
    """The last chunk is missing."""
    return head(TYPE, CHUNKED) + chunk(page)


@fault("cut off on its way")
def chunk_length_garbage(page: bytes) -> bytes:
    """A chunk whose length is no number."""
    return head(TYPE, CHUNKED) + b"zz\r\n" + page + b"\r\n0\r\n\r\n"


@fault("cut off on its way")
def chunk_length_negative(page: bytes) -> bytes:
    """A chunk of negative length."""
    return head(TYPE, CHUNKED) + b"-5\r\n" + page + b"\r\n0\r\n\r\n"


@fault("cut off on its way")
def chunk_length_huge(page: bytes) -> bytes:
    """A chunk whose length has many digits."""
    return head(TYPE, CHUNKED) + b"fffffffffffffff\r\n" + page


@fault()
def length_and_chunks(page: bytes) -> bytes:
    """Both a length, a wrong one, and chunks: chunks count."""
    return head(TYPE, CHUNKED, "Content-Length: 10") + chunk(page) + b"0\r\n\r\n"


@fault()
def length_twice(page: bytes) -> bytes:
    """Content-Length twice, the same."""
    return head(TYPE, f"Content-Length: {len(page)}", f"Content-Length: {len(page)}") + page


@fault("conflicting Content-Length")
def lengths_that_differ(page: bytes) -> bytes:
    """Content-Length twice, and they differ."""
    return head(TYPE, f"Content-Length: {len(page)}", "Content-Length: 10") + page


@fault("non-decimal")
def length_negative(page: bytes) -> bytes:
    """A negative Content-Length."""
    return head(TYPE, "Content-Length: -1") + page


@fault("non-decimal")
def length_garbage(page: bytes) -> bytes:
    """A Content-Length that is no number."""
    return head(TYPE, "Content-Length: many") + page


@fault()
def no_length(page: bytes) -> bytes:
    """No length: the page ends with the connection."""
    return head(TYPE) + page


@fault("took longer")
async def header_flood(_: bytes) -> AsyncIterator[bytes]:
    """Headers without end."""
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 1000


@fault("ConnectionDone")
def header_of_a_megabyte(page: bytes) -> bytes:
    """A header of a megabyte."""
    return html(page, f"X-Long: {'a' * 1_000_000}")


@fault()
def cookie_flood(page: bytes) -> bytes:
    """Two hundred cookies."""
    return html(page, *(f"Set-Cookie: c{number}={'a' * 40}; Path=/" for number in range(200)))


@fault()
def header_without_colon(page: bytes) -> bytes:
    """A header without a colon."""
    return html(page, "this is no header")


@fault()
def header_odd_bytes(page: bytes) -> bytes:
    """Headers of bytes that are no text."""
    return html(page, "X-Odd: \udcff\udcfe".encode("utf-8", "surrogateescape").decode("latin-1"))


@fault()
def early_hints(page: bytes) -> bytes:
    """Two informational answers before the real one."""
    return b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 2 + html(page)


@fault("took longer")
async def continue_flood(_: bytes) -> AsyncIterator[bytes]:
    """Informational answers, and never a real one."""
    while True:
        yield b"HTTP/1.1 100 Continue\r\n\r\n" * 10
        await asyncio.sleep(0.05)


@fault("ParseError")
def status_garbage(page: bytes) -> bytes:
    """A status line of garbage."""
    return b"\x00\x01\x02 what is this\r\n\r\n" + page


@fault("ParseError")
def http_0_9(page: bytes) -> bytes:
    """No status line and no headers, as in HTTP/0.9."""
    return page


@fault("ParseError")
def http_2(_: bytes) -> bytes:
    """HTTP/2 where 1.1 was asked for."""
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"


@fault("BadResponseVersion")
def http_5(page: bytes) -> bytes:
    """A version of HTTP that there is not."""
    return html(page).replace(b"HTTP/1.1", b"HTTP/five", 1)


@fault("HTTP 999")
def status_999(page: bytes) -> bytes:
    """Status 999."""
    return html(page, status="999 Request denied")


@fault()
def status_text_huge(page: bytes) -> bytes:
    """A status of ten thousand letters."""
    return html(page, status=f"200 {'O' * 10_000}K")


@fault()
def status_text_missing(page: bytes) -> bytes:
    """A status without text."""
    return html(page, status="200")


@fault("no known page design")
def empty(_: bytes) -> bytes:
    """Nothing, with status 200."""
    return html(b"")


@fault("no known page design")
def one_byte(_: bytes) -> bytes:
    """One byte, with status 200."""
    return html(b"<")


@fault("no known page design")
def no_content(_: bytes) -> bytes:
    """Status 204."""
    return head(status="204 No Content")


@fault("no known page design")
def reset_content(_: bytes) -> bytes:
    """Status 205."""
    return head("Content-Length: 0", status="205 Reset Content")


@fault("cut off")
def partial_content(page: bytes) -> bytes:
    """Status 206 with the first half, though no part was asked for."""
    half = page[: len(page) // 2]
    return html(half, f"Content-Range: bytes 0-{len(half) - 1}/{len(page)}", status="206 Partial Content")


@fault("HTTP 304")
def not_modified(_: bytes) -> bytes:
    """Status 304, though nobody asked whether anything has changed."""
    return head('ETag: "a"', status="304 Not Modified")


@fault("in a circle")
def redirect_to_itself(_: bytes) -> bytes:
    """A redirect to itself."""
    return html(b"", "Location: /movie/redirect-to-itself", status="302 Found")


@fault("HTTP 302")
def redirect_without_place(_: bytes) -> bytes:
    """A redirect without a Location."""
    return html(b"", status="302 Found")


@fault("redirected")
def redirect_elsewhere(_: bytes) -> bytes:
    """A redirect to where nothing of the site's is."""
    return html(b"", "Location: /elsewhere/redirect-elsewhere", status="301 Moved Permanently")


@fault("max redirections")
def redirect_without_end(_: bytes) -> bytes:
    """A redirect to a new URL each time."""
    return html(b"", f"Location: /movie/redirect-without-end?hop={next(HOPS)}", status="302 Found")


@fault("off the site")
def redirect_to_another_host(_: bytes) -> bytes:
    """A redirect to another machine."""
    return html(b"", "Location: http://127.0.0.2:9/movie/redirect-to-another-host", status="302 Found")


@fault("HTTP 302")
def redirect_to_a_file(_: bytes) -> bytes:
    """A redirect to a file of this machine."""
    return html(b"", "Location: file:///etc/passwd", status="302 Found")


@fault("Missing scheme")
def redirect_to_a_script(_: bytes) -> bytes:
    """A redirect to a script."""
    return html(b"", "Location: javascript:alert(1)", status="302 Found")


@fault("Invalid IPv6")
def redirect_to_garbage(_: bytes) -> bytes:
    """A redirect to what is no URL."""
    return html(b"", "Location: http://[::::1/", status="302 Found")
