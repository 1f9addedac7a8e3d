"""How a run ends: what is short is read once more; then come the verdicts, the outcome and the account."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa
from scrapy import Request

from metacrawl.completeness import COMPLETE
from metacrawl.database import account, completeness, runs, vanished, visits
from metacrawl.frontier import queue
from metacrawl.frontier.payload import encode
from metacrawl.frontier.update import Update
from metacrawl.outcome import Outcome, amounts
from metacrawl.spiders.base import FilmSpider
from metacrawl.urls import parse

if TYPE_CHECKING:
    from metacrawl.frontier.run import Run

logger = logging.getLogger(__name__)


def read_again(connection: sa.Connection, run: int, spider: FilmSpider, key_of: Callable[[Request], str]) -> None:
    """Queue the lists of which something is missing, in another order; each once in a run."""
    if not spider.source.follows:
        return
    lists = completeness.lists_to_read_again(connection, run, spider.reviews)
    rows = [
        queue.Row(key_of(request), request.url, asked_for, request.priority, encode(request))
        for again, asked_for in lists.items()
        for request in spider.source.requests([parse(again)])
        if isinstance(request, Request)
    ]
    if number := len(queue.add(connection, run, rows)):
        logger.info("%d lists are short of what the site says, and are read again in another order", number)


def end(connection: sa.Connection, run: "Run") -> tuple[Outcome, str, account.Closed]:
    """Finish a run if nothing is left to do, else leave it open."""
    runs.hold(connection, run.id, alone=True)
    unfinished = not runs.seeded(connection, run.id) or bool(queue.left(connection, run.id))
    # What is open may yet be read.
    wanted = frozenset() if unfinished else run.spider.reviews
    verdicts = completeness.settle(connection, run.id, wanted)
    completeness.forgive(connection, run.id, verdicts)
    if not unfinished and run.ledger.worker.update:
        vanished.mark(connection, run.id)
        settle_visits(connection, run.id, run.ledger.worker.update, verdicts)
    # Where the short make no run partial, their pages that could not be had must.
    explained = partial(verdicts.explains, even_short=run.spider.source.follows)
    problems = runs.problems(connection, run.id, explained)
    met, short, not_due = runs.met(connection, run.id), verdicts.describe(), describe_not_due(connection, run.id)
    outcome, message = run.conclude(problems, met, short, not_due, unfinished=unfinished)
    runs.set_figures(connection, run.ledger.worker.id, run.ledger.figures.as_json())
    closed = account.close(connection, run.id, account.Leaving(outcome, message, problems, unfinished))
    return outcome, message, closed


def settle_visits(connection: sa.Connection, run: int, update: Update, ledger: completeness.Ledger) -> None:
    """Enter which films a run has read to their end, and well."""
    problems = runs.films_with_problems(connection, run, partial(ledger.explains, even_short=False))
    verdicts = ledger.verdicts

    def is_complete(film: str) -> bool:
        lists = [verdicts.get((film, reviews)) for reviews in update.reviews]
        return film not in problems and all(found and found.verdict == COMPLETE for found in lists)

    visits.end(connection, run, update.read_for, is_complete)


def describe_not_due(connection: sa.Connection, run: int) -> str:
    """Tell how many films a run has not asked for, for they were read not long ago; empty if none."""
    number, first = queue.not_due(connection, run)
    if not first:
        return ""
    films = f"{amounts({'film': number})} {'is' if number == 1 else 'are'}"
    return f"{films} not due before {first:%Y-%m-%d %H:%M} UTC (update=full reads all)"
