import datetime as dt
import itertools
import uuid
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metacrawl.database import reading, records, runs
from metacrawl.database.connection import connect
from metacrawl.database.schema import USER_REVIEWS
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.outcome import Outcome

THEN = dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)
LATER = dt.datetime(2019, 12, 16, 12, tzinfo=dt.UTC)
OLD_ID, OTHER_OLD_ID, THIRD_OLD_ID = "1234567", "7654321", "1111111"
NEW_ID, OTHER_NEW_ID = "0a5c1d9e-6b7f-4c3a-9f1e-2d8b7a6c5e4f", "ffffffff-6b7f-4c3a-9f1e-2d8b7a6c5e4f"


class Database:
    """A database, and runs that store into it."""

    def __init__(self, url):
        self.engine = connect(url)

    def run(self, *batches):
        """Store batches of records, each in a transaction of its own, as one run; returns what was counted."""
        with self.engine.begin() as connection:
            run = begin(connection)
            worker = runs.enlist(connection, run)
        counted = Counter()
        for batch in batches:
            with self.engine.begin() as connection:
                counts = records.save(connection, run, batch)
                runs.count_met(connection, worker, counts)
                counted += Counter({name: number for name, number in counts.items() if not name.startswith("met/")})
        with self.engine.begin() as connection:
            runs.finish(connection, run, Outcome.COMPLETE, "all")
        return counted

    def all(self, kind):
        with self.engine.connect() as connection:
            return list(reading.read(connection, kind))

    def met(self, run):
        with self.engine.connect() as connection:
            return runs.met(connection, run)

    def forget(self):
        with self.engine.begin() as connection:
            connection.execute(sa.delete(USER_REVIEWS))


def begin(connection, movie="her"):
    return runs.enter(connection, uuid.uuid4().hex, "movies", {"movie": movie})


@pytest.fixture
def database(database_url):
    opened = Database(database_url)
    yield opened
    opened.engine.dispose()


def user(review_id=OLD_ID, key="her/Ann", **fields):
    fields = {"text": f"What {review_id} says.", "source_url": "/movie/her", "captured_at": THEN} | fields
    return UserReview(key=key, movie_slug="her", author="Ann", review_id=review_id, layout="2016", **fields)


def critic(url="https://a.example/review", **fields):
    fields = {"excerpt": "A passage.", "source_url": "/movie/her", "captured_at": THEN} | fields
    return CriticReview(key="her/paper/critic", movie_slug="her", full_review_url=url, layout="2016", **fields)


def film(**fields):
    fields = {"source_url": "/movie/her", "captured_at": THEN} | fields
    return Movie(key="her", slug="her", url="https://www.metacritic.com/movie/her", layout="2016", **fields)


def texts(database):
    return {review.key: review.text for review in database.all(UserReview)}


# --- The same, and edited


def test_what_is_stored_is_what_was_met(database):
    met = [
        user(score=8, date=dt.date(2014, 1, 9), spoiler=True, helpful_votes=1, total_votes=4, edited_at=LATER),
        critic(publication="Paper", publication_slug="paper", score=90, date=dt.date(2014, 1, 9)),
    ]
    assert database.run(met) == {"new": 2}
    assert [*database.all(UserReview), *database.all(CriticReview)] == met


@pytest.mark.parametrize("make", [user, critic, film])
def test_the_same_again_is_unchanged_and_keeps_where_it_was_first_read(database, make):
    first = make()
    again = make(source_url="/movie/her/details", captured_at=LATER)
    again.layout = "2023"
    assert database.run([first]) == {"new": 1}
    assert database.run([again]) == {"unchanged": 1}
    assert database.all(type(first)) == [make()]


def test_the_same_twice_in_one_batch_is_one_record(database):
    assert database.run([user(), user(captured_at=LATER)]) == {"new": 1, "unchanged": 1}
    assert database.all(UserReview) == [user()]


def test_an_edit_changes_that_record_only(database):
    other = user(key="her/Bob", review_id=OTHER_OLD_ID)
    edited = user(text="Better now.", captured_at=LATER)
    database.run([user(), other])
    assert database.run([edited, other]) == {"changed": 1, "unchanged": 1}
    assert database.all(UserReview) == [edited, other]


def test_a_value_that_a_review_no_longer_has_goes(database):
    database.run([critic(score=90)])
    database.run([critic(score=None)])
    assert database.all(CriticReview) == [critic(score=None)]


def test_a_review_that_is_not_met_again_stays(database):
    database.run([user()])
    database.run([critic()])
    assert database.all(UserReview) == [user()]


def test_kinds_do_not_mix(database):
    assert database.run([film(), critic(), user(), film()])["new"] == 3
    assert [len(database.all(kind)) for kind in (Movie, CriticReview, UserReview)] == [1, 1, 1]


def test_nothing_to_store_is_no_problem(database):
    database.run([])
    assert [database.all(kind) for kind in (Movie, CriticReview, UserReview)] == [[], [], []]


