"""What a page gives, and by which rules: for whoever has a page that gives too little, or nothing at all.

Beside the command `scrapy extract` it serves `scrapy shell URL`, and any Python with the bytes of a page:

    from metacrawl.explain import explain
    print(explain(response.body, url=response.url))
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import msgspec
from parsel import Selector

from metacrawl.encoding import decode
from metacrawl.extract import LayoutError, Page, extract
from metacrawl.layouts import Known, identify, views
from metacrawl.layouts.rules import Block, PageRules, ReviewList, Rules
from metacrawl.outcome import amounts, printable
from metacrawl.selectors import Document, select

# Of a value that the page gives and the record has not, so much is told.
SHOWN = 100
# What `metacrawl.layouts.rules.has` makes.
HAS = re.compile(r'contains\(concat\(" ", normalize-space\(@class\), " "\), " ([^"]+) "\)')
# Of the column of fields' names.
WIDTH = 24


@dataclass(frozen=True)
class Match:
    """What came of the rules for one field of one record."""

    expressions: tuple[str, ...]
    number: int = 0
    """Which of them matched, from 1; 0 if none did."""

    text: str = ""
    """What it selected first."""


Matches = dict[str, Match]


@dataclass
class Explanation:
    """A page, read and explained; as text it is for people."""

    kind: str = ""
    layout: str = ""
    refused: str = ""
    """Why no record is taken from it; empty for a page that is well."""

    page: Page | None = None
    matches: list[tuple[str, Matches]] = field(default_factory=list)
    """For each record its kind and what matched, in the order of the page's records."""

    @property
    def records(self) -> list[Any]:
        """The records as they are published."""
        return [msgspec.to_builtins(record) for record in self.page.records] if self.page else []

    @property
    def rules(self) -> list[dict[str, Any]]:
        """For each field of each kind of record, how often each of its expressions was the one that matched."""
        found = []
        for kind, group in groupby(self.matches, key=lambda of: of[0]):
            matches = [matches for _, matches in group]
            for name in dict.fromkeys(name for each in matches for name in each):
                met = [each[name] for each in matches if name in each]
                longest = max((match.expressions for match in met), key=len)
                counts = [sum(match.number == number for match in met) for number in range(1, len(longest) + 1)]
                found.append(
                    {
                        "record": kind,
                        "field": name,
                        "of": len(met),
                        "expressions": [
                            {"expression": expression, "matched": count}
                            for expression, count in zip(longest, counts, strict=True)
                        ],
                    }
                )
        return found

    @property
    def plain(self) -> dict[str, Any]:
        """All of it, for a program."""
        following = self.page.next_page if self.page else None
        return {
            "kind": self.kind or None,
            "layout": self.layout or None,
            "refused": self.refused or None,
            "url": self.page.ref.url if self.page else None,
            "next_page": following.url if following else None,
            "total": self.page.total if self.page else None,
            "rules": self.rules,
            "records": [
                {"record": kind, **record, "matched": {name: match.number for name, match in matches.items()}}
                for (kind, matches), record in zip(self.matches, self.records, strict=False)
            ],
        }

    def __str__(self) -> str:
        """Tell it to people; nothing in it can act on a terminal."""
        return "\n".join(map(printable, self.lines()))

    def lines(self) -> Iterator[str]:
        """Tell it line by line."""
        yield f"{self.kind} page of layout {self.layout}" if self.kind else "a page of no known design"
        if self.refused:
            yield f"REFUSED: {self.refused}"
        if self.page:
            page = self.page
            critics, users = len(page.critic_reviews), len(page.user_reviews)
            met = amounts({"film": len(page.movies), "critic review": critics, "user review": users})
            yield f"{page.ref.url}: {met}"
            if self.page.next_page:
                yield f"next page: {self.page.next_page.url}"
        yield from tell_rules(self.rules)
        for (kind, matches), record in zip(self.matches, self.records, strict=False):
            yield from ["", f"{kind} {record['key']}"]
            yield from tell_record(record, matches)


def explain(
    body: bytes,
    captured_at: dt.datetime | None = None,
    *,
    url: str = "",
    saved_as: str = "",
    content_type: str = "",
) -> Explanation:
    """Read a page as `metacrawl.extract.extract` does, and note which rules match; a page that it refuses, too."""
    found = Explanation()
    try:
        known = identify(views(Document(decode(body, content_type))))
        if known:
            found.kind, found.layout = known.kind, known.layout.name
            found.matches = list(match(known))
        time = captured_at or dt.datetime.now(dt.UTC)
        found.page = extract(body, time, url=url, saved_as=saved_as, content_type=content_type)
    except (LayoutError, ValueError) as error:
        found.refused = str(error)
    return found


