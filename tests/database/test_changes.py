"""What a crawl finds to be no longer as it was stored."""

import datetime as dt
import re
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from metacrawl.database import changes, films, history, records, rows, runs
from metacrawl.database.connection import connect
from metacrawl.database.schema import USER_REVIEWS
from metacrawl.dataset.export import export
from metacrawl.items import Credit, CriticReview, Movie, UserReview
from metacrawl.outcome import Outcome

HER = "https://www.metacritic.com/movie/her"
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


class Crawls:
    """A database, and one crawl a day that stores into it, by a clock of its own."""

    def __init__(self, url, monkeypatch):
        self.engine = connect(url)
        self.now = START
        for module in (rows, runs, changes):
            monkeypatch.setattr(module, "now", lambda: self.now)

    def run(self, *batches, **met_again):
        """Store batches of records, each in a transaction of its own, as read just then if they do not say when."""
        self.now += DAY
        with self.engine.begin() as connection:
            run = runs.enter(connection, uuid.uuid4().hex, "movies", {})
        for batch in batches:
            self.now += DAY / 24
            for record in batch:
                record.captured_at = record.captured_at or self.now
            with self.engine.begin() as connection:
                records.save(connection, run, batch, met_again)
        with self.engine.begin() as connection:
            runs.finish(connection, run, Outcome.COMPLETE, "all")
        return run

    def vanish(self, *keys):
        """Find at the end of a crawl that user reviews are gone; returns when."""
        run = self.run()
        with self.engine.begin() as connection:
            changes.note_vanished(connection, run, USER_REVIEWS, keys, self.now)
            gone = sa.update(USER_REVIEWS).where(USER_REVIEWS.c.key.in_(keys)).values(vanished_at=self.now)
            connection.execute(gone)
        return f'"{self.now:%Y-%m-%dT%H:%M:%SZ}"'

    def read(self, *given, **filters):
        """Give all that changed: key, field, old, new."""
        with self.engine.connect() as connection:
            found = list(changes.read(connection, *given, **filters))
        return [(one["key"], one["field"], one["old"], one["new"]) for one in found]

    def gone(self):
        """Name the user reviews that have the mark."""
        with self.engine.connect() as connection:
            return list(
                connection.execute(
                    sa.select(USER_REVIEWS.c.key).where(USER_REVIEWS.c.vanished_at.is_not(None))
                ).scalars()
            )


@pytest.fixture
def crawls(database_url, monkeypatch):
    opened = Crawls(database_url, monkeypatch)
    yield opened
    opened.engine.dispose()


def user(text="Fine.", name="Ann", **fields):
    fields = {"layout": "2026", "text": text, "review_id": name} | fields
    return UserReview(key=f"her/{name}", movie_slug="her", author=name, source_url=f"{HER}/user-reviews", **fields)


def critic(**fields):
    address = f"{HER}/critic-reviews"
    return CriticReview(key="her/paper/critic", movie_slug="her", layout="2026", source_url=address, **fields)


def film(page="", slug="her", **fields):
    address = f"https://www.metacritic.com/movie/{slug}"
    return Movie(key=slug, slug=slug, url=address, layout="2026", source_url=address + page, **fields)


EDIT = ("her/Ann", "text", '"Fine."', '"Better."')


# --- Edits


def test_what_is_new_or_the_same_is_no_change(crawls):
    crawls.run([film(title="Her"), critic(score=90), user()])
    crawls.run([film(title="Her"), critic(score=90), user(), user(name="Bob")])
    assert crawls.read() == []


def test_each_field_that_changed_is_an_entry_of_what_it_was_and_is(crawls):
    one, other = Credit(name="One", slug="one"), Credit(name="Zoë", role="Director")
    crawls.run(
        [
            film(metascore=90, user_score=8.6, genres=["Drama"], directors=[one], must_see=False),
            critic(score=90, date=dt.date(2013, 12, 18)),
        ],
    )
    crawls.run(
        [
            film(metascore=91, user_score=8.5, genres=["Drama", "War"], directors=[one, other], must_see=True),
            critic(score=None, date=dt.date(2014, 1, 1)),
        ],
    )
    first, both = '{"name":"One","slug":"one","role":null}', '{"name":"Zoë","slug":null,"role":"Director"}'
    assert crawls.read() == [
        ("her", "directors", f"[{first}]", f"[{first},{both}]"),
        ("her", "genres", '["Drama"]', '["Drama","War"]'),
        ("her", "metascore", "90", "91"),
        ("her", "must_see", "false", "true"),
        ("her", "user_score", "8.6", "8.5"),
        ("her/paper/critic", "date", '"2013-12-18"', '"2014-01-01"'),
        ("her/paper/critic", "score", "90", "null"),
    ]


