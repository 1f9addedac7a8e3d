"""Faults of what is answered: status lines, answers without a page, redirects."""

from itertools import count

from tests.faults.site.faults import fault, head, html

HOPS = count()


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
