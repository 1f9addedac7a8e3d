"""A page's bytes → its text."""

import re

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom

# What Python can decode and pages are written in: Python also knows rot13, zip and the like, which raise.
PAGE_ENCODING = re.compile(r"(utf|cp|windows|iso|latin|koi|mac|gb|big5|euc|shift|hz|tis|ascii|us).*", re.IGNORECASE)


def decode(body: bytes, content_type: str = "") -> str:
    """Decode a page as browsers do: byte order mark, HTTP header, `<meta>`, else UTF-8.

    Pages saved on old machines say UTF-8, or nothing, and are cp1252: nearly all they have beyond ASCII is then wrong.
    """
    bom_encoding, bom = read_bom(body)
    encoding = bom_encoding or http_content_type_encoding(content_type) or html_body_declared_encoding(body) or ""
    if not PAGE_ENCODING.fullmatch(encoding):
        encoding = "utf-8"
    text = body.removeprefix(bom or b"").decode(encoding, "replace")
    wrong = text.count("\ufffd")
    if wrong and wrong > sum(not char.isascii() for char in text) / 2:
        return body.decode("cp1252", "replace")
    return text
