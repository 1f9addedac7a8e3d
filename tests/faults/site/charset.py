"""Faults of text: encodings that are not what they are said to be, and bytes that are no text."""

from tests.faults.site.faults import fault, html, inside

PLAIN = "text/html"
NO_CHARSET = (b'<meta charset="utf-8">', b"")


@fault()
def byte_order_mark(page: bytes) -> bytes:
    """UTF-8 with a byte order mark."""
    return html(b"\xef\xbb\xbf" + page)


@fault()
def utf_16(page: bytes) -> bytes:
    """UTF-16 with a byte order mark, said to be UTF-8."""
    return html(page.decode().encode("utf-16"))


@fault()
def latin_1_as_utf_8(page: bytes) -> bytes:
    """Latin-1, said to be UTF-8."""
    return html(inside(page, "<p>é è ü ß ñ</p>".encode("latin-1")))


@fault()
def gbk(page: bytes) -> bytes:
    """GBK, and said to be."""
    return html(page.decode().encode("gbk", "xmlcharrefreplace"), kind="text/html; charset=gbk")


@fault()
def charset_unknown(page: bytes) -> bytes:
    """A character set that there is not."""
    return html(page, kind="text/html; charset=klingon-8")


@fault("not a text encoding")
def charset_not_of_text(page: bytes) -> bytes:
    """A character set that Python takes for a way to pack."""
    return html(page, kind="text/html; charset=zlib")


@fault()
def octet_stream(page: bytes) -> bytes:
    """HTML, said to be any bytes."""
    return html(page, kind="application/octet-stream")


@fault()
def picture(page: bytes) -> bytes:
    """HTML, said to be a picture."""
    return html(page, kind="image/png")


@fault()
def type_missing(page: bytes) -> bytes:
    """No Content-Type."""
    return html(page).replace(b"Content-Type: text/html; charset=utf-8\r\n", b"")


@fault()
def nul_bytes(page: bytes) -> bytes:
    """NULs between elements."""
    return html(page.replace(b"><", b">\0<"))


@fault()
def control_characters(page: bytes) -> bytes:
    """Control characters and half surrogates in text."""
    return html(inside(page, b"<p>\x01\x02\x1b[31m\xed\xa0\x80&#0;&#xD800;&#x110000;</p>"))


@fault("no known page design")
def random_bytes(_: bytes) -> bytes:
    """Bytes of all values."""
    return html(bytes(range(256)) * 400)
