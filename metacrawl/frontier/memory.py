"""Pages that were read before: what is asked with, what is taken for read, what is kept for the next time."""

import datetime as dt
import hashlib
from dataclasses import replace

import msgspec
import sqlalchemy as sa
from scrapy.settings import BaseSettings

from metacrawl import __version__
from metacrawl.database import pages, records
from metacrawl.database.pages import Memory
from metacrawl.database.schema import TABLES
from metacrawl.frontier.page import Page
from metacrawl.frontier.queue import Row, Worker
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.spiders.base import FilmSpider

# Some databases index no more.
LONGEST_URL = 2000


def is_wanted_anew(spider: FilmSpider, settings: BaseSettings) -> bool:
    """Tell whether each record is wanted, unchanged ones too: with `fresh=1`, or for Scrapy's own feeds.

    With Scrapy's cache it is that which knows what has changed.
    """
    wanted = settings.getdict("FEEDS") or settings.getbool("HTTPCACHE_ENABLED")
    return bool(spider.arguments.fresh or wanted)


def read_for(spider: FilmSpider) -> str:
    """Tell apart what a page is read for, by what and where: the same page brings something else for another spider.

    Empty where pages do not come from the site: nothing is kept of them.
    """
    if spider.arguments.source != "site":
        return ""
    return hashlib.sha256(f"{__version__} {purpose_of(spider)}".encode()).hexdigest()


def purpose_of(spider: FilmSpider) -> str:
    """Tell apart what films are read for, by whatever version."""
    what = [spider.name, sorted(spider.reviews), spider.source.base_urls]
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()


def look_up(connection: sa.Connection, worker: Worker, page: Page) -> None:
    """See what a page has brought before."""
    if worker.read_for:
        page.memory = pages.find(connection, page.request.url, worker.read_for)


def recall(page: Page, memory: Memory) -> None:
    """Take what a page has brought before for what it brings now, for it is still the same."""
    now = dt.datetime.now(dt.UTC)
    page.recalled = True
    page.records = [replace(movie, captured_at=now) for movie in memory.movies]
    page.met_again = memory.keys
    page.follow_ups = [Row(asked_for=page.asked_for, **request) for request in memory.requests]
    page.left_out = memory.left_out
    page.totals = [replace(total, captured_at=now) for total in memory.totals]
    page.figures = memory.figures


def is_stale(connection: sa.Connection, page: Page) -> bool:
    """Tell whether what a page was to bring again is no longer there as it was: another page may have replaced it."""
    taken = page.memory if page.recalled and not page.dead else None
    return bool(taken and pages.digest(connection, taken.keys) != taken.digest)


def remember(connection: sa.Connection, worker: Worker, page: Page) -> None:
    """Keep what a page that is stored has brought, or forget what it brought before."""
    if not worker.read_for or (page.recalled and not page.dead):
        return
    if page.problems and not page.dead and "film" in page.request.meta:
        # A list that has no end shows it only to who reads its other pages, too.
        pages.forget(connection, [page.request.meta["film"]])
    memory = memory_of(connection, page)
    if memory is None:
        pages.drop(connection, page.request.url)
    else:
        pages.keep(connection, page.request.url, page.request.meta["film"], worker.read_for, memory)


def memory_of(connection: sa.Connection, page: Page) -> Memory | None:
    """Make the memory of a page; none of one that something is wrong with, or that may bring something else next time.

    A list of films leads on by what the pages before it have led to.
    """
    url, meta = page.request.url, page.request.meta
    unfit = page.dead or page.problems or page.read is None or "redirect_urls" in meta or len(url) > LONGEST_URL
    if unfit or not page.validators or "film" not in meta:
        return None
    keys: dict[str, list[str]] = {}
    for kind in (CriticReview, UserReview):
        reviews = [review for review in (*page.records, *page.repeated) if isinstance(review, kind)]
        found = records.find_keys(connection, kind, reviews)
        if None in found:
            # The page that has brought it first is not stored.
            return None
        keys[TABLES[kind].name] = sorted({key for key in found if key})
    return Memory(
        read_at=dt.datetime.now(dt.UTC),
        validators=page.validators,
        movies=[record for record in page.records if isinstance(record, Movie)],
        keys=keys,
        digest=pages.digest(connection, keys),
        requests=[
            {"key": row.key, "url": row.url, "priority": row.priority, "request": row.request}
            for row in page.follow_ups
        ],
        left_out=page.left_out,
        totals=page.totals,
        figures=page.figures,
    )