def test_a_transaction_that_fails_stores_nothing(database):
    def fail_half_way():
        with database.engine.begin() as connection:
            records.save(connection, begin(connection), [user()])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert database.all(UserReview) == []


def test_text_keeps_its_unicode(database):
    odd = "one\ntwo\u200b\x1c\x7f é \U0001f600 \"'; DROP TABLE user_reviews; -- 映画"
    database.run([user(text=odd)])
    assert database.all(UserReview)[0].text == odd


def test_a_long_text_can_be_stored(database):
    database.run([user(text="映画 " * 1_000_000)])
    assert database.all(UserReview)[0].text == "映画 " * 1_000_000


@pytest.mark.parametrize("year", [1, 1583, 9999])
def test_any_day_that_python_knows_can_be_stored(database, year):
    met = user(date=dt.date(year, 1, 1), edited_at=dt.datetime(year, 6, 1, 12, 30, 59, tzinfo=dt.UTC))
    database.run([met])
    assert database.all(UserReview) == [met]


def test_times_of_other_zones_are_stored_as_utc(database):
    east = dt.timezone(dt.timedelta(hours=9))
    database.run([user(captured_at=THEN.astimezone(east).replace(microsecond=999_999))])
    [stored] = database.all(UserReview)
    assert (stored.captured_at, stored.captured_at.tzinfo) == (THEN, dt.UTC)


def test_nothing_false_and_zero_are_three_things(database):
    met = [
        user(key=f"her/{number}", score=score, spoiler=spoiler, text=text)
        for number, (score, spoiler, text) in enumerate([(None, None, None), (0, False, "")])
    ]
    database.run(met)
    assert database.all(UserReview) == met


def test_the_largest_number_can_be_stored(database):
    database.run([user(total_votes=2**63 - 1)])
    assert database.all(UserReview)[0].total_votes == 2**63 - 1


def test_records_are_read_in_the_order_of_their_keys(database):
    keys = [
        "her/b",
        "her/B",
        "her/a/1",
        "her/a",
        "her/é",
        "her/Z",
        "her/a b",
        "her/a-b",
        "her/\uffee",
        "her/\U0001f600",
    ]
    database.run([user(key=key) for key in keys])
    assert [review.key for review in database.all(UserReview)] == sorted(keys, key=str.encode)


def test_many_records_are_read_and_counted(database):
    met = [user(key=f"her/{number:05}", review_id=str(number)) for number in range(2500)]
    database.run(*(met[start : start + 200] for start in range(0, len(met), 200)))
    assert database.all(UserReview) == met
    with database.engine.connect() as connection:
        assert reading.count(connection, UserReview) == 2500


# --- Two reviews under one key

TWO_USERS = (user(OLD_ID), user(OTHER_OLD_ID))
TWO_NEW_USERS = (user(NEW_ID), user(OTHER_NEW_ID))
TWO_CRITICS = (critic("https://a.example"), critic("https://b.example", excerpt="Another."))
TWO_IN_PRINT = (critic(None, excerpt="One."), critic(None, excerpt="Other."))
PAIRS = [TWO_USERS, TWO_NEW_USERS, TWO_CRITICS, TWO_IN_PRINT]


def saying(database, kind):
    """What the stored reviews say, by key."""
    return {row.key: (row.text if kind is UserReview else row.excerpt) for row in database.all(kind)}


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "in two batches"])
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
def test_two_reviews_under_one_key_are_both_kept(database, pair, flipped, apart):
    first, second = reversed(pair) if flipped else pair
    counts = database.run(*([[first], [second]] if apart else [[first, second]]))
    stored = database.all(type(first))
    assert counts == {"new": 2}
    assert stored[0] == first
    assert stored[1].key.startswith(f"{first.key}/")
    assert len(stored[1].key) == len(first.key) + len("/01234567")
    assert list(saying(database, type(first)).values()) == [saying_of(record) for record in (first, second)]


def saying_of(record):
    return record.text if isinstance(record, UserReview) else record.excerpt


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
def test_a_second_run_adds_no_third_review_and_swaps_none(database, pair, flipped):
    database.run(list(pair))
    before = saying(database, type(pair[0]))
    counts = database.run(*([record] for record in (reversed(pair) if flipped else pair)))
    assert counts == {"unchanged": 2}
    assert saying(database, type(pair[0])) == before


REVIEWS = {review_id: f"What {review_id} says." for review_id in (OLD_ID, OTHER_OLD_ID, THIRD_OLD_ID)}
RUNS = st.lists(st.permutations(sorted(REVIEWS)), min_size=2, max_size=4)
# Each example begins with no review in the database.
ONE_DATABASE = [HealthCheck.function_scoped_fixture]


