import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.exceptions import DropItem
from scrapy.utils.test import get_crawler

from metacrawl.database import reading, records, runs
from metacrawl.database.connection import connect
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.pipelines.deduplicate import DeduplicatePipeline
from metacrawl.spiders.movies import MoviesSpider

THEN = dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)
LATER = dt.datetime(2017, 7, 16, 13, tzinfo=dt.UTC)
IDS = ("1234567", "7654321", "1111111")
NEW_ID = "0a5c1d9e-6b7f-4c3a-9f1e-2d8b7a6c5e4f"


@pytest.fixture
def crawler():
    return get_crawler(MoviesSpider)


@pytest.fixture
def deduplicate(crawler):
    return DeduplicatePipeline.from_crawler(crawler).process_item


def counted(crawler):
    return {name: number for name, number in crawler.stats.get_stats().items() if name.startswith("metacrawl/")}


def user(review_id=IDS[0], key="her/Ann", **fields):
    fields = {"text": f"What {review_id} says.", "source_url": "/movie/her", "captured_at": THEN} | fields
    return UserReview(key=key, movie_slug="her", author="Ann", review_id=review_id, **fields)


def critic(url="https://a.example", **fields):
    fields = {"excerpt": "A passage.", "source_url": "/movie/her", "captured_at": THEN} | fields
    return CriticReview(key="her/paper/critic", movie_slug="her", full_review_url=url, **fields)


def film(**fields):
    fields = {"source_url": "/movie/her", "captured_at": THEN} | fields
    return Movie(key="her", slug="her", **fields)


MAKERS = pytest.mark.parametrize("make", [film, critic, user])


@MAKERS
def test_what_is_new_passes_as_it_is(deduplicate, crawler, make):
    record = make()
    assert deduplicate(record) is record
    assert record == make()
    assert counted(crawler) == {}


@MAKERS
def test_the_same_met_again_elsewhere_is_dropped_and_counted(deduplicate, crawler, make):
    deduplicate(make())
    for _ in range(2):
        with pytest.raises(DropItem):
            deduplicate(make(source_url="/movie/her/details", captured_at=LATER))
    assert counted(crawler) == {f"metacrawl/{type(make()).__name__}/duplicate": 2}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (user(), user(text="Better now.")),
        (user(), user(score=8)),
        (user(), user(NEW_ID)),
        (critic(), critic(excerpt="A longer passage.")),
        (critic(), critic(score=90)),
        (critic(), critic(None)),
        (film(), film(metascore=90)),
        (film(genres=["Drama"]), film(genres=["Comedy"])),
    ],
)
def test_the_same_record_that_says_something_else_passes_under_its_key(deduplicate, crawler, one, other):
    deduplicate(replace(one))
    assert deduplicate(replace(other)) == other
    assert counted(crawler) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (user(IDS[0]), user(IDS[1])),
        (user(IDS[0], text="Same."), user(IDS[1], text="Same.")),
        (critic("https://a.example"), critic("https://b.example")),
        (critic(None, excerpt="One."), critic(None, excerpt="Other.")),
        (critic("https://a.example", excerpt="One."), critic(None, excerpt="Other.")),
    ],
)
def test_the_later_of_two_reviews_under_one_key_gets_a_key_of_its_own(deduplicate, crawler, one, other):
    assert deduplicate(replace(one)) == one
    second = deduplicate(replace(other))
    assert second.key.startswith(f"{one.key}/")
    assert replace(second, key=other.key) == other
    assert counted(crawler) == {f"metacrawl/{type(one).__name__}/same_key": 1}


def test_the_later_review_met_again_is_dropped_too(deduplicate):
    deduplicate(user(IDS[0]))
    deduplicate(user(IDS[1]))
    for review_id in IDS[:2]:
        with pytest.raises(DropItem):
            deduplicate(user(review_id))


def test_three_reviews_under_one_key_get_three_keys(deduplicate):
    assert len({deduplicate(user(review_id)).key for review_id in IDS}) == 3


def test_records_of_different_kinds_or_keys_are_different(deduplicate):
    for record in (user(), user(key="her/Bob"), critic(), replace(critic(), key="her/Ann")):
        before = replace(record)
        assert deduplicate(record) == before


def test_each_crawl_starts_anew(crawler):
    for _ in range(2):
        DeduplicatePipeline.from_crawler(crawler).process_item(user())
    assert counted(crawler) == {}


MET = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(["One.", "Other."])), min_size=1, max_size=8)


def met_once(deduplicate, review):
    try:
        return [deduplicate(review)]
    except DropItem:
        return []


@given(st.lists(MET, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_the_database_ends_with_the_last_word_of_every_review_in_whatever_order_they_come(crawls):
    engine = connect("sqlite://")
    try:
        last_word = {}
        for number, met in enumerate(crawls):
            last_word = dict(met)
            deduplicate = DeduplicatePipeline.from_crawler(get_crawler(MoviesSpider)).process_item
            batch = [kept for one in met for kept in met_once(deduplicate, user(one[0], text=one[1]))]
            with engine.begin() as connection:
                run = runs.enter(connection, f"job {number}", "movies", {})
                records.save(connection, run, batch)
            with engine.connect() as connection:
                stored = [(review.review_id, review.text) for review in reading.read(connection, UserReview)]
            assert set(last_word.items()) <= set(stored)
            assert len(dict(stored)) == len(stored)
    finally:
        engine.dispose()


def test_memory_is_bounded_and_forgets_the_oldest(deduplicate, monkeypatch):
    monkeypatch.setattr("metacrawl.pipelines.deduplicate.REMEMBERED", 2)
    for author in ("Ann", "Bob", "Cy"):
        deduplicate(user(key=f"her/{author}"))
    assert deduplicate(user(key="her/Ann")).key == "her/Ann", "forgotten, and passed on for the database to judge"
    with pytest.raises(DropItem):
        deduplicate(user(key="her/Cy"))


def test_what_a_films_page_says_at_another_time_is_news(deduplicate):
    """That nothing has changed, too: a series of captures comes in any order."""
    for captured_at in (THEN, THEN - dt.timedelta(days=90), THEN + dt.timedelta(days=90)):
        record = film(source_url="https://www.metacritic.com/movie/her", captured_at=captured_at)
        assert deduplicate(record) is record
