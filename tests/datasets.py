"""A database with some of the demo site's films as two crawls met them, a year apart, and hostile texts."""

import datetime as dt
from dataclasses import replace

import sqlalchemy as sa

from metacrawl.database import changes, records, runs
from metacrawl.database.schema import TABLES, USER_REVIEWS
from metacrawl.demo.content import build_world
from metacrawl.demo.truth import expected_records
from metacrawl.items import Record, UserReview
from metacrawl.outcome import Outcome

THEN = dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)
SCRIPT = "<script>alert(1)</script> ![x](https://example.org/x.png) <img src=x onerror=alert(1)>"
HOSTILE = (SCRIPT, "=1+1", "'tis; -so\n@once", "NA", "0042", "null")
FILMS = 14
RESCORED = "glass-meridian"
EDITED = f"{RESCORED}/Quiet9"
GONE = f"{RESCORED}/Grumpy29"
NEW = f"{RESCORED}/newcomer"


def demo_records() -> list[Record]:
    """Give films with a few reviews each, in the design of 2016, and the hostile texts as reviews of the first."""
    slugs = [film.slug for film in build_world().films[:FILMS]]
    found: list[Record] = []
    per_film: dict[tuple[type, str], int] = {}
    for record in expected_records(build_world()):
        slug = record.key.partition("/")[0]
        per_film[type(record), slug] = per_film.get((type(record), slug), 0) + 1
        if slug in slugs and per_film[type(record), slug] <= 20:
            source = f"https://www.metacritic.com/movie/{slug}"
            found.append(replace(record, layout="2016", source_url=source, captured_at=THEN))
    mallories = [f"mallory-{number}" for number in range(len(HOSTILE))]
    texts = zip(mallories, HOSTILE, strict=True)
    return [*found, *(hostile_review(slugs[0], author, text) for author, text in texts)]


def hostile_review(slug: str, author: str, text: str) -> UserReview:
    return UserReview(
        key=f"{slug}/{author}",
        layout="2016",
        source_url=f"https://www.metacritic.com/movie/{slug}/user-reviews",
        captured_at=THEN,
        movie_slug=slug,
        author=author,
        text=text,
    )


def store(engine: sa.Engine) -> list[Record]:
    """Store them as of `THEN`, and what a crawl of today finds: a new score, and reviews that are edited, new, gone.

    Returns what is stored at the end.
    """
    met = {record.key: record for record in demo_records()}
    with engine.begin() as connection:
        first = runs.enter(connection, "first", "movies", {})
        records.save(connection, first, list(met.values()))
        for table in TABLES.values():
            connection.execute(sa.update(table).values(first_seen_at=THEN))
        runs.finish(connection, first, Outcome.COMPLETE, "all")
        second = runs.enter(connection, "second", "movies", {})
        now = runs.now().replace(microsecond=0)
        film, review = met[RESCORED], met[EDITED]
        met[RESCORED] = replace(film, metascore=film.metascore - 1, captured_at=now)
        met[EDITED] = replace(review, text="I have changed my mind.", captured_at=now)
        met[NEW] = replace(hostile_review(RESCORED, "newcomer", "Late."), captured_at=now)
        records.save(connection, second, [met[key] for key in (RESCORED, EDITED, NEW)])
        changes.note_vanished(connection, second, USER_REVIEWS, [GONE], now)
        connection.execute(sa.update(USER_REVIEWS).where(USER_REVIEWS.c.key == GONE).values(vanished_at=now))
        runs.finish(connection, second, Outcome.COMPLETE, "all")
    return list(met.values())
