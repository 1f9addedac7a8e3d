import copy
import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metacrawl.demo.archived import REACH, chosen_at, expected_at, expected_series, good
from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.demo.history import GROWN, as_of, design_of
from metacrawl.demo.snapshots import Capture, Snapshots, surt
from metacrawl.demo.truth import expected_records
from metacrawl.demo.visits import APART, EARLY, ENDED, HOLE, NEVER, OUT_OF_REACH, snapshots
from metacrawl.items import CriticReview, Movie, UserReview

WORLD = build_world()
DAYS = st.dates(dt.date(1997, 1, 1), dt.date(2027, 12, 31))


@pytest.fixture(scope="module")
def archive() -> Snapshots:
    return snapshots(WORLD)


def noon(year: int, month: int = 7, day: int = 1) -> dt.datetime:
    return dt.datetime(year, month, day, 12, tzinfo=dt.UTC)


class TestTheSiteAsItWas:
    def test_ends_as_the_world_is(self):
        assert as_of(WORLD, GROWN) == as_of(WORLD, dt.date(2100, 1, 1)) == WORLD

    def test_leaves_the_world_alone(self):
        world = build_world()
        before = copy.deepcopy(world)
        as_of(world, dt.date(2012, 1, 1)).film("the-salt-orchard").critic_reviews.clear()
        assert world == before

    @settings(max_examples=40, deadline=None)
    @given(DAYS, DAYS)
    def test_only_grows(self, one, other):
        earlier, later = (as_of(WORLD, day) for day in sorted((one, other)))
        for film in earlier.films:
            then = later.film(film.slug)
            assert not {id(piece) for piece in film.critic_reviews} - {id(piece) for piece in then.critic_reviews}
            assert not {id(post) for post in film.user_reviews} - {id(post) for post in then.user_reviews}
            assert film.ratings.positive <= then.ratings.positive
            assert film.ratings.mixed <= then.ratings.mixed
            assert film.ratings.negative <= then.ratings.negative
            assert film.user_score is None or then.user_score is not None
            assert film.metascore is None or then.metascore is not None

    @settings(max_examples=40, deadline=None)
    @given(DAYS)
    def test_has_nothing_from_its_future(self, day):
        for film in as_of(WORLD, day).films:
            final = WORLD.film(film.slug)
            assert all(review.date <= day for review in film.critic_reviews + film.user_reviews if review.date)
            assert film.metascore is None or len([1 for piece in film.critic_reviews if piece.score is not None]) >= 4
            assert (film.user_score is None) is (film.ratings.total == 0)
            assert film.user_score is None or film.user_reviews
            assert film.ratings.total <= final.ratings.total
            assert film.must_see <= final.must_see

    def test_scores_move_until_all_are_there(self):
        days = [dt.date(2011, 9, 20) + dt.timedelta(days) for days in range(0, 60, 2)]
        scores = [as_of(WORLD, day).film("the-salt-orchard").metascore for day in days]
        assert scores[0] is None
        assert len(set(scores)) > 3
        assert scores[-1] == WORLD.film("the-salt-orchard").metascore
        users = {as_of(WORLD, dt.date(year, 1, 1)).film("juniper-county-line").user_score for year in range(2011, 2027)}
        assert len(users) > 1

    def test_undated_reviews_are_there_from_the_release(self):
        film = WORLD.film("a-quiet-ledger")
        before = as_of(WORLD, film.release_date - dt.timedelta(1)).film(film.slug)
        assert (before.critic_reviews, before.metascore) == ([], None)
        assert as_of(WORLD, film.release_date).film(film.slug).critic_reviews == film.critic_reviews

    def test_films_come_when_they_are_announced(self):
        assert "kettle-song" not in {film.slug for film in as_of(WORLD, dt.date(2015, 1, 1)).films}
        early = as_of(WORLD, dt.date(2015, 6, 1)).film("kettle-song")
        assert (early.metascore, early.user_score, early.must_see, early.ratings.total) == (None, None, False, 0)

    @pytest.mark.parametrize(
        ("day", "design"),
        [
            (dt.date(2011, 1, 1), "2010"),
            (dt.date(2016, 11, 19), "2010"),
            (dt.date(2016, 11, 20), "2016"),
            (dt.date(2023, 9, 13), "2016"),
            (dt.date(2023, 9, 14), "2023"),
            (dt.date(2026, 2, 20), "2026"),
            (dt.date(2030, 1, 1), "2026"),
        ],
    )
    def test_designs_change_on_their_days(self, day, design):
        assert design_of(day) == design


