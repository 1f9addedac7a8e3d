"""The index of the demo's web archive: answers queries as the Wayback Machine's CDX server does."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from urllib.parse import quote_plus

from metacrawl.demo.snapshots import Capture, Snapshots, surt

MOST_ROWS = 150_000
Row = tuple[str, ...]


class CdxError(ValueError):
    """The query is none that the server takes."""


def field(snapshots: Snapshots, name: str) -> Callable[[Capture], str]:
    """Give the function that tells a field of a capture; what needs the page's text is not worked out before."""
    lengths: Mapping[str, Callable[[Capture], str]] = {
        "urlkey": lambda capture: capture.urlkey,
        "timestamp": lambda capture: capture.timestamp,
        "original": lambda capture: capture.original,
        "mimetype": lambda capture: capture.mimetype,
        "statuscode": lambda capture: capture.status,
        "digest": snapshots.digest,
        "length": lambda capture: str(500 + (0 if capture.shows == "again" else len(snapshots.body(capture)) // 5)),
    }
    if name not in lengths:
        raise CdxError(f"no such field: {name}")
    return lengths[name]


FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")


class Query:
    """One query; `given` has the values of each parameter in order. Raises `CdxError`."""

    def __init__(self, snapshots: Snapshots, given: Mapping[str, Sequence[str]]) -> None:
        self.snapshots, self.given = snapshots, given
        if unknown := {"page", "pageSize", "showNumPages"} & set(given):
            raise CdxError(f"not supported: {', '.join(sorted(unknown))}")

    def one(self, name: str, default: str = "") -> str:
        return self.given.get(name, (default,))[0]

    def number(self, name: str) -> int:
        text = self.one(name) or "0"
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise CdxError(f"{name} is no number: {text}")
        return int(text)

    def answer(self) -> str:
        """Answer as text, or as JSON where it is asked for."""
        names = self.one("fl").split(",") if self.one("fl") else FIELDS
        fields = [field(self.snapshots, name) for name in names]
        captures, more = self.cut(self.collapsed(self.filtered(self.matching())))
        rows = [[tell(capture) for tell in fields] for capture in captures]
        if self.one("showResumeKey") == "true" and more:
            rows += [[], [quote_plus(resume_key(captures[-1]))]]
        if self.one("output") == "json":
            return json.dumps([list(names), *rows] if rows else []) + "\n"
        return "".join(" ".join(row) + "\n" for row in rows)

    def matching(self) -> Iterator[Capture]:
        """Select by URL and time."""
        keys, since, until = self.scope(), self.time("from"), self.time("to")
        for capture in self.snapshots.captures:
            in_time = capture.timestamp[: len(since)] >= since and capture.timestamp[: len(until)] <= until
            if in_time and keys(capture.urlkey):
                yield capture

    def time(self, name: str) -> str:
        """Read an end of the range; fewer digits stand for the whole year, month or day."""
        text = self.one(name)
        if not re.fullmatch("[0-9]{0,14}", text):
            raise CdxError(f"{name} is no time: {text}")
        return text

    def scope(self) -> Callable[[str], bool]:
        """Tell which keys the URL means."""
        url, match = self.one("url"), self.one("matchType", "exact")
        if url.startswith("*."):
            url, match = url[2:], "domain"
        elif url.endswith("*"):
            url, match = url[:-1], "prefix"
        if not url:
            raise CdxError("url is missing")
        key = surt(url)
        host = key.partition(")")[0]
        # a last slash counts here: below `/movie/her/` are its other pages, and not `/movie/hero`
        start = f"{key}/" if url.endswith("/") and not key.endswith("/") else key
        scopes: Mapping[str, Callable[[str], bool]] = {
            "exact": lambda other: other == key,
            "prefix": lambda other: other.startswith(start),
            "host": lambda other: other.startswith(f"{host})"),
            "domain": lambda other: other.startswith((f"{host})", f"{host},")),
        }
        if match not in scopes:
            raise CdxError(f"no such matchType: {match}")
        return scopes[match]

    def filtered(self, captures: Iterable[Capture]) -> Iterator[Capture]:
        tests = [self.test(text) for text in self.given.get("filter", ())]
        return (capture for capture in captures if all(test(capture) for test in tests))

    def test(self, text: str) -> Callable[[Capture], bool]:
        """Read a filter, `[!]field:regex`; the expression must fit the whole value."""
        name, colon, expression = text.removeprefix("!").partition(":")
        if not colon:
            raise CdxError(f"no such filter: {text}")
        tell = field(self.snapshots, name)
        try:
            pattern = re.compile(expression)
        except re.error as error:
            raise CdxError(f"filter {text}: {error}") from None
        wanted = not text.startswith("!")
        return lambda capture: bool(pattern.fullmatch(tell(capture))) is wanted

    def collapsed(self, captures: Iterable[Capture]) -> Iterator[Capture]:
        """Keep the first of neighbours that are alike in each `collapse`, `field[:N]`."""
        for text in self.given.get("collapse", ()):
            captures = self.first_of_each(captures, text)
        return iter(captures)

    def first_of_each(self, captures: Iterable[Capture], text: str) -> Iterator[Capture]:
        name, _, length = text.partition(":")
        if not re.fullmatch("[0-9]*", length):
            raise CdxError(f"no such collapse: {text}")
        tell, end = field(self.snapshots, name), int(length) if length else None
        last = None
        for capture in captures:
            value = tell(capture)[:end]
            if value != last:
                yield capture
            last = value

    def cut(self, captures: Iterator[Capture]) -> tuple[list[Capture], bool]:
        """Take the rows asked for, and tell whether there are more behind them."""
        limit, key = self.number("limit"), self.one("resumeKey")
        if key:
            # people send it back as it came or decoded once
            captures = skip_to(captures, key)
        if self.one("fastLatest") == "true":
            limit = -abs(limit or 1)
        if limit < 0:
            return list(captures)[limit:], False
        rows = list(islice(captures, self.number("offset"), None))
        limit = limit or MOST_ROWS
        return rows[:limit], len(rows) > limit


def resume_key(capture: Capture) -> str:
    return f"{capture.urlkey} {capture.timestamp}!"


def skip_to(captures: Iterator[Capture], key: str) -> Iterator[Capture]:
    """Go behind the row that a key names."""
    for capture in captures:
        if key in {resume_key(capture), quote_plus(resume_key(capture))}:
            break
    return captures
