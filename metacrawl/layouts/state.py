"""The state that Nuxt 3 leaves in a page: one flat array, whose objects and lists hold the indexes of their values.

This is what the JavaScript library devalue writes (https://github.com/sveltejs/devalue), with Vue's wrappers around
values. A page may be hostile: whatever it holds, the answer is plain JSON of bounded size and depth, or a `ValueError`.
"""

import re
from collections.abc import Mapping
from typing import Any

from metacrawl.bounds import BoundsError
from metacrawl.selectors import Document, JsonSelector, parsed_json

# A page's own part is some 10 deep and of a million characters, shared ones counted wherever they stand. Rules are
# applied to lists and objects, so that a million of them, though empty, would take minutes.
MAX_DEPTH = 100
MAX_SIZE = 5_000_000
SIZE_OF_A_PART = 500

# undefined, a hole in a list, NaN, both infinities: JSON has none of them. Then there is -0.
CONSTANTS: Mapping[int, Any] = {-1: None, -2: None, -3: None, -4: None, -5: None, -6: 0}
# Vue's wrappers around a value; one in another is possible, a long chain of them is not meant.
WRAPPERS = frozenset({"Reactive", "Ref", "ShallowReactive", "ShallowRef"})
MAX_WRAPPERS = 8
# And around one that counts as false, which is written as JSON in a text.
EMPTY_WRAPPERS = frozenset({"EmptyRef", "EmptyShallowRef"})
EMPTY_VALUES: Mapping[Any, Any] = {"_": None, "null": None, "false": False, "0": 0, "0n": 0, '""': ""}

SCRIPT = re.compile(r"<script\b([^<>]*+)>")
PAGE_KEY = re.compile(r"loadPage:([^:]+):")
# On what Nuxt draws the page, and what Nuxt 2 marks all that it puts into the head with.
CANVAS, NUXT_2 = 'id="__nuxt"', "data-n-head"


def document(page: Document) -> JsonSelector | None:
    """Give the page's own part of the state in it, with the `page` and the `path` that the site calls it."""
    text = data_text(page)
    return None if text is None else JsonSelector(root=page_part(FlatState(text)), type="json")


def data_text(page: Document) -> str | None:
    """Find the array: in its script, or as a body of its own, saved from there."""
    if page.is_json:
        return page.text if page.text.lstrip().startswith("[") else None
    for script in SCRIPT.finditer(page.text):
        if "__NUXT_DATA__" in script[1]:
            end = page.text.find("</script", script.end())
            if end < 0:
                raise ValueError("cut off in the state that is embedded in it")
            return page.text[script.end() : end]
    if CANVAS in page.text and NUXT_2 not in page.text and not page.ends_in("</html>"):
        raise ValueError("cut off before the state that is embedded in it")
    return None


def page_part(state: "FlatState") -> dict[str, Any]:
    """Read what the page is about, and nothing of menus and advertisements."""
    root = state.members(0)
    for key, reference in state.members(root.get("data")).items():
        page = PAGE_KEY.match(key)
        if page and "components" in state.members(reference):
            return {**state.value(reference), "page": page[1], "path": state.value(root.get("path", -1))}
    raise ValueError("no page in the state that is embedded in it: an error page?")