class TestCaptures:
    def test_are_the_same_each_time(self, archive):
        assert archive.captures == snapshots(build_world()).captures

    def test_have_a_time_of_their_own_at_each_url(self, archive):
        assert len({(capture.urlkey, capture.timestamp) for capture in archive.captures}) == len(archive.captures)

    def test_are_of_all_kinds(self, archive):
        assert {capture.shows for capture in archive.captures} == {
            *("page", "again", "moved", "missing", "unavailable", "apology")
        }
        assert {capture.design for capture in archive.captures} == {"2010", "2016", "2023", "2026"}
        assert {capture.time.year for capture in archive.captures} == set(range(2011, 2027))
        originals = [capture.original for capture in archive.captures]
        for part in (
            "http://www.",
            "https://www.",
            "http://metacritic",
            ":80/",
            "/details/",
            "sort-by=date",
            "?page=0",
        ):
            assert any(part in original for original in originals), part

    def test_each_page_can_be_rendered(self, archive):
        for slug in (HOLE, EARLY, "who-the-%-is-ada-marrow", "glass-meridian", "unfinished-weather"):
            assert all(archive.body(capture) for capture in archive.of(slug)[::3] if capture.shows != "moved")

    def test_repeats_have_the_digest_of_the_page_before(self, archive):
        repeats = [capture for capture in archive.captures if capture.shows == "again"][::20]
        assert repeats
        for repeat in repeats:
            firsts = [page for page in archive.at(repeat.original) if page.shows == "page" and page.time < repeat.time]
            assert archive.digest(firsts[-1]) == archive.digest(repeat)

    def test_show_the_site_of_their_day(self, archive):
        first, *_, last = (page for page in good(archive, "the-salt-orchard") if page.kind == "movie")
        then = as_of(WORLD, first.time.date())
        assert archive.body(first).decode() == designs(then)[first.design].answer("/movie/the-salt-orchard", {})
        assert archive.digest(first) != archive.digest(last)

    def test_single_films_have_their_traps(self, archive):
        assert not archive.of(NEVER)
        assert {capture.time.year for capture in archive.of(ENDED)} == {2011, 2012}
        hole = {capture.page for capture in archive.of(HOLE) if capture.kind == "user-reviews"}
        assert hole == {0, 2}
        assert all(
            capture.location == f"{capture.original.rpartition('/')[0]}/the-cartographers-daughter"
            for capture in archive.of("the-mapmakers-daughter")
            if not capture.original.endswith("/")
        )
        assert archive.of("the-mapmakers-daughter")

    @pytest.mark.parametrize(
        "url",
        [
            "http://www.metacritic.com/movie/her/user-reviews?page=1",
            "https://metacritic.com:443/movie/Her/user-reviews/?page=1",
            "www.metacritic.com/movie/her/user-reviews?page=1",
        ],
    )
    def test_spellings_of_a_url_have_one_key(self, url):
        assert surt(url) == "com,metacritic)/movie/her/user-reviews?page=1"

    def test_percent_signs_in_keys(self):
        assert surt("metacritic.com/movie/who-the-%25-is") == surt("metacritic.com/movie/who-the-%-is")


