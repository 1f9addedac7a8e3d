"""A database of the demo site's truth, and what stands in a page."""

import datetime as dt
import uuid
from dataclasses import replace

from lxml import html

from metacrawl.database import records, runs
from metacrawl.database.connection import connect, connect_to_read
from metacrawl.database.report import find
from metacrawl.demo.content import build_world
from metacrawl.demo.truth import expected_records
from metacrawl.items import Movie
from metacrawl.outcome import Outcome
from metacrawl.report.page import render

SITE = "https://www.metacritic.com"
NOW = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)


def truth():
    """The demo site's records, as if read from its pages."""
    return [as_read(record) for record in expected_records(build_world())]


def as_read(record):
    page = record.url if isinstance(record, Movie) else f"{SITE}/movie/{record.movie_slug}/user-reviews"
    return replace(record, layout=record.layout or "2016", source_url=page, captured_at=record.captured_at or NOW)


def store(url, stored, outcome=Outcome.COMPLETE, **arguments):
    """Store records as a run does."""
    engine = connect(url)
    with engine.begin() as connection:
        run = runs.enter(connection, uuid.uuid4().hex, "movies", arguments)
        worker = runs.enlist(connection, run)
        counts = records.save(connection, run, stored)
        runs.set_figures(connection, worker, {"stored": {name: counts[name] for name in ("new", "changed")}})
        runs.finish(connection, run, outcome, "said")
    engine.dispose()


def change(url, *statements):
    """Change the tables by hand."""
    engine = connect(url)
    with engine.begin() as connection:
        for statement, *rows in statements:
            connection.execute(statement, *rows)
    engine.dispose()


def page_of(url, now=None):
    """The report on a database, as text."""
    now = now or dt.datetime.now(dt.UTC)
    engine = connect_to_read(url)
    with engine.connect() as connection:
        page = render(find(connection, now), now)
    engine.dispose()
    return page


class Page:
    """What a reader finds in the report."""

    def __init__(self, text):
        self.root = html.document_fromstring(text)
        [self.body] = self.root.iter("body")

    def text(self):
        return " ".join(self.body.text_content().split())

    def part(self, heading):
        """What stands under a heading, and with it."""
        [found] = [one for one in self.body.iter("h3", "h2") if one.text_content().strip() == heading]
        return found.getparent()

    def finding(self, heading):
        [found] = self.part(heading).iter("figcaption")
        return found.text_content()

    def table(self, heading, number=0):
        """The rows of the table under a heading."""
        found = list(self.part(heading).iter("table"))[number]
        [body] = found.iter("tbody")
        return [tuple(" ".join(cell.text_content().split()) for cell in row) for row in body]

    def glance(self):
        return {one[0].text: one[1].text for one in self.body.iter("div") if one.getparent().tag == "dl"}