def test_where_it_was_read_is_no_change(crawls):
    crawls.run([user()])
    crawls.run([user(layout="2023")])
    assert crawls.read() == []


def test_what_is_found_in_several_steps_is_one_change(crawls):
    crawls.run([user("Fine.")])
    crawls.run([user("Good.")], [user("Better.")])
    assert crawls.read() == [EDIT]


def test_what_is_undone_in_a_further_step_is_none(crawls):
    crawls.run([user("Fine."), user("Fine.", name="Bob")])
    crawls.run([user("Good."), user("Good.", name="Bob")], [user("Fine.")])
    assert [key for key, *_ in crawls.read()] == ["her/Bob"]


def test_each_run_has_its_own(crawls):
    for text in ("Fine.", "Better.", "Fine."):
        crawls.run([user(text)])
    assert crawls.read() == [EDIT, ("her/Ann", "text", '"Better."', '"Fine."')]


def test_they_are_read_from_a_time_on_and_of_films(crawls):
    crawls.run([film(metascore=1), film(slug="heretic", metascore=1), user()])
    crawls.run([film(metascore=2), film(slug="heretic", metascore=2)])
    later = crawls.now + DAY
    crawls.run([user("Better.")])
    assert crawls.read(later) == [EDIT]
    assert crawls.read(later + DAY) == []
    assert [key for key, *_ in crawls.read(films={"her"})] == ["her", "her/Ann"]
    assert [key for key, *_ in crawls.read(films={"heretic"})] == ["heretic"]
    with crawls.engine.connect() as connection:
        first, *_ = changes.read(connection)
    assert first["seen_at"] == START + 2 * DAY + DAY / 24 * 2
    assert (first["kind"], first["movie_slug"]) == ("movies", "her")


# --- What is no change of the site


def of_a_page_of_before(crawls):
    crawls.run([user()])
    crawls.run([user("Better.", captured_at=crawls.now + DAY / 2)])


def built_up(crawls):
    """One run meets a review twice, and the second page says something else."""
    crawls.run([user("Fine.")], [user("Better.")])


def of_another_design(crawls):
    crawls.run([user(spoiler=False, layout="2026")])
    crawls.run([user(helpful_votes=1, layout="2016")])


def of_a_page_of_the_film_that_was_never_read(crawls):
    crawls.run([film(genres=["Drama"])])
    crawls.run([film(genres=["Drama"]), film("/details", genres=["Drama"], countries=["One"])])


@pytest.mark.parametrize(
    ("happens", "module", "name"),
    [
        (of_a_page_of_before, changes, "is_news"),
        (built_up, changes, "is_news"),
        (of_another_design, changes, "edited"),
        (of_a_page_of_the_film_that_was_never_read, films, "spoke_before"),
    ],
    ids=["before", "built-up", "design", "page"],
)
def test_what_is_no_change_of_the_site(crawls, monkeypatch, happens, module, name):
    happens(crawls)
    assert crawls.read() == []
    if name == "edited":
        monkeypatch.setattr(module, name, lambda _, old, new: {field for field in old if old[field] != new.get(field)})
    else:
        monkeypatch.setattr(module, name, lambda *_: True)
    with crawls.engine.begin() as connection:
        for table in ("movies", "movie_parts", "user_reviews"):
            connection.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608
    happens(crawls)
    assert crawls.read(), "what it would be without the rule"


def test_what_two_designs_tell_differently_is_a_change(crawls):
    crawls.run([user(spoiler=False, layout="2026")])
    crawls.run([user("Better.", layout="2016")])
    assert crawls.read() == [EDIT]


