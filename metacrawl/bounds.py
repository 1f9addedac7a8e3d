"""How much a page may hold: what is far beyond any real page is refused, before it costs memory and time.

What the largest of the real pages have stands behind each bound. How many bytes may come at all is a setting of the
download's (`DOWNLOAD_MAXSIZE`). The worst page within all bounds takes less than two seconds to read.
"""

from collections.abc import Collection, Mapping
from typing import Any, cast

from lxml import etree
from parsel import Selector

# Characters: 573,000.
MAX_LENGTH = 2_000_000
# Elements, attributes and comments of HTML: 8,800. Values of JSON: 11,400.
MAX_PARTS = 50_000
# Elements within one another: 33. Of what is more than 2,048 deep libxml2 drops all, and the page behind it.
MAX_DEPTH = 100
# Reviews, films or people in one list: 100.
MAX_ENTRIES = 1_000
# How often a page's text may be read; records have each word once.
TIMES_READ = 2


class BoundsError(ValueError):
    """A page holds too much; `bound` tells of what, in a word."""

    def __init__(self, bound: str, message: str) -> None:
        super().__init__(message)
        self.bound = bound


class Counting:
    """A target of lxml's parser that keeps nothing of a page but what it counts."""

    def __init__(self) -> None:
        self.parts = self.depth = 0

    def start(self, _: str, attributes: Mapping[str, str]) -> None:
        """Take in the start of an element."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BoundsError("depth", f"more than {MAX_DEPTH} elements within one another")
        self.count(1 + len(attributes))

    def end(self, _: str) -> None:
        """Take in its end."""
        self.depth -= 1

    def comment(self, _: str) -> None:
        """Take in a comment."""
        self.count(1)

    def pi(self, *_: str | None) -> None:
        """Take in a processing instruction."""
        self.count(1)

    def count(self, parts: int) -> None:
        self.parts += parts
        if self.parts > MAX_PARTS:
            raise BoundsError("parts", f"more than {MAX_PARTS:,} elements, attributes and comments")

    def close(self) -> None:
        """Take in the end of the page."""


class Allowance:
    """How much text may be read of a page: parts within one another give the same text again and again."""

    def __init__(self, page: str) -> None:
        self.left = TIMES_READ * len(page)

    def take(self, text: str) -> None:
        """Take in that a text was read."""
        self.left -= len(text)
        if self.left < 0:
            raise BoundsError("text", f"its parts have more than {TIMES_READ} times its text")


def check_length(page: str) -> None:
    """Refuse a page that is too long. Raises `BoundsError`."""
    if len(page) > MAX_LENGTH:
        raise BoundsError("length", f"more than {MAX_LENGTH:,} characters")


def check_json(text: str) -> None:
    """Refuse JSON of too many values; marks within texts count as well. Raises `BoundsError`."""
    if sum(map(text.count, ",[{")) > MAX_PARTS:
        raise BoundsError("parts", f"JSON of more than {MAX_PARTS:,} values")


def check_html(page: str) -> None:
    """Refuse a page that is too much to make a tree of. Raises `BoundsError`.

    The parser that later makes the tree goes through it, so that both see the same elements.
    """
    parser = etree.HTMLParser(target=cast("Any", Counting()), encoding="utf-8", huge_tree=True)
    etree.fromstring(page.replace("\0", "").strip().encode() or b"<html/>", parser)


def check_entries(entries: Collection[Selector]) -> None:
    """Refuse a list that is too long, or has entries within one another. Raises `BoundsError`."""
    if len(entries) > MAX_ENTRIES:
        raise BoundsError("entries", f"more than {MAX_ENTRIES:,} entries in a list")
    met: set[Any] = set()
    for entry in entries:
        if isinstance(entry.root, etree._Element):  # noqa: SLF001 - lxml has no public name for its element type
            if entry.root in met or not met.isdisjoint(entry.root.iterancestors()):
                raise BoundsError("entries", "entries of a list within one another")
            met.add(entry.root)
