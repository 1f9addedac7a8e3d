"""Writes values as the script that pages of 2023 carry: a function that is called with the values that occur often."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, product
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from metacrawl.demo.backend.parts import Json
from metacrawl.demo.designs.devalue import UNDEFINED

NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
ESCAPES = str.maketrans({"/": "\\u002F", "<": "\\u003C", ">": "\\u003E", "\u2028": "\\u2028", "\u2029": "\\u2029"})
KEYWORDS = frozenset({"do", "if", "in"})


class Shared:
    """An object that the script fills before it returns: an argument of its own."""

    def __init__(self, parts: Json) -> None:
        self.parts = parts


def nuxt_script(content: Shared, root: Json) -> str:
    """Write the script; `root` has the content somewhere in it."""
    counts = Counter(scalars([content.parts, root]))
    names = argument_names()
    place, holder = next(names), next(names)
    arguments = {key: next(names) for key, count in counts.items() if count > 1}
    writer = Writer(arguments, {id(content): place})
    fills = [f"{place}.{name}={writer.text(part)};" for name, part in content.parts.items()]
    body = f"{''.join(fills)}{holder}[0]={writer.text(UNDEFINED)};return {writer.text(root)}"
    given = [scalar_text(value) for _, value in arguments]
    return (
        f"window.__NUXT__=(function({','.join([place, holder, *arguments.values()])}){{{body}}}"
        f"({','.join(['{}', 'Array(1)', *given])}));"
    )


def scalars(value: Any) -> Iterator[tuple[type, Any]]:
    """Name all values without parts, with their types, so that 1 is not ``True``."""
    if isinstance(value, dict):
        yield from chain.from_iterable(map(scalars, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(scalars, value))
    elif not isinstance(value, Shared):
        yield type(value), value


def argument_names() -> Iterator[str]:
    letters = ascii_lowercase + ascii_uppercase
    longer = ("".join(pair) for pair in product(letters, letters))
    yield from chain(letters, (name for name in longer if name not in KEYWORDS))


class Writer:
    """Writes values; what is an argument is written by its name."""

    def __init__(self, arguments: dict[tuple[type, Any], str], shared: dict[int, str]) -> None:
        self.arguments, self.shared = arguments, shared

    def text(self, value: Any) -> str:
        if isinstance(value, Shared):
            return self.shared[id(value)]
        if isinstance(value, dict):
            parts = (
                f"{name if NAME.fullmatch(name) else quoted(name)}:{self.text(part)}" for name, part in value.items()
            )
            return "{" + ",".join(parts) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(self.text, value)) + "]"
        return self.arguments.get((type(value), value)) or scalar_text(value)


def scalar_text(value: object) -> str:
    """Write a value without parts: a number under one without the 0 before its point."""
    if value is UNDEFINED:
        return "void 0"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return re.sub(r"^(-?)0\.", r"\1.", json.dumps(value))


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(ESCAPES)
