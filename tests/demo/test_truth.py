import datetime as dt

import pytest

from metacrawl.demo.content import build_world
from metacrawl.demo.truth import expected_records, plain_text
from metacrawl.items import CriticReview, Movie, UserReview


@pytest.fixture(scope="module")
def truth(world):
    return {record.key: record for record in expected_records(world)}


def test_each_record_has_a_key_of_its_own(world, truth):
    records = expected_records(world)
    assert len(records) == len(truth) == len(world.films) + world.critic_review_count + world.user_review_count
    assert all(record.key and record.layout == "2016" and record.captured_at is None for record in records)
    assert {type(record) for record in records} == {Movie, CriticReview, UserReview}


def test_film_of_all_pages(world, truth):
    film, movie = world.film("brass-ivory"), truth["brass-ivory"]
    assert movie.title == "Brass & Ivory"
    assert movie.url == "https://www.metacritic.com/movie/brass-ivory"
    assert movie.trailer_url == f"{movie.url}/trailers/{film.trailer_id}"
    assert movie.home_release_date == dt.date(2016, 3, 8)
    assert movie.languages == ["English", "Gaelic"]
    assert len(movie.directors) == len(movie.distributors) == 2
    # somebody both in the principal cast and in the cast counts once
    assert len(movie.cast) == len(film.principal_cast) + len(film.cast) - 1
    assert movie.cast[len(film.principal_cast)].slug is None
    assert movie.user_rating_count == movie.user_positive + movie.user_mixed + movie.user_negative
    assert movie.must_see is True


def test_film_without_user_score(truth):
    movie = truth["a-quiet-ledger"]
    assert movie.metascore is not None
    users = (movie.user_score, movie.user_rating_count, movie.user_positive, movie.user_review_count)
    assert users == (None, None, None, None)
    assert movie.must_see is None


def test_film_without_any_review(truth):
    movie = truth["unfinished-weather"]
    assert (movie.metascore, movie.critic_review_count, movie.critic_positive) == (None, None, None)
    assert (movie.release_date, movie.summary, movie.distributors) == (None, None, [])
    assert movie.site_id is not None


def test_film_whose_details_page_is_bare_keeps_the_credits_of_its_page(truth):
    movie = truth["low-road-to-velmont"]
    assert {credit.role for credit in movie.directors + movie.cast} == {None}
    assert (movie.writers, movie.countries, movie.official_site, movie.trailer_url) == ([], [], None, None)
    assert movie.runtime_minutes


def test_unscored_reviews_are_not_behind_the_metascore(world, truth):
    assert truth["tin-orchestra"].critic_review_count == len(world.film("tin-orchestra").critic_reviews) - 2


def test_two_reviews_under_one_key_are_two_records(truth):
    wire = [record for key, record in truth.items() if key.startswith("tin-orchestra/wire-service-halden/-")]
    assert [record.excerpt for record in wire] == [
        "Unsigned notice, number 1 of two.",
        "Unsigned notice, number 2 of two.",
    ]
    assert wire[0].key == "tin-orchestra/wire-service-halden/-"
    assert wire[1].key.startswith("tin-orchestra/wire-service-halden/-/")


def test_users_without_account_have_their_id_in_the_key(truth):
    twice = [record for record in truth.values() if getattr(record, "author", None) == "Anonymous T."]
    assert [record.key for record in twice] == [f"nightjar/Anonymous T./{record.review_id}" for record in twice]
    assert len(twice) == 2
    assert any(record.key.startswith("nightjar/Jonas O'Dell Jr./") for record in truth.values())


def test_odd_texts(world, truth):
    odd = [
        truth[f"harbour-of-strangers/{post.author}"] for post in world.film("harbour-of-strangers").user_reviews[:11]
    ]
    assert [review.text for review in odd[:4]] == [
        "tbd",
        None,
        "Tab here, two spaces, a no-break space, a wide one and a zero\u200bwidth mark\u200d.",
        "One break\nthen four\n\n\n\nand blanks around\nthe next.",
    ]
    assert "AT&amp;amp;T" in odd[5].text
    assert (odd[0].score, odd[1].score) == (10, 0)


def test_truth_follows_a_change():
    world = build_world()
    world.film("tin-orchestra").critic_reviews[0].score = 17
    records = {record.key: record for record in expected_records(world)}
    assert records["tin-orchestra"].critic_negative == 2
    assert (
        next(
            record.score
            for record in records.values()
            if isinstance(record, CriticReview) and record.movie_slug == "tin-orchestra"
        )
        == 17
    )


def test_white_space_is_tidied_as_the_contract_says():
    assert plain_text(" a\t b\u00a0\n\n c \n") == "a b\n\nc"
    assert plain_text(" \n\t") is None
    assert plain_text("\u200b \ufeff") == "\u200b \ufeff"
