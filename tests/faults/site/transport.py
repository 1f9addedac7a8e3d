"""Faults of HTTP on its way: connections, lengths, chunks, headers."""

import asyncio
from collections.abc import AsyncIterator

from tests.faults.site.faults import RESET, chunk, fault, head, html

TYPE = "Content-Type: text/html; charset=utf-8"
CHUNKED = "Transfer-Encoding: chunked"


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