@given(RUNS, st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=ONE_DATABASE)
def test_reviews_under_one_key_stay_where_they_are_in_whatever_order_the_runs_meet_them(database, orders, in_one_batch):
    database.forget()
    stored = []
    for order in orders:
        met = [user(review_id) for review_id in order]
        database.run(*([met] if in_one_batch else [[review] for review in met]))
        stored.append(texts(database))
    assert sorted(stored[0].values()) == sorted(REVIEWS.values())
    assert all(one == other for one, other in itertools.pairwise(stored))


@given(st.lists(st.lists(st.sampled_from(sorted(REVIEWS)), min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=ONE_DATABASE)
def test_every_review_that_a_run_meets_is_stored_once_after_it(database, met_by_run):
    database.forget()
    for met in met_by_run:
        database.run(*([user(review_id)] for review_id in met))
        stored = [review.review_id for review in database.all(UserReview)]
        assert set(met) <= set(stored)
        assert len(stored) == len(set(stored))


def test_an_edit_of_the_later_review_updates_the_later_row(database):
    database.run(list(TWO_USERS))
    edited = user(OTHER_OLD_ID, text="Better now.")
    assert database.run([edited, user(OLD_ID)]) == {"changed": 1, "unchanged": 1}
    assert list(texts(database).values()) == [f"What {OLD_ID} says.", "Better now."]


@pytest.mark.parametrize(("before", "after"), [(OLD_ID, OTHER_OLD_ID), (NEW_ID, OTHER_NEW_ID)])
def test_a_review_that_replaces_another_in_a_later_run_updates_its_row(database, before, after):
    database.run([user(before)])
    assert database.run([user(after)]) == {"changed": 1}
    assert database.all(UserReview) == [user(after)]


@pytest.mark.parametrize(("before", "after"), [(OLD_ID, NEW_ID), (NEW_ID, OLD_ID)])
def test_ids_of_different_kinds_are_one_review(database, before, after):
    database.run([user(before)])
    assert database.run([user(after)]) == {"changed": 1}
    assert len(database.all(UserReview)) == 1


def test_ids_of_different_kinds_are_one_review_in_one_run(database):
    database.run([user(OLD_ID), user(NEW_ID)])
    assert len(database.all(UserReview)) == 1


def test_a_print_reviews_new_passage_in_a_later_run_updates_its_row(database):
    database.run([critic(None, excerpt="One.")])
    assert database.run([critic(None, excerpt="Other.")]) == {"changed": 1}
    assert len(database.all(CriticReview)) == 1


def test_a_review_met_with_and_without_its_link_is_one_review(database):
    database.run([critic("https://a.example"), critic(None)])
    assert len(database.all(CriticReview)) == 1


# --- Runs


def test_a_run_counts_the_records_that_it_met_whether_or_not_they_changed(database):
    database.run([film(), critic(), user(), user(key="her/Bob")])
    database.run([film(), user()])
    assert database.met(1) == {"film": 1, "critic review": 1, "user review": 2}
    assert database.met(2) == {"film": 1, "critic review": 0, "user review": 1}


def test_a_record_met_twice_is_counted_once(database):
    database.run([film(), user()], [user(score=9)], [film(), user()])
    assert database.met(1) == {"film": 1, "critic review": 0, "user review": 1}


def test_a_review_of_a_run_that_was_cut_short_is_kept_beside_another_under_its_key(database):
    """One run meets the first of two, another run meets it again, and the first one goes on to the second."""
    with database.engine.begin() as connection:
        first = begin(connection, "cut short")
        records.save(connection, first, [user(OLD_ID)])
    database.run([user(OLD_ID)])
    with database.engine.begin() as connection:
        records.save(connection, first, [user(OTHER_OLD_ID)])
    assert {review.review_id for review in database.all(UserReview)} == {OLD_ID, OTHER_OLD_ID}


def test_runs_are_noted_with_what_they_were_asked_and_how_they_ended(database):
    with database.engine.begin() as connection:
        ids = [begin(connection, f"film-{number}") for number in range(3)]
        runs.finish(connection, ids[1], Outcome.PARTIAL, "a page is missing")
    with database.engine.connect() as connection:
        stored = connection.execute(runs.RUNS.select().order_by(runs.RUNS.c.id)).all()
    assert ids == sorted(set(ids))
    assert [row.arguments for row in stored] == [{"movie": f"film-{number}"} for number in range(3)]
    assert [(row.outcome, row.message) for row in stored] == [
        *((None, None), ("partial", "a page is missing"), (None, None))
    ]
    assert stored[0].finished_at is None
    assert stored[1].started_at <= stored[1].finished_at
    assert stored[1].finished_at.tzinfo is dt.UTC


# --- Saved pages come in any order


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_of_two_pages_of_one_crawl_the_newer_counts(database, order):
    pages = [user(score=3, text="As it was.", captured_at=THEN), user(score=9, text="As it is.", captured_at=LATER)]
    database.run(*([pages[number]] for number in order))
    [review] = database.all(UserReview)
    assert (review.score, review.text, review.captured_at) == (9, "As it is.", LATER)