class TestTruthAtATime:
    def test_of_a_film_of_one_visit(self, archive):
        records = expected_at(WORLD, archive, "winter-ferry", noon(2019))
        movie, reviews = records[0], records[1:]
        then = as_of(WORLD, movie.captured_at.date())
        assert records[0].layout == "2016"
        assert abs(movie.captured_at - noon(2019)) < dt.timedelta(300)
        expected = expected_records(replace(then, films=[then.film("winter-ferry")]), "2016")
        assert replace(movie, captured_at=None) == expected[0]
        assert {record.key for record in reviews} == {record.key for record in expected[1:]}

    def test_of_the_past_has_fewer_reviews(self, archive):
        old, new = (expected_at(WORLD, archive, "winter-ferry", noon(year)) for year in (2014, 2022))
        assert len(old) < len(new)
        assert old[0].user_rating_count != new[0].user_rating_count

    def test_without_a_capture_is_empty(self, archive):
        assert expected_at(WORLD, archive, NEVER, noon(2015)) == []

    def test_of_a_page_that_is_missing_in_the_middle(self, archive):
        posts = WORLD.film(HOLE).user_reviews
        found = [record for record in expected_at(WORLD, archive, HOLE, noon(2019)) if isinstance(record, UserReview)]
        assert [record.author for record in found] == [post.author for post in posts[:100] + posts[200:]]

    def test_of_pages_that_are_out_of_reach(self, archive):
        reviews = expected_at(WORLD, archive, OUT_OF_REACH, noon(2018))
        assert len([record for record in reviews if isinstance(record, CriticReview)]) == 7
        assert len(WORLD.film(OUT_OF_REACH).critic_reviews) > 7

    def test_before_the_release(self, archive):
        movie, *reviews = expected_at(WORLD, archive, EARLY, noon(2011))
        assert (movie.metascore, movie.user_score, movie.user_rating_count, reviews) == (None, None, None, [])

    def test_pages_are_chosen_as_the_policy_says(self, archive):
        for film in WORLD.films:
            for year in range(2011, 2027, 2) if film.slug != NEVER else ():
                chosen = chosen_at(archive, film.slug, noon(year))
                assert len({(page.kind, page.page) for page in chosen}) == len(chosen)
                assert len({page.design for page in chosen}) <= 1
                assert all(abs(page.time - chosen[0].time) <= REACH for page in chosen)
        film, *_, users = chosen_at(archive, APART, noon(2019))
        assert users.kind == "user-reviews"
        assert dt.timedelta(days=10) < users.time - film.time <= dt.timedelta(days=90)

    def test_of_two_as_near_the_earlier_is_taken(self):
        url = "http://www.metacritic.com/movie/nightjar"
        first, last = (Capture(time=noon(2014, 7, day), original=url, slug="nightjar", kind="movie") for day in (1, 3))
        assert chosen_at(Snapshots(WORLD, [last, first]), "nightjar", noon(2014, 7, 2)) == [first]

    def test_error_pages_are_passed_over(self, archive):
        apologies = [capture for capture in archive.captures if capture.shows == "apology"]
        assert all(capture.status == "200" and capture.mimetype == "text/html" for capture in apologies)
        for capture in apologies[::10]:
            assert chosen_at(archive, capture.slug, capture.time)[0].shows == "page"

    def test_pages_of_one_choice_agree_on_what_has_a_score(self, archive):
        """Else the film's record would depend on how its parts are merged."""
        for film in WORLD.films:
            for page in good(archive, film.slug):
                if page.kind == "movie":
                    days = {other.time.date() for other in chosen_at(archive, film.slug, page.time)}
                    films = [as_of(WORLD, day).film(film.slug) for day in days]
                    assert len({(then.metascore is None, then.user_score is None) for then in films}) == 1

    def test_every_review_stands_on_a_page_of_its_day(self, archive):
        """Holds the truth against the text of the pages, which the truth does not look at."""
        for year in (2016, 2019, 2024, 2026):
            chosen = chosen_at(archive, "winter-ferry", noon(year))
            text = "".join(archive.body(page).decode() for page in chosen)
            records = expected_at(WORLD, archive, "winter-ferry", noon(year))
            users = [record.author for record in records if isinstance(record, UserReview)]
            assert len(users) > 30
            assert [author for author in users if author not in text] == []


class TestTruthOfASeries:
    def test_one_record_for_each_content(self, archive):
        series = expected_series(WORLD, archive, "paper-tides", noon(2012), noon(2026))
        times = [movie.captured_at for movie in series]
        assert times == sorted(times)
        assert {type(movie) for movie in series} == {Movie}
        assert {movie.layout for movie in series} >= {"2010", "2016", "2023"}
        assert len({(movie.user_score, movie.user_rating_count) for movie in series}) > 5
        captures = [page for page in good(archive, "paper-tides") if page.kind == "movie"]
        assert len(series) == len({archive.digest(page) for page in captures if noon(2012) <= page.time <= noon(2026)})
        assert len(series) < len(captures)

    def test_has_not_what_the_details_page_says(self, archive):
        series = expected_series(WORLD, archive, "paper-tides", noon(2017), noon(2020))
        assert WORLD.film("paper-tides").countries
        assert {(len(movie.countries), len(movie.writers), movie.official_site) for movie in series} == {(0, 0, None)}
        assert all(movie.directors and movie.distributors for movie in series)
