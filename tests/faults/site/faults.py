"""What a fault is: how a film's page is answered, and what must come of that."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

Answer = bytes | AsyncIterator[bytes]

# Cut the connection off, in place of closing it.
RESET = b""
GOOD = ""


@dataclass(frozen=True)
class Fault:
    """A way to answer."""

    slug: str
    says: str
    """What is wrong with it, in words."""

    design: str
    """Of the page that is made worse."""

    expected: str
    """`GOOD` where the page is read as if nothing were wrong, else a word of why it is refused."""

    answer: Callable[[bytes], Answer]


FAULTS: dict[str, Fault] = {}


def fault(expected: str = GOOD, design: str = "2016") -> Callable[[Callable[[bytes], Answer]], Callable[..., Answer]]:
    """Register a way to answer under its function's name; what it does stands in the docstring."""

    def register(answer: Callable[[bytes], Answer]) -> Callable[[bytes], Answer]:
        slug = answer.__name__.strip("_").replace("_", "-")
        FAULTS[slug] = Fault(slug, (answer.__doc__ or "").strip(" ."), design, expected, answer)
        return answer

    return register


def html(body: bytes, *headers: str, status: str = "200 OK", kind: str = "text/html; charset=utf-8") -> bytes:
    """Answer as a good server does, with headers beside its own."""
    return head(f"Content-Length: {len(body)}", f"Content-Type: {kind}", *headers, status=status) + body


def head(*headers: str, status: str = "200 OK") -> bytes:
    """Give what stands before a body."""
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers, "", ""]).encode("utf-8")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def inside(page: bytes, extra: bytes) -> bytes:
    """Put something in front of all that the page has in its body."""
    start = page.index(b">", page.index(b"<body")) + 1
    return page[:start] + extra + page[start:]


def in_the_middle(page: bytes, before: bytes, after: bytes = b"") -> bytes:
    """Put something around the second half of the film's data."""
    start = page.index(b'<div class="pfull_summary')
    return page[:start] + before + page[start:] + after
