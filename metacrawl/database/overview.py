"""What `scrapy status` shows of a database."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from metacrawl.database import account, schedule
from metacrawl.database.reading import count
from metacrawl.database.schema import COMPLETENESS, OPEN, RUNS, TABLES, WORKERS
from metacrawl.extract import LIST_LOADERS
from metacrawl.figures import Figures
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.layouts import LAYOUTS
from metacrawl.layouts.rules import PageRules, Rules

# How many runs are shown beside the open ones, and how often an expression was tried that should have matched.
RUNS_SHOWN, TRIED = 10, 20


def overview(connection: sa.Connection) -> dict[str, Any]:
    """Tell of the last runs and the open ones, the last first, of the records, the schedule, and what is missing."""
    ids = [
        *connection.execute(sa.select(RUNS.c.id).order_by(RUNS.c.id.desc()).limit(RUNS_SHOWN)).scalars(),
        *connection.execute(sa.select(RUNS.c.id).where(OPEN)).scalars(),
    ]
    order = COMPLETENESS.c.film, COMPLETENESS.c.reviews
    lists = [dict(row) for row in connection.execute(sa.select(COMPLETENESS).order_by(*order)).mappings()]
    return {
        "records": {table.name: count(connection, kind) for kind, table in TABLES.items()},
        "runs": [account.give(connection, run) for run in sorted(set(ids), reverse=True)],
        "schedule": schedule.accounts(connection),
        "completeness": {**account.sums(lists), "lists": [account.list_of(row) for row in lists]},
    }


def rules(connection: sa.Connection) -> dict[str, Any]:
    """Tell which expressions of the layouts never matched in all runs, and how many were never tried."""
    figures = Figures.summed(connection.execute(sa.select(WORKERS.c.figures)).scalars())
    tried, matched = figures.of("tried"), figures.of("matched")
    names = sorted(set(expressions()))
    return {
        "expressions": len(names),
        "untried": sum(not tried[name] for name in names),
        "unmatched": [
            dict(zip(("layout", "page", "record", "field", "expression"), name.split("/", 4), strict=True))
            | {"tried": tried[name]}
            for name in names
            if tried[name] >= TRIED and not matched[name]
        ],
    }


def expressions() -> Iterator[str]:
    """Name all expressions of the layouts as the figures do."""
    for layout in LAYOUTS:
        for kind, page in layout.pages.items():
            for record, block in blocks(page):
                for field, several in block.items():
                    for expression in (several,) if isinstance(several, str) else several:
                        yield f"{layout.name}/{kind}/{record}/{field}/{expression}"


def blocks(page: PageRules) -> Iterator[tuple[str, Rules]]:
    """Give the rules of a kind of page, with the name of what they make."""
    for block in page.film_blocks:
        yield Movie.__name__, block.rules
    for name, block in page.lists.items():
        yield LIST_LOADERS[name].default_item_class.__name__, block.rules
    for reviews, record in ((page.critic_reviews, CriticReview), (page.user_reviews, UserReview)):
        if reviews:
            yield record.__name__, reviews.block.rules
