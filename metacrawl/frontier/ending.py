"""How a run ends: what is short is read once more; then come the verdicts, the outcome and the account."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa
from scrapy import Request

from metacrawl.database import account, completeness, runs
from metacrawl.frontier import queue
from metacrawl.frontier.payload import encode
from metacrawl.outcome import Outcome
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
    # Where the short make no run partial, their pages that could not be had must.
    explained = partial(verdicts.explains, even_short=run.spider.source.follows)
    problems = runs.problems(connection, run.id, explained)
    outcome, message = run.conclude(problems, runs.met(connection, run.id), verdicts.describe(), unfinished=unfinished)
    runs.set_figures(connection, run.ledger.worker.id, run.ledger.figures.as_json())
    closed = account.close(connection, run.id, account.Leaving(outcome, message, problems, unfinished))
    return outcome, message, closed
