"""The tables: one per record kind, its columns read off the dataclass; the runs, and what they have still to do."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

import sqlalchemy as sa

from metacrawl.database.columns import KEY, Timestamp, column
from metacrawl.items import RECORDS, CriticReview, Movie, Record, UserReview

METADATA = sa.MetaData()

# To be raised with each change of the tables, together with a step in `metacrawl.database.migrations`.
VERSION = 7
SCHEMA_VERSION = sa.Table("schema_version", METADATA, sa.Column("version", sa.Integer, nullable=False))


def record_table(name: str, record: type[Record]) -> sa.Table:
    """Make the table of a record kind, with what is known of each record beside what it says."""
    hints = get_type_hints(record, include_extras=True)
    columns = [column(field.name, hints[field.name]) for field in fields(record)]
    kept: list[sa.Column[Any]] = [
        # The last run that met it.
        sa.Column("seen_run", sa.Integer, nullable=False),
        # When it was stored first, by the clock of the crawl, whatever it was captured at.
        sa.Column("first_seen_at", Timestamp),
        # When the site was found to have it no more.
        sa.Column("vanished_at", Timestamp),
    ]
    return sa.Table(name, METADATA, *columns, *kept)


# The names of the latter.
KEPT = frozenset({"seen_run", "first_seen_at", "vanished_at"})


MOVIES = record_table("movies", Movie)
# What each kind of page says of a film, to make the one record of: see `metacrawl.database.films`.
MOVIE_PARTS = sa.Table(
    "movie_parts",
    METADATA,
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("page", sa.Text, primary_key=True),
    sa.Column("fields", sa.JSON, nullable=False),
)
# What films' pages have said over time: see `metacrawl.database.history`.
MOVIE_HISTORY = sa.Table(
    "movie_history",
    METADATA,
    sa.Column("slug", sa.Text, primary_key=True),
    # From when to when the page is known to have said the same.
    sa.Column("captured_at", Timestamp, primary_key=True),
    sa.Column("last_captured_at", Timestamp, nullable=False),
    sa.Column("layout", sa.Text, nullable=False),
    sa.Column("source_url", sa.Text, nullable=False),
    sa.Column("fields", sa.JSON, nullable=False),
)
CRITIC_REVIEWS = record_table("critic_reviews", CriticReview)
USER_REVIEWS = record_table("user_reviews", UserReview)

TABLES: Mapping[type[Record], sa.Table] = dict(zip(RECORDS, (MOVIES, CRITIC_REVIEWS, USER_REVIEWS), strict=True))

# What a crawl of the site has found to be no longer as it was stored: see `metacrawl.database.changes`.
CHANGES = sa.Table(
    "changes",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("run", sa.Integer, nullable=False),
    # By the clock of the crawl.
    sa.Column("seen_at", Timestamp, nullable=False, index=True),
    # The table of the record.
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", KEY, nullable=False),
    # A field of the record; or `vanished_at`, for a review that is gone or has come back.
    sa.Column("field", sa.Text, nullable=False),
    # As JSON in text, which can be compared in every database.
    sa.Column("old", sa.Text, nullable=False),
    sa.Column("new", sa.Text, nullable=False),
    # What a run finds in several steps is one change.
    sa.UniqueConstraint("run", "kind", "key", "field"),
)

# When films were read to their end last, for each purpose: see `metacrawl.database.visits`.
VISITS = sa.Table(
    "visits",
    METADATA,
    sa.Column("film", KEY, primary_key=True),
    # By which spider, for which reviews, from where.
    sa.Column("read_for", sa.Text, primary_key=True),
    # By the clock of the crawl; none where the last run has not read it well.
    sa.Column("visited_at", Timestamp),
    # When all of its pages were read, not only those that showed something new.
    sa.Column("swept_at", Timestamp),
    # The last run that has begun to read it.
    sa.Column("met_run", sa.Integer, nullable=False, index=True),
    # The last run that has done without pages of it.
    sa.Column("spared_run", sa.Integer, index=True),
    # What its page said of its scores and counts.
    sa.Column("figures", sa.JSON, nullable=False),
)

# A crawl from its first request to its last, by whichever processes; open until nothing is left to do.
RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    # What was asked for: the same command has the same job.
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("spider", sa.Text, nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("started_at", Timestamp, nullable=False),
    # Whether all requests that the crawl starts from are in the frontier.
    sa.Column("seeded", sa.Boolean, nullable=False),
    sa.Column("finished_at", Timestamp),
    sa.Column("outcome", sa.Text),
    sa.Column("message", sa.Text),
    # What `metacrawl.database.account` has made of it when it ended last.
    sa.Column("record", sa.JSON),
)
OPEN = RUNS.c.finished_at.is_(None)
sa.Index("one_open_run_of_a_job", RUNS.c.job, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)

# The processes that work on a run.
WORKERS = sa.Table(
    "workers",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("started_at", Timestamp, nullable=False),
    # How many records of each kind it was the first in its run to meet.
    *(sa.Column(table.name, sa.BigInteger, nullable=False, default=0) for table in TABLES.values()),
    # What it has counted: see `metacrawl.figures`.
    sa.Column("figures", sa.JSON),
    # The id that whoever started it knows it by, such as Scrapyd's of a job.
    sa.Column("job_id", sa.Text, index=True),
)

# What went wrong with single pages and records of a run.
PROBLEMS = sa.Table(
    "problems",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run", sa.Integer, nullable=False, index=True),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    # The request that it is a problem of, if it is one's.
    sa.Column("page", sa.BigInteger),
    # The film and the kind of page that the request asks for, if it tells.
    sa.Column("film", sa.Text),
    sa.Column("kind", sa.Text),
)

# How many reviews of a film the pages of a run say there are: see `metacrawl.completeness`.
TOTALS = sa.Table(
    "totals",
    METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("film", KEY, primary_key=True),
    sa.Column("reviews", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    # The order of the list, and the number of its page.
    sa.Column("sorted_by", sa.Text, primary_key=True),
    sa.Column("page", sa.Integer, primary_key=True),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("at_least", sa.Boolean, nullable=False),
    # How many reviews the page has.
    sa.Column("entries", sa.Integer, nullable=False),
    # When the site showed it, and the row of the frontier that asked for it: what was asked for later has a higher one.
    sa.Column("captured_at", Timestamp, nullable=False),
    sa.Column("request", sa.BigInteger, nullable=False),
    # Where the list is to be had in another order.
    sa.Column("again", sa.Text),
    sa.Column("asked_for", sa.Text, nullable=False),
)

# Of each film and kind of review, whether all that the site has is stored, as of the last run that read them.
COMPLETENESS = sa.Table(
    "completeness",
    METADATA,
    sa.Column("film", KEY, primary_key=True),
    sa.Column("reviews", sa.Text, primary_key=True),
    sa.Column("run", sa.Integer, nullable=False, index=True),
    # `complete`, `short` or `unknown`.
    sa.Column("verdict", sa.Text, nullable=False),
    # How many the site says there are, or at least are; none where it says nothing.
    sa.Column("total", sa.BigInteger),
    sa.Column("at_least", sa.Boolean, nullable=False),
    # Which of its numbers that is.
    sa.Column("source", sa.Text),
    # How many of them the run has met.
    sa.Column("stored", sa.BigInteger, nullable=False),
    sa.Column("missing", sa.BigInteger, nullable=False),
    # Why it is not complete.
    sa.Column("why", sa.Text),
    # All numbers, by their source, and whether they are in agreement.
    sa.Column("totals", sa.JSON, nullable=False),
    sa.Column("agree", sa.Boolean, nullable=False),
)

# The requests of the open runs: see `metacrawl.frontier.queue`.
FRONTIER = sa.Table(
    "frontier",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("run", sa.Integer, nullable=False),
    # The fingerprint of the canonical request.
    sa.Column("key", KEY, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    # The URL that the crawl was asked for and that led here.
    sa.Column("asked_for", sa.Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    # How often a process that had leased it died.
    sa.Column("crashes", sa.Integer, nullable=False),
    sa.Column("worker", sa.Integer),
    # Seconds since 1970, by the database's clock; of a film that is not due, from when on it is.
    sa.Column("lease_until", sa.Double),
    # None when nothing is left to do.
    sa.Column("request", sa.Text),
    sa.UniqueConstraint("run", "key"),
)
for state, columns in (
    ("queued", (FRONTIER.c.run, FRONTIER.c.priority.desc(), FRONTIER.c.id)),
    ("leased", (FRONTIER.c.run, FRONTIER.c.lease_until)),
):
    is_so = FRONTIER.c.state == sa.literal(state, literal_execute=True)
    sa.Index(f"frontier_{state}", *columns, sqlite_where=is_so, postgresql_where=is_so)

# What the pages of films have brought when they were read last: see `metacrawl.database.pages`.
PAGES = sa.Table(
    "pages",
    METADATA,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("film", sa.Text, nullable=False),
    # By which metacrawl, and for which spider.
    sa.Column("read_for", sa.Text, nullable=False),
    sa.Column("memory", sa.JSON, nullable=False),
)

# When each host may be asked next, by whichever worker.
HOSTS = sa.Table(
    "hosts",
    METADATA,
    sa.Column("host", sa.Text, primary_key=True),
    # Seconds since 1970, by the database's clock.
    sa.Column("next_at", sa.Double, nullable=False),
    # Until when its server wants no requests, by the same clock.
    sa.Column("quiet_until", sa.Double),
)

# What is kept of authors, in one row: see `metacrawl.authors`.
AUTHORS = sa.Table(
    "authors",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("policy", sa.Text, nullable=False),
    # Tells another key from the one that was used.
    sa.Column("key_check", sa.Text),
    # Makes the digests below this database's own.
    sa.Column("salt", sa.Text, nullable=False),
)
# The authors of whom nothing is stored, as digests.
FORGOTTEN = sa.Table("forgotten", METADATA, sa.Column("author", sa.Text, primary_key=True))
# Their reviews, as digests, with the last run that met them: they are no lack.
LEFT_OUT = sa.Table(
    "left_out",
    METADATA,
    sa.Column("film", KEY, primary_key=True),
    sa.Column("review", sa.Text, primary_key=True),
    sa.Column("seen_run", sa.Integer, nullable=False),
)

# What is done by the schedule: see `metacrawl.schedule`.
SCHEDULE = sa.Table(
    "schedule",
    METADATA,
    # As the schedule file calls the job.
    sa.Column("name", sa.Text, primary_key=True),
    # When it is due, as the file says it.
    sa.Column("cron", sa.Text, nullable=False),
    # When it is due next.
    sa.Column("next_at", Timestamp),
    # For which time it was started last, and when that was.
    sa.Column("due_at", Timestamp),
    sa.Column("started_at", Timestamp),
    # How that ended; nothing while it goes on.
    sa.Column("finished_at", Timestamp),
    sa.Column("outcome", sa.Text),
    sa.Column("message", sa.Text),
)