def test_a_page_of_the_film_that_says_something_else_than_last_time_is_a_change(crawls):
    both = film(title="Her"), film("/details", countries=["One"])
    crawls.run(*([one] for one in both))
    # The film is met by its own page before.
    crawls.run([film(title="Her")], [film("/details", countries=["One", "Two"])])
    assert crawls.read() == [("her", "countries", '["One"]', '["One","Two"]')]


# --- Gone, and back


def test_a_review_that_vanishes_and_comes_back(crawls):
    crawls.run([user(), user(name="Bob")])
    when = crawls.vanish("her/Ann")
    crawls.run([user("Better."), user(name="Bob")])
    assert crawls.gone() == []
    assert crawls.read() == [("her/Ann", "vanished_at", "null", when), EDIT, ("her/Ann", "vanished_at", when, "null")]


def test_a_review_comes_back_on_a_page_that_has_not_changed(crawls):
    crawls.run([user(), user(name="Bob")])
    when = crawls.vanish("her/Ann")
    for _ in range(2):
        crawls.run([], user_reviews=["her/Ann", "her/Bob"])
    assert crawls.gone() == []
    assert crawls.read()[1:] == [("her/Ann", "vanished_at", when, "null")]


def test_a_page_of_before_it_vanished_does_not_bring_it_back(crawls, monkeypatch):
    crawls.run([user()])
    crawls.vanish("her/Ann")
    before = START + DAY / 2, START + DAY * 1.5
    crawls.run(*([user("Better.", captured_at=when)] for when in before))
    assert crawls.gone() == ["her/Ann"]
    assert [field for _, field, *_ in crawls.read()] == ["vanished_at"]
    monkeypatch.setattr(rows, "was_there", lambda *_: False)
    crawls.run([user("Better.", captured_at=START)])
    assert crawls.gone() == [], "what it would be without the rule"


# --- Scores over time


SCORES = {"metascore": 90, "critic_review_count": 46, "user_score": 8.6, "user_rating_count": 1376}


def series(crawls, films=None):
    with crawls.engine.connect() as connection:
        return [
            (
                one["movie_slug"],
                (one["captured_at"] - START).days,
                (one["last_captured_at"] - START).days,
                one["metascore"],
            )
            for one in history.read_scores(connection, films)
        ]


def test_scores_are_told_from_when_to_when(crawls):
    crawls.run([film(**SCORES, captured_at=START - 1000 * DAY)])
    crawls.run([film(**SCORES, captured_at=START - 2000 * DAY)])
    for number in range(3):
        # Other pages of the film have older numbers, or none.
        other = film("/details", metascore=50), film("/user-reviews", user_score=1.0), film("/critic-reviews")
        crawls.run([film(**SCORES, summary=f"{number}")], *([one] for one in other))
    crawls.run([film(**SCORES | {"metascore": 91}), film(slug="heretic")])
    assert series(crawls) == [("her", -2000, 5, 90), ("her", 6, 6, 91), ("heretic", 6, 6, None)]
    assert series(crawls, {"heretic"}) == [("heretic", 6, 6, None)]
    with crawls.engine.connect() as connection:
        first, *_ = history.read_scores(connection)
    assert {name: first[name] for name in SCORES} == SCORES
    assert (first["layout"], first["source_url"], first["user_review_count"]) == ("2026", HER, None)


def test_the_docs_questions_are_answered(crawls, tmp_path):
    for score in (90, 90, 91):
        crawls.run([film(**SCORES | {"metascore": score})])
    docs = Path(__file__).parents[2] / "docs/history.md"
    of_dataset, of_database = re.findall(
        r"^```sql\n(.*?);\n```", docs.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    export(crawls.engine, tmp_path / "dataset", "sqlite")
    with closing(sqlite3.connect(tmp_path / "dataset/metacrawl.sqlite")) as dataset:
        rows = dataset.execute(of_dataset).fetchall()
    assert rows == [("2026-01-02T01:00:00Z", 90, 46, 8.6, 1376), ("2026-01-04T03:00:00Z", 91, 46, 8.6, 1376)]
    with crawls.engine.connect() as connection:
        scores = [(str(row.metascore), str(row.user_score)) for row in connection.execute(sa.text(of_database))]
    assert scores == [("90", "8.6"), ("91", "8.6")]
