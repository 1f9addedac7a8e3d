import datetime as dt
import doctest
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metacrawl import keys
from metacrawl.items import CriticReview, Movie, UserReview, iso_timestamp
from metacrawl.keys import clash_key, critic_review_key, identity, plain_key, same_review, user_review_key

OLD_ID, OTHER_OLD_ID = "1234567", "7654321"
NEW_ID, OTHER_NEW_ID = "0a5c1d9e-6b7f-4c3a-9f1e-2d8b7a6c5e4f", "ffffffff-6b7f-4c3a-9f1e-2d8b7a6c5e4f"
NAMES = st.none() | st.text(min_size=1, max_size=12)


def test_the_examples_in_the_docstrings_are_true():
    results = doctest.testmod(keys)
    assert results.attempted
    assert results.failed == 0


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"publication_slug": "the-paper", "critic_slug": "a-critic"}, "her/the-paper/a-critic"),
        (
            {"publication": "Paper", "publication_slug": "the-paper", "critic": "Critic", "critic_slug": "a-critic"},
            "her/the-paper/a-critic",
        ),
        ({"publication_slug": "gamesradar+", "critic": "A Critic"}, "her/gamesradar+/a-critic"),
        ({"publication": "The Paper (Online)", "critic": "V.A. O'Critic"}, "her/the-paper-online/v-a-o-critic"),
        ({"publication": "Télérama", "critic": "Åsa Ñandú"}, "her/télérama/åsa-ñandú"),
        ({"publication": "映画 評論", "critic": "Јован"}, "her/映画-評論/јован"),
        ({"publication": "__Paper--", "critic": "...A_B..."}, "her/paper/a-b"),
        ({"publication": "Paper 2"}, "her/paper-2/-"),
        ({"critic": "A Critic"}, "her/-/a-critic"),
        ({"publication": "!!!", "critic": "?"}, "her/-/-"),
        ({"publication": "", "critic": ""}, "her/-/-"),
        ({}, "her/-/-"),
    ],
)
def test_a_critic_review_is_known_by_film_publication_and_critic(fields, key):
    assert critic_review_key(CriticReview(movie_slug="her", **fields)) == key


def test_a_made_slug_stands_in_the_key_only():
    review = CriticReview(movie_slug="her", publication="The Paper", critic="A Critic")
    critic_review_key(review)
    assert (review.publication_slug, review.critic_slug) == (None, None)


@given(NAMES, NAMES)
@settings(max_examples=200, deadline=None)
def test_whatever_the_names_are_a_critic_reviews_key_has_three_parts(publication, critic):
    key = critic_review_key(CriticReview(movie_slug="her", publication=publication, critic=critic))
    film, *made = key.split("/")
    assert film == "her"
    assert len(made) == 2
    for slug in made:
        assert slug == "-" or re.fullmatch(r"[^\W_]+(-[^\W_]+)*", slug)


def test_what_may_be_edited_is_no_part_of_a_critic_reviews_key():
    before = CriticReview(movie_slug="her", publication_slug="p", critic_slug="c", score=50, excerpt="Fine.")
    after = CriticReview(
        movie_slug="her",
        publication_slug="p",
        critic_slug="c",
        publication="P",
        score=60,
        excerpt="Good.",
        date=dt.date(2014, 1, 9),
        full_review_url="https://example.com/review",
    )
    assert critic_review_key(before) == critic_review_key(after)


@pytest.mark.parametrize("review_id", [None, OLD_ID, NEW_ID])
def test_an_account_writes_one_review_of_a_film_whatever_its_id(review_id):
    review = UserReview(movie_slug="her", author="SomeOne", review_id=review_id)
    assert user_review_key(review, account=True) == "her/SomeOne"


def test_an_authors_case_is_kept():
    keys = {user_review_key(UserReview(movie_slug="her", author=name), account=True) for name in ("Ann", "ANN", "ann")}
    assert len(keys) == 3


def test_an_author_without_an_account_may_write_twice():
    first, second = (
        UserReview(movie_slug="her", author="AnonymousMC", review_id=review_id) for review_id in (OLD_ID, OTHER_OLD_ID)
    )
    assert user_review_key(first, account=False) == f"her/AnonymousMC/{OLD_ID}"
    assert user_review_key(second, account=False) == f"her/AnonymousMC/{OTHER_OLD_ID}"


