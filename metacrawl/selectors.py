"""What rules are applied to: a page's HTML, or the JSON in it. Selected values come as clean text from both."""

import re
from functools import cache, cached_property
from typing import Any, cast

import jmespath
import msgspec
from lxml import etree
from parsel import Selector, SelectorList

from metacrawl.bounds import Allowance, check_html, check_json
from metacrawl.processors import lines, one_line

# Not a union of two paths: libxml2 takes quadratic time to merge them, and a page may hold 100,000 breaks.
TEXT_AND_BREAKS = etree.XPath("descendant::node()[self::text() or self::br]", smart_strings=False)
# Of a whole number that any field could hold; Python refuses to write out what is far longer.
BITS = 64
# Behind the end mark a page may have a few more scripts and comments.
LAST_WORDS = 20_000
# An escape in a JSON string: a whole pair, or anything else that starts with a backslash.
ESCAPE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.")
HALF = re.compile(r"\\u[dD][89a-fA-F]..")


class TextSelector(Selector):
    """A selector of HTML whose `get()` is clean text instead of source.

    Each `<br>` is a line break, any other run of white space one space; attributes are one line.
    """

    allowance: Allowance | None = None
    """What may still be read of the whole page; none for a selector of no page's."""

    def xpath(self, query: str, *args: Any, **kwargs: Any) -> SelectorList[Any]:
        """Find what an expression selects."""
        found = super().xpath(query, *args, **kwargs)
        for node in found:
            node.allowance = self.allowance
        return found

    def get(self) -> Any:
        """Give the text of the selected element, attribute or text node. Raises `BoundsError`."""
        if not isinstance(self.root, etree._Element):  # noqa: SLF001 - lxml has no public name for its element type
            return one_line(self.taken(str(super().get())))
        # A NUL cannot stand in a parsed document, so it can mark the line breaks.
        text = "".join(
            part if isinstance(part, str) else "\0" for part in cast("list[Any]", TEXT_AND_BREAKS(self.root))
        )
        return "\n".join(map(one_line, self.taken(text).split("\0"))).strip("\n")

    def taken(self, text: str) -> str:
        """Give a text that was read, as far as that is allowed."""
        if self.allowance:
            self.allowance.take(text)
        return text


class JsonSelector(Selector):
    """A selector of JSON whose `get()` is the text that a page would show for the value; of null it is empty."""

    def jmespath(self, query: str, **_: Any) -> SelectorList[Any]:
        """Find what an expression selects: the entries of a list, one value, or nothing."""
        found = compiled(query).search(self.root)
        values = found if isinstance(found, list) else [] if found is None else [found]
        return self.selectorlist_cls([type(self)(root=value, type="json") for value in values])

    def get(self) -> Any:
        """Give the value as text: a break is a line break, true is 1 and false 0."""
        if isinstance(self.root, str):
            # HTML has no NUL, and no database takes one.
            return lines(self.root.replace("\0", "\ufffd"))
        if isinstance(self.root, bool):
            return str(int(self.root))
        if isinstance(self.root, int) and self.root.bit_length() > BITS:
            return f"a number of {self.root.bit_length()} bits"
        return str(self.root) if isinstance(self.root, int | float) else ""


@cache
def compiled(expression: str) -> Any:
    """Compile an expression; there are as many as rules."""
    return jmespath.compile(expression)


def select(node: Selector, expression: str) -> SelectorList[Any]:
    """Find what a rule selects, in the language of what it is applied to."""
    return node.jmespath(expression) if isinstance(node, JsonSelector) else node.xpath(expression)


class Document:
    """The text of a page, as layouts look at it."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff")

    @cached_property
    def is_json(self) -> bool:
        """Whether it is an answer of the back end, or a saved state, instead of HTML."""
        return self.text.lstrip()[:1] in {"{", "["}

    def ends_in(self, *marks: str) -> bool:
        """Tell whether one of these marks of its end stands in the last words of a page of HTML."""
        last_words = self.text[-LAST_WORDS:].lower()
        return any(mark in last_words for mark in marks)

    @cached_property
    def html(self) -> TextSelector:
        """The page as HTML. Raises `BoundsError` for too much of it."""
        check_html(self.text)
        page = TextSelector(text=self.text, type="html")
        page.allowance = Allowance(self.text)
        return page

    @cached_property
    def json(self) -> Any:
        """The value that the text stands for. Raises `ValueError` for broken JSON."""
        return parsed_json(self.text)


def whole_letter(escape: re.Match[str]) -> str:
    """Keep an escape, but for half of a pair that stands alone."""
    return "\\ufffd" if HALF.fullmatch(escape[0]) else escape[0]


def parsed_json(text: str) -> Any:
    """Parse JSON strictly. Raises `ValueError` in words, also for NaN, too many values and endless nesting.

    Half of a pair, such as is left of an emoji that was cut, becomes U+FFFD: the rest is whole.
    """
    check_json(text)
    try:
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return msgspec.json.decode(ESCAPE.sub(whole_letter, text))
    except msgspec.DecodeError as error:
        raise ValueError(f"broken JSON: {error}") from None
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
