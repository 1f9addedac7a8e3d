"""What is true of the demo site in each layout; no page is looked at."""

import datetime as dt
from dataclasses import fields, replace

import pytest

from metacrawl.demo.compare import differences
from metacrawl.demo.content import build_world
from metacrawl.demo.truth import expected_records
from metacrawl.items import Award, CriticReview, Movie, UserReview

LAYOUTS = ("2010", "2016", "2023", "2026", "api")
SINCE_2023 = ("2023", "2026", "api")
NEVER_SINCE_2023 = {"home_release_date", "countries", "languages", "rankings"}
NEVER = {
    "2010": {
        "imdb_id", "release_year", "home_release_date", "must_see", "tagline", "countries", "languages",
        "production_companies", "writers", "rankings", "awards", "official_site",
    },
    "2016": {"imdb_id", "tagline", "awards"},
    "2023": NEVER_SINCE_2023,
    "2026": NEVER_SINCE_2023,
    "api": NEVER_SINCE_2023,
}  # fmt: skip


@pytest.fixture(scope="module")
def truths(world):
    return {layout: {record.key: record for record in expected_records(world, layout)} for layout in LAYOUTS}


def of_type(records, kind):
    return [record for record in records.values() if type(record) is kind]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_record_is_there_once(truths, world, layout):
    count = len(world.films) + world.critic_review_count + world.user_review_count
    assert len(truths[layout]) == len(expected_records(world, layout)) == count


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_design_cannot_give_is_nothing(truths, layout):
    movies = of_type(truths[layout], Movie)
    given = {
        field.name for field in fields(Movie) if any(getattr(movie, field.name) not in (None, []) for movie in movies)
    }
    own = {field.name for field in fields(Movie)} - {"source_url", "captured_at"}
    assert own - given == NEVER[layout]
    users = of_type(truths[layout], UserReview)
    assert all((user.edited_at is None) == (layout not in SINCE_2023) for user in users)
    assert all((user.total_votes is None) == (layout in SINCE_2023) for user in users)


def test_layout_of_reviews_is_open_where_two_sources_give_them(truths):
    for layout, records in truths.items():
        assert {movie.layout for movie in of_type(records, Movie)} == {layout}
        expected = "" if layout in {"2023", "2026"} else layout
        assert {review.layout for review in of_type(records, CriticReview)} == {expected}


def test_keys_of_critics_and_accounts_are_the_same_in_all_designs(truths, world):
    for layout in LAYOUTS:
        critics = {review.key for review in of_type(truths[layout], CriticReview)}
        assert critics == {review.key for review in of_type(truths["2016"], CriticReview)}
        accounts = {f"{film.slug}/{post.author}" for film in world.films for post in film.user_reviews if post.account}
        assert accounts <= set(truths[layout])


def test_names_alone_tell_accounts_since_2023(truths, world):
    film = world.film("nightjar")
    plain = next(post for post in film.user_reviews if not post.account and post.author.isalnum())
    twice = [post for post in film.user_reviews if post.author == "Anonymous T."]
    for layout in SINCE_2023:
        assert f"nightjar/{plain.author}" in truths[layout]
        assert {f"nightjar/Anonymous T./{post.uuid}" for post in twice} <= set(truths[layout])
    assert f"nightjar/{plain.author}/{plain.review_id}" in truths["2010"]
    masked = world.film("glass-meridian").user_reviews[1]
    assert truths["api"][f"glass-meridian/AnonymousMC/{masked.uuid}"].review_id == masked.uuid
    assert f"glass-meridian/AnonymousMC/{masked.review_id}" in truths["2016"]


def test_film_of_2010(truths, world):
    movie, film = truths["2010"]["brass-ivory"], world.film("brass-ivory")
    assert movie.trailer_url == "https://www.metacritic.com/movie/brass-ivory/trailers"
    assert movie.image_url.startswith("http://static.metacritic.com/images/")
    assert [credit.role for credit in movie.cast] == [None] * len(film.principal_cast)
    assert movie.user_positive + movie.user_mixed + movie.user_negative == movie.user_rating_count
    assert truths["2010"]["a-quiet-ledger"].user_review_count is None


def test_film_since_2023(truths, world):
    film = world.film("winter-ferry")
    for layout in SINCE_2023:
        movie = truths[layout]["winter-ferry"]
        assert movie.site_id == 2_000_000_000 + film.site_id
        assert len(movie.distributors) == len(film.distributors) + 3
        assert movie.production_companies[-1] == "Gull & Daughter"
        assert movie.image_url == f"https://www.metacritic.com/a/img/catalog/provider/2/13/2-{film.picture[2:]}.jpg"
        assert len(movie.cast) <= 20
        assert {credit.role for credit in movie.directors} == {None}
        assert truths[layout]["paper-tides"].release_year == world.film("paper-tides").year - 41
    assert truths["2016"]["paper-tides"].release_year == world.film("paper-tides").year
    wins = [award for movie in of_type(truths["api"], Movie) for award in movie.awards]
    assert all(isinstance(award, Award) and award.wins <= award.nominations for award in wins)


def test_an_explicit_0_is_a_count_and_nothing_is_none(truths):
    quiet, unfinished = truths["2026"]["a-quiet-ledger"], truths["2026"]["unfinished-weather"]
    assert (quiet.user_score, quiet.user_rating_count, quiet.user_positive, quiet.user_review_count) == (None, 0, 0, 0)
    assert (unfinished.user_rating_count, unfinished.critic_review_count, unfinished.user_review_count) == (
        None,
        None,
        0,
    )
    assert (truths["2026"]["three-small-bells"].metascore, truths["2026"]["three-small-bells"].critic_review_count) == (
        None,
        3,
    )


def test_badge_is_said_for_each_film_in_2023_only(truths):
    for layout, values in {"2010": {None}, "2016": {True, None}, "2023": {True, False}, "2026": {True, None}}.items():
        assert {movie.must_see for movie in of_type(truths[layout], Movie)} == values


def test_edits_are_told_to_the_second(truths, world):
    post = world.film("glass-meridian").user_reviews[0]
    edited = truths["2026"][f"glass-meridian/{post.author}"].edited_at
    assert edited.tzinfo is dt.UTC
    assert edited.microsecond == 0
    assert edited.date() == post.date + dt.timedelta(days=3000)


def test_texts_do_not_depend_on_the_design(truths, world):
    texts = {
        layout: sorted(review.text or "" for review in of_type(records, UserReview))
        for layout, records in truths.items()
    }
    assert all(found == texts["2016"] for found in texts.values())


def test_truth_follows_a_change():
    world = build_world()
    world.film("nightjar").tagline = "Changed."
    assert next(iter(expected_records(world, "api"))).tagline != "Changed."
    assert {record.key: record for record in expected_records(world, "api")}["nightjar"].tagline == "Changed."


def test_comparison_leaves_an_open_layout_open(world):
    expected = expected_records(world, "2026")
    found = [replace(record, layout=record.layout or "api") for record in expected]
    assert not list(differences(expected, found))
    found[0] = replace(found[0], layout="api")
    assert list(differences(expected, found)) == [f"Movie {found[0].key}: layout is 'api', not '2026'"]