class FlatState:
    """The array, of which only what is asked for is made into values."""

    def __init__(self, text: str) -> None:
        flat = parsed_json(text)
        if not isinstance(flat, list) or not flat:
            raise ValueError("the state is no array with anything in it")
        self.flat = flat

    def members(self, reference: object) -> dict[str, object]:
        """Give an object's members as they stand: names and references."""
        raw = self.raw(reference)
        if not isinstance(raw, dict):
            raise ValueError(f"the state has no object at {reference!s:.20}")  # noqa: TRY004 - of a page, not of a call
        return raw

    def value(self, reference: object) -> Any:
        """Make the whole value that a reference stands for."""
        made: dict[int, Any] = {}
        waiting: list[tuple[Any, Any]] = []
        value = self.begin(reference, made, waiting)
        while waiting:
            container, raw = waiting.pop()
            if isinstance(raw, dict):
                container.update({name: self.begin(inner, made, waiting) for name, inner in raw.items()})
            else:
                container.extend(self.begin(inner, made, waiting) for inner in raw)
        return bounded(value)

    def begin(self, reference: object, made: dict[int, Any], waiting: list[tuple[Any, Any]]) -> Any:
        """Give a value: a list or an object empty at first, to be filled with what is noted as waiting."""
        raw = self.raw(reference)
        if not isinstance(raw, dict | list):
            return raw
        # As long as the array lives, its parts keep their identity.
        if id(raw) not in made:
            wrapped = isinstance(raw, list) and raw and isinstance(raw[0], str)
            content = self.unwrapped(*raw) if wrapped else raw
            if isinstance(content, dict | list):
                made[id(raw)] = {} if isinstance(content, dict) else []
                waiting.append((made[id(raw)], content))
            else:
                made[id(raw)] = content
        return made[id(raw)]

    def raw(self, reference: object) -> Any:
        """Look a reference up, through Vue's wrappers."""
        for _ in range(MAX_WRAPPERS):
            if type(reference) is not int or not min(CONSTANTS) <= reference < len(self.flat):
                raise ValueError(f"the state refers to {reference!s:.20} and has only {len(self.flat)} values")
            raw = CONSTANTS[reference] if reference < 0 else self.flat[reference]
            if not (isinstance(raw, list) and len(raw) == 2 and isinstance(raw[0], str) and raw[0] in WRAPPERS):
                return raw
            reference = raw[1]
        raise ValueError("the state wraps a value again and again")

    def unwrapped(self, kind: str, *rest: Any) -> Any:
        """Tell what a typed value holds: references, or a value that needs no more making."""
        if kind in EMPTY_WRAPPERS and len(rest) == 1:
            text = self.raw(rest[0])
            if isinstance(text, str) and text in EMPTY_VALUES:
                return EMPTY_VALUES[text]
        if kind in {"Date", "BigInt"} and len(rest) == 1 and isinstance(rest[0], str):
            return rest[0]
        if kind == "Set":
            return list(rest)
        if kind == "Map" and len(rest) % 2 == 0:
            return {self.name(name): inner for name, inner in zip(rest[::2], rest[1::2], strict=True)}
        # An object without a prototype: its names stand as they are.
        if kind == "null" and len(rest) % 2 == 0:
            return {str(name): inner for name, inner in zip(rest[::2], rest[1::2], strict=True)}
        raise ValueError(f"the state holds a {kind:.30} that metacrawl cannot read")

    def name(self, reference: Any) -> str:
        """Tell the name of an entry of a map; one that is no text or number would cost what it holds."""
        name = self.raw(reference)
        if isinstance(name, str | int):
            return str(name)
        raise ValueError("the state holds a map by something else than names")


def bounded(value: Any) -> Any:
    """Refuse what takes endless time to walk: a cycle, great depth, parts shared so often that they add up."""
    measure(value, {}, MAX_DEPTH)
    return value


def measure(value: Any, known: dict[int, tuple[int, int] | None], deeper: int) -> tuple[int, int]:
    """Tell the size of a value, texts by their length, and its depth; `known` holds those of what was met before."""
    if not isinstance(value, dict | list):
        return (len(value) if isinstance(value, str) else 1), 0
    if id(value) in known:
        before = known[id(value)]
        if before is None:
            raise ValueError("its data holds a part that holds itself")
        return before
    if deeper == 0:
        raise BoundsError("depth", f"its data is more than {MAX_DEPTH} deep")
    known[id(value)] = None
    size, depth = SIZE_OF_A_PART, 0
    for inner in value.values() if isinstance(value, dict) else value:
        its_size, its_depth = measure(inner, known, deeper - 1)
        size, depth = size + its_size, max(depth, its_depth + 1)
    if size > MAX_SIZE or depth > MAX_DEPTH:
        raise BoundsError("data", f"its data is more than {MAX_DEPTH} deep, or too much: {size:,} of {MAX_SIZE:,}")
    known[id(value)] = size, depth
    return size, depth