def match(known: Known) -> Iterator[tuple[str, Matches]]:
    """Try all rules of a page, record by record."""
    page, rules = known.page, known.rules
    if rules.movie:
        yield "Movie", match_movie(page, rules)
    if rules.films:
        for node in select(page, rules.films.at):
            yield "Movie", match_rules(node, rules.films.rules)
    for kind, reviews in (("CriticReview", rules.critic_reviews), ("UserReview", rules.user_reviews)):
        if reviews:
            yield from ((kind, match_rules(node, reviews.block.rules)) for node in nodes_of(page, reviews))


def nodes_of(page: Selector, reviews: ReviewList) -> list[Selector]:
    return [node for container in select(page, reviews.container) for node in select(container, reviews.block.at)]


def match_movie(page: Selector, rules: PageRules) -> Matches:
    """Try the rules of all parts of a page; a field may be in several."""
    found: Matches = {}
    for block in rules.movie:
        nodes = select(page, block.at)
        for tried in [match_rules(node, block.rules, block.at) for node in nodes] or [untried(block)]:
            for name, met in tried.items():
                found[name] = joined(found[name], met) if name in found else met
    for name, block in rules.lists.items():
        nodes = select(page, block.at)
        found[name] = Match((block.at,), int(bool(nodes)), f"{len(nodes)} entries" * bool(nodes))
    return found


def match_rules(node: Selector, rules: Rules, at: str = "") -> Matches:
    """Try the rules of one block."""
    found = {}
    for name, expressions in rules.items():
        values = [select(node, expression).getall() for expression in several(expressions)]
        number = next((number for number, texts in enumerate(values, 1) if any(texts)), 0)
        text = next(filter(None, values[number - 1])) if number else ""
        found[name] = Match(placed(expressions, at), number, text)
    return found


def untried(block: Block) -> Matches:
    """Give the rules of a part that the page has not."""
    return {name: Match(placed(expressions, block.at)) for name, expressions in block.rules.items()}


def several(expressions: str | tuple[str, ...]) -> tuple[str, ...]:
    return (expressions,) if isinstance(expressions, str) else expressions


def placed(expressions: str | tuple[str, ...], at: str) -> tuple[str, ...]:
    """Tell expressions with the part of the page that they are relative to."""
    return tuple(f"{at} » {each}" if at else each for each in several(expressions))


def joined(first: Match, second: Match) -> Match:
    """Put together what came of two lots of rules for the same field, of which the first that matches counts."""
    expressions = tuple(dict.fromkeys(first.expressions + second.expressions))
    best = first if first.number or not second.number else second
    number = expressions.index(best.expressions[best.number - 1]) + 1 if best.number else 0
    return Match(expressions, number, best.text)


def tell_rules(rules: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Tell how often each rule matched, and which never did."""
    for kind, group in groupby(rules, key=lambda rule: rule["record"]):
        fields = list(group)
        yield from ["", f"Rules of {kind}: how many records each was the one for"]
        for rule in fields:
            for number, tried in enumerate(rule["expressions"]):
                name = "" if number else rule["field"]
                yield f"  {name:{WIDTH}} {tried['matched']:>4} of {rule['of']:<4} {as_written(tried['expression'])}"
        if nothing := [rule["field"] for rule in fields if not any(each["matched"] for each in rule["expressions"])]:
            yield f"  Nothing matched for: {', '.join(nothing)}"


def as_written(expression: str) -> str:
    """Show tests for classes as the layouts write them.

    >>> as_written('div[contains(concat(" ", normalize-space(@class), " "), " score ")]')
    'div[has(score)]'
    """
    return HAS.sub(r"has(\1)", expression)


def tell_record(record: Mapping[str, Any], matches: Matches) -> Iterator[str]:
    """Tell a record's fields, and what the page has where the record has nothing."""
    missing = []
    for name, value in record.items():
        met = matches.get(name)
        if value not in (None, []):
            which = f"   (rule {met.number} of {len(met.expressions)})" if met and len(met.expressions) > 1 else ""
            yield f"  {name:{WIDTH}} {told(value)}{which}"
        elif met and met.number:
            yield f"  {name:{WIDTH}} none, though the page says: {met.text[:SHOWN]}"
        else:
            missing.append(name)
    if missing:
        yield f"  {'none':{WIDTH}} {', '.join(missing)}"


def told(value: Any) -> str:
    """Tell a field's value."""
    if isinstance(value, list):
        return "; ".join(map(told, value))
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values() if part is not None)
    return str(value)
