"""The state that Nuxt 2 leaves in a page: a script that makes it.

    window.__NUXT__=(function(a,b){b.x=…;return {layout:a,data:[{content:b}]}}("default",{}));

Nothing is ever run: this reads what such a script is made of (literals, its own parameters, assignments to their
members), and refuses anything else. Well-kept parsers of relaxed JSON exist (json5, chompjs), but know no parameters.
"""

import math
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, NoReturn

from metacrawl.bounds import BoundsError
from metacrawl.layouts.state import CANVAS, MAX_DEPTH, NUXT_2, bounded
from metacrawl.selectors import Document, JsonSelector

# Nuxt 3 has such an assignment too, of a plain object with its settings.
START = "window.__NUXT__=("
# What a user may write is no such script: there is no tag in text.
IN_PAGE = re.compile(rf"<script[^<>]*+>\s*+(?={re.escape(START)})")

# A string that does not end is a word all the same: else the rest would be searched from each quotation mark in it.
WORD = re.compile(
    r"""
    "(?:[^"\\]++|\\.)*+"? | '(?:[^'\\]++|\\.)*+'?
    | [A-Za-z_$][\w$]*+
    | -?(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?\d++)?+
    | \s++ | .
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
SURROGATE = re.compile("[\ud800-\udfff]")
# undefined stands for no value, the last two for none that JSON has.
LITERALS: Mapping[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": None,
    "NaN": None,
    "Infinity": None,
}
NAME = re.compile(r"[A-Za-z_$]", re.ASCII)
NUMBER = re.compile(r"-?\.?[0-9]")
MAX_DIGITS = 400
# The longest real script has 36,000.
MAX_WORDS = 150_000


def document(page: Document) -> JsonSelector | None:
    """Give the page's own part of the state in it, with the `page` and the `path` that the site calls it."""
    start = None if page.is_json else IN_PAGE.search(page.text)
    if start:
        script = page.text[start.end() :].partition("</script")[0]
        return JsonSelector(root=page_part(nuxt_script(script)), type="json")
    if not page.is_json and CANVAS in page.text and NUXT_2 in page.text and not page.ends_in("</html>"):
        raise ValueError("cut off before the state that is embedded in it")
    return None


def page_part(state: Any) -> dict[str, Any]:
    """Take what the page is about out of the state."""
    data = state.get("data") if isinstance(state, dict) else None
    for part in data if isinstance(data, list) else []:
        content = part.get("content") if isinstance(part, dict) else None
        if isinstance(content, dict) and "components" in content:
            return {**content, "page": content.get("pageType"), "path": state.get("routePath")}
    raise ValueError("no page in the state that is embedded in it: an error page?")


def nuxt_script(text: str) -> Any:
    """Read the value that the script gives `window.__NUXT__`. Raises `ValueError` for any other script."""
    if not text.startswith(START):
        raise ValueError(f"no script that starts with {START}")
    return bounded(Reader(text, len(START) - 1).script())


class Reader:
    """Reads the script word by word."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start
        words = [word[0] for word in islice(WORD.finditer(text, start), MAX_WORDS + 1)]
        if len(words) > MAX_WORDS:
            raise BoundsError("words", f"the script of the state has more than {MAX_WORDS:,} words")
        self.words = [word for word in words if not word.isspace()]
        # What is taken when the script is over.
        self.words.append("")
        self.at = 0
        self.names: dict[str, Any] = {}
        # An array made by its length is filled member by member.
        self.room = len(self.words)

    def refuse(self, word: str) -> NoReturn:
        if not word:
            raise ValueError("the state that is embedded in it is cut off")
        begin = [found.start() for found in WORD.finditer(self.text, self.start) if not found[0].isspace()]
        place = begin[min(self.at, len(begin)) - 1]
        raise ValueError(f"the script of the state cannot be read at character {place}: {word!r:.40}")

    def take(self) -> str:
        word = self.words[self.at]
        self.at += 1
        return word

    def expect(self, *words: str) -> None:
        for expected in words:
            if (word := self.take()) != expected:
                self.refuse(word)

    def skip(self, word: str) -> bool:
        """Take this word if it is the next one."""
        if self.words[self.at] != word:
            return False
        self.at += 1
        return True

    def script(self) -> Any:
        value = self.function()
        self.skip(";")
        self.expect("")
        return value

    def function(self) -> Any:
        """Read a function that is called on the spot: what it is given stands behind it, so that is read first."""
        self.expect("(", "function", "(")
        parameters = []
        while not self.skip(")"):
            parameters.append(self.take())
            if not (NAME.match(parameters[-1]) and (self.skip(",") or self.words[self.at] == ")")):
                self.refuse(parameters[-1])
        self.expect("{")
        body = self.at
        end = self.end_of_body()
        self.expect("(")
        values = self.items(")", MAX_DEPTH)
        self.expect(")")
        behind = self.at
        if len(values) > len(parameters):
            raise ValueError("the script of the state gives its function more than it takes")
        self.names = dict.fromkeys(parameters) | dict(zip(parameters, values, strict=False))
        self.at = body
        while not self.skip("return"):
            self.assignment()
        value = self.value(MAX_DEPTH)
        self.skip(";")
        self.expect("}")
        if self.at != end:
            self.refuse(self.words[self.at])
        self.at = behind
        return value

    def end_of_body(self) -> int:
        """Go behind the brace that closes the function's body."""
        depth = 1
        while depth:
            word = self.take()
            depth += (word == "{") - (word == "}")
            if not word:
                self.refuse(word)
        return self.at

    def assignment(self) -> None:
        """Read `a.b=…;`, with a parameter's name at its head."""
        name = self.take()
        if name not in self.names:
            self.refuse(name)
        target, member = self.names[name], self.member()
        while not self.skip("="):
            target, member = self.inside(target, member), self.member()
        value = self.value(MAX_DEPTH)
        self.inside(target, member, or_new=True)
        target[member] = value
        if not (self.skip(";") or self.skip(",")):
            self.refuse(self.take())

    def inside(self, target: Any, member: str | int, *, or_new: bool = False) -> Any:
        """Give a member of an object, which may be a new one, or of a list."""
        if isinstance(target, dict) and isinstance(member, str) and (or_new or member in target):
            return target.get(member)
        if isinstance(target, list) and isinstance(member, int) and 0 <= member < len(target):
            return target[member]
        return self.refuse(str(member))

    def member(self) -> str | int:
        """Read `.b`, `["b"]` or `[0]`."""
        if self.skip("."):
            name = self.take()
            if NAME.match(name):
                return name
            self.refuse(name)
        self.expect("[")
        word = self.take()
        value = self.literal(word)
        if not isinstance(value, str | int):
            self.refuse(word)
        self.expect("]")
        return value

    def value(self, deeper: int) -> Any:
        """Read a value that may hold others, but not more than so many deep."""
        word = self.take()
        if deeper == 0:
            raise ValueError(f"the script of the state is more than {MAX_DEPTH} deep")
        if word == "{":
            return self.members(deeper - 1)
        if word == "[":
            return self.items("]", deeper - 1)
        if word in self.names:
            return self.names[word]
        return self.made(word, deeper - 1) if word in MADE else self.literal(word)

    def members(self, deeper: int) -> dict[str, Any]:
        """Read an object, behind its brace."""
        members: dict[str, Any] = {}
        while not self.skip("}"):
            word = self.take()
            name = word if NAME.match(word) else str(self.literal(word))
            self.expect(":")
            members[name] = self.value(deeper)
            if not self.skip(",") and self.words[self.at] != "}":
                self.refuse(self.take())
        return members

    def items(self, end: str, deeper: int) -> list[Any]:
        """Read a list, behind its bracket."""
        items: list[Any] = []
        while not self.skip(end):
            # Nothing before a comma is a hole.
            items.append(None if self.words[self.at] == "," else self.value(deeper))
            if not self.skip(",") and self.words[self.at] != end:
                self.refuse(self.take())
        return items

    def made(self, word: str, deeper: int) -> Any:
        """Read what is no literal but made: `void 0`, `!0`, `Array(3)`, `new Date(0)`."""
        if word == "void":
            self.expect("0")
            return None
        if word == "!":
            word = self.take()
            return word == "0" if word in {"0", "1"} else self.refuse(word)
        if word == "new":
            self.expect("Date", "(")
            moment = self.value(deeper)
            self.expect(")")
            return moment
        self.expect("(")
        length = self.literal(self.take())
        self.expect(")")
        if not isinstance(length, int) or not 0 <= length <= self.room:
            self.refuse(word)
        self.room -= length
        return [None] * length

    def literal(self, word: str) -> Any:
        if word[:1] in {'"', "'"}:
            return self.unescaped(word[1:-1]) if "\\" in word else word[1:-1]
        if word in LITERALS:
            return LITERALS[word]
        if not NUMBER.match(word) or len(word) > MAX_DIGITS:
            self.refuse(word)
        if not set(word) & set(".eE"):
            return int(word)
        number = float(word)
        return number if math.isfinite(number) else None

    def unescaped(self, text: str) -> str:
        """Read the escapes of a string; of a pair of surrogates half is no character."""
        text = ESCAPE.sub(self.character, text)
        if SURROGATE.search(text):
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def character(self, escape: re.Match[str]) -> str:
        if code := escape[1] or escape[2]:
            return chr(int(code, 16))
        if escape[3] in "ux123456789":
            self.refuse(escape[0])
        return ESCAPED.get(escape[3], escape[3])


MADE = frozenset({"void", "!", "Array", "new"})
