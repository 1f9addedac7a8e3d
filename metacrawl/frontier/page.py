"""A leased request on its way through the crawl, with all that comes of it until it is stored."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import cast

from scrapy import Request

from metacrawl import extract
from metacrawl.authors import LeftOut
from metacrawl.completeness import Total
from metacrawl.database.pages import Memory
from metacrawl.frontier.payload import encode
from metacrawl.frontier.queue import Row
from metacrawl.items import Record
from metacrawl.outcome import Problem

logger = logging.getLogger(__name__)

# Its name in a request's meta; retries and redirects copy it.
META = "page"


@dataclass(eq=False)
class Page:
    """What one request brings: stored together, or not at all."""

    id: int
    request: Request
    """As it was leased."""

    asked_for: str
    suspect: bool = False
    """It may be what its processes died of."""

    scheduled: Request | None = None
    """The request that came to the scheduler last: the same, the same again, or where it was redirected to."""

    read: extract.Page | None = None
    """What was read of it, if it can be read."""

    memory: Memory | None = None
    """What it has brought before."""

    recalled: bool = False
    """It is still the same, and brings that again."""

    validators: dict[str, str] = field(default_factory=dict)
    """What the next time asks with whether it is still the same."""

    records: list[Record] = field(default_factory=list)
    repeated: list[Record] = field(default_factory=list)
    """Records of it that a pipeline has dropped, such as what another page has brought."""

    met_again: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Reviews that it brings as they are stored: table → keys."""

    figures: dict[str, dict[str, int]] = field(default_factory=dict)
    """What is counted of it."""

    left_out: list[LeftOut] = field(default_factory=list)
    """The reviews that it has and that must not be stored."""

    totals: list[Total] = field(default_factory=list)
    follow_ups: list[Row] = field(default_factory=list)
    instead: list[Row] = field(default_factory=list)
    """What stands in for it if it is dead."""

    problems: list[Problem] = field(default_factory=list)
    dead: bool = False
    """Nothing of it is to be stored but its problems."""

    expected: int = 0
    """How many of its records are still on their way through the pipelines."""

    all_in: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever none is."""

    def __post_init__(self) -> None:
        self.all_in.set()

    def expect(self) -> None:
        """Wait for one more record."""
        self.expected += 1
        self.all_in.clear()

    def arrived(self) -> None:
        """Wait for one record less."""
        self.expected -= 1
        if not self.expected:
            self.all_in.set()

    @property
    def leads_to(self) -> list[Row]:
        """The requests that are stored with its end."""
        return self.instead if self.dead else self.follow_ups

    def follow(self, request: Request, key: str) -> None:
        """Take in a request that the page leads to, or, if it is dead, one that stands in for it.

        Raises `ValueError` for one that cannot be kept.
        """
        rows = self.leads_to
        if request.dont_filter:
            # Never the same as another one, and yet the same when the page is read again.
            key = f"{key}/{self.id}/{len(rows)}"
        rows.append(Row(key, request.url, self.asked_for, request.priority, encode(request)))

    def note(self, problem: Problem) -> None:
        """Note what went wrong with a part of the page."""
        logger.error("%s", problem.message)
        self.problems.append(problem)

    def fail(self, problem: Problem) -> None:
        """Give the page up, for the first problem that it has."""
        if not self.dead:
            self.dead = True
            self.note(problem)


def page_of(request: Request) -> Page | None:
    """Give the page that a request is for; None for one that is none of the frontier's, such as for robots.txt."""
    return cast("Page | None", request.meta.get(META))