@pytest.mark.parametrize(
    ("fields", "account"),
    [
        ({"movie_slug": "her"}, True),
        ({"movie_slug": "her", "author": ""}, True),
        ({"author": "Ann"}, True),
        ({"movie_slug": "her", "author": "Ann"}, False),
        ({"movie_slug": "her", "review_id": OLD_ID}, False),
    ],
)
def test_a_user_review_without_what_its_key_is_made_of_has_none(fields, account):
    assert user_review_key(UserReview(**fields), account=account) == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        # ids of one kind decide
        ((OLD_ID, None), (OLD_ID, None), True),
        ((OLD_ID, None), (OTHER_OLD_ID, None), False),
        ((NEW_ID, None), (NEW_ID, None), True),
        ((NEW_ID, None), (OTHER_NEW_ID, None), False),
        # ids of different kinds, or none, say nothing
        ((OLD_ID, None), (NEW_ID, None), True),
        ((OLD_ID, None), (None, None), True),
        ((None, None), (None, None), True),
        # links decide, whatever the passage
        (("https://a.example", "One."), ("https://a.example", "Other."), True),
        (("https://a.example", "One."), ("https://b.example", "One."), False),
        # without a link the passage does
        ((None, "One."), (None, "One."), True),
        ((None, "One."), (None, "Other."), False),
        (("https://a.example", "One."), (None, "One."), True),
        (("https://a.example", "One."), (None, "Other."), False),
        ((None, None), (None, "One."), False),
    ],
)
def test_reviews_under_one_key_are_told_apart(one, other, same):
    assert same_review(one, other) is same
    assert same_review(other, one) is same


def test_what_tells_reviews_apart_is_the_id_or_the_link_and_the_passage():
    assert identity(UserReview(review_id=OLD_ID, text="x")) == (OLD_ID, None)
    assert identity(CriticReview(full_review_url="https://a.example", excerpt="One.")) == ("https://a.example", "One.")
    assert identity(Movie(slug="her")) == identity(Movie(slug="moonlight"))


@given(
    st.text(max_size=20),
    st.builds(UserReview, review_id=st.none() | st.text(max_size=10))
    | st.builds(CriticReview, full_review_url=NAMES, excerpt=NAMES),
)
@settings(max_examples=200, deadline=None)
def test_the_key_for_a_clash_is_the_plain_one_and_eight_digits(key, record):
    record.key = key
    plain, clash = plain_key(record), clash_key(record)
    assert re.fullmatch(re.escape(plain) + "/[0-9a-f]{8}", clash)
    record.key = clash
    assert (plain_key(record), clash_key(record)) == (plain, clash)


def test_two_reviews_in_a_clash_get_different_keys():
    reviews = [UserReview(key="her/Ann", review_id=review_id) for review_id in (OLD_ID, OTHER_OLD_ID, NEW_ID)]
    assert len({clash_key(review) for review in reviews}) == 3
    critics = [CriticReview(key="her/p/c", full_review_url=url, excerpt="x") for url in ("https://a.example", None)]
    assert len({clash_key(review) for review in critics}) == 2


def test_an_edit_does_not_move_a_review_in_a_clash():
    before = UserReview(key="her/Ann", review_id=OLD_ID, text="Fine.", score=5)
    after = UserReview(key="her/Ann", review_id=OLD_ID, text="Good.", score=8)
    assert clash_key(before) == clash_key(after)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (dt.datetime(2017, 7, 16, 12, 0, 5, tzinfo=dt.UTC), "2017-07-16T12:00:05Z"),
        (dt.datetime(2017, 7, 16, 1, 0, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2017-07-15T23:00:00Z"),
        (dt.datetime(2017, 7, 16, 12, 0, 5, 999_999, tzinfo=dt.UTC), "2017-07-16T12:00:05Z"),
    ],
)
def test_timestamps_are_written_in_utc_to_the_second(value, written):
    assert iso_timestamp(value) == written


def test_records_do_not_share_their_lists():
    Movie().genres.append("Drama")
    assert Movie().genres == []
