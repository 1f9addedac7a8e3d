"""Whole crawls of a site through the real engine."""

import json
from itertools import pairwise

import msgspec
import pytest

from metacrawl.demo.compare import differences
from metacrawl.demo.pages import Pages
from metacrawl.demo.truth import expected_records
from metacrawl.items import CriticReview, Movie, UserReview

pytestmark = pytest.mark.measured

NO_DELAY = {"DOWNLOAD_DELAY": 0}


def test_a_film_is_read_from_all_its_pages(scrapy, demo, films, stored):
    run = scrapy("crawl", "movies", "-a", films, METACRAWL_SITE_URL=demo.url, **NO_DELAY)
    assert run.returncode == 0, run.stderr
    assert list(differences(expected_records(demo.world), stored())) == []
    assert run.stdout.startswith("complete: 4 films, ")


def test_only_the_film_and_its_pages_are_asked_for(scrapy, demo):
    run = scrapy("crawl", "movies", "-a", "movie=nightjar", METACRAWL_SITE_URL=demo.url, **NO_DELAY)
    assert run.returncode == 0, run.stderr
    assert sorted(demo.requests) == [
        "/movie/nightjar",
        "/movie/nightjar/critic-reviews",
        "/movie/nightjar/details",
        "/movie/nightjar/user-reviews?sort-by=date&num_items=100",
        "/robots.txt",
    ]


def test_a_renamed_film_is_stored_under_its_present_name(scrapy, demo, stored):
    run = scrapy(*("crawl", "movies", "-a", "movie=the-mapmakers-daughter"), METACRAWL_SITE_URL=demo.url, **NO_DELAY)
    assert run.returncode == 0, run.stderr
    assert {record.key.split("/")[0] for record in stored()} == {"the-cartographers-daughter"}


def test_a_film_without_reviews_is_complete(scrapy, demo, stored):
    run = scrapy("crawl", "movies", "-a", "movie=unfinished-weather", METACRAWL_SITE_URL=demo.url, **NO_DELAY)
    assert run.returncode == 0, run.stderr
    assert [type(record) for record in stored()] == [Movie]


def test_the_same_crawl_twice_changes_nothing(scrapy, demo, films, tmp_path):
    exports = []
    for number in range(2):
        run = scrapy("crawl", "movies", "-a", films, "-a", "update=full", METACRAWL_SITE_URL=demo.url, **NO_DELAY)
        assert run.returncode == 0, run.stderr
        folder = tmp_path / f"export-{number}"
        assert scrapy("export", "--to", folder).returncode == 0
        # How long scores are known to have held is all that is new.
        files = [path for path in folder.glob("*.jsonl") if path.name != "movie_scores.jsonl"]
        exports.append({path.name: path.read_bytes() for path in files})
    assert exports[0] == exports[1]


def test_one_score_changed_on_the_site_changes_that_row_only(scrapy, demo, films, stored):
    crawl = ("crawl", "movies", "-a", films, "-a", "update=full")
    assert scrapy(*crawl, METACRAWL_SITE_URL=demo.url, **NO_DELAY).returncode == 0
    before = {(type(record), record.key): record for record in stored()}
    review = demo.world.film("nightjar").user_reviews[-1]
    review.score = 10 - review.score if review.score != 5 else 6
    assert scrapy(*crawl, METACRAWL_SITE_URL=demo.url, **NO_DELAY).returncode == 0
    after = {(type(record), record.key): record for record in stored()}
    assert before.keys() == after.keys()
    changed = [record for key, record in after.items() if record != before[key]]
    assert [(type(record), record.review_id, record.score) for record in changed] == [
        (UserReview, review.review_id, review.score)
    ]


def test_reviews_of_one_kind_only(scrapy, demo, stored):
    run = scrapy(
        *("crawl", "movies", "-a", "movie=nightjar", "-a", "reviews=critics"), METACRAWL_SITE_URL=demo.url, **NO_DELAY
    )
    assert run.returncode == 0, run.stderr
    assert {type(record) for record in stored()} == {Movie, CriticReview}
    assert not [path for path in demo.requests if "user-reviews" in path]


def test_no_reviews_at_all(scrapy, demo, stored):
    run = scrapy(
        *("crawl", "movies", "-a", "movie=nightjar", "-a", "reviews=none"), METACRAWL_SITE_URL=demo.url, **NO_DELAY
    )
    assert run.returncode == 0, run.stderr
    assert {type(record) for record in stored()} == {Movie}


def test_the_spider_of_critic_reviews_asks_for_one_page(scrapy, demo, stored):
    run = scrapy("crawl", "critic_reviews", "-a", "movie=tin-orchestra", METACRAWL_SITE_URL=demo.url, **NO_DELAY)
    assert run.returncode == 0, run.stderr
    assert demo.requests == ["/robots.txt", "/movie/tin-orchestra/critic-reviews"]
    film = demo.world.film("tin-orchestra")
    assert sum(isinstance(record, CriticReview) for record in stored()) == len(film.critic_reviews)


def test_the_limit_counts_films(scrapy, demo, films, stored):
    run = scrapy("crawl", "movies", "-a", films, "-a", "limit=2", METACRAWL_SITE_URL=demo.url, **NO_DELAY)
    assert run.returncode == 0, run.stderr
    assert {record.key for record in stored() if isinstance(record, Movie)} == {
        "nightjar",
        "the-cartographers-daughter",
    }


def test_scrapys_own_feeds_have_every_record_once_in_the_contracts_form(scrapy, demo, stored, tmp_path):
    feed = tmp_path / "feed.jsonl"
    crawl = ("crawl", "movies", "-a", "movie=tin-orchestra", "-O", feed)
    assert scrapy(*crawl, METACRAWL_SITE_URL=demo.url, **NO_DELAY).returncode == 0
    lines = [json.loads(line) for line in feed.read_text(encoding="utf-8").splitlines()]
    reviews = [line for line in lines if "movie_slug" in line]
    assert sorted(line["key"] for line in reviews) == sorted(
        record.key for record in stored() if not isinstance(record, Movie)
    )
    assert all(line["captured_at"].endswith("Z") and "T" in line["captured_at"] for line in lines)
    assert all(line["source_url"].startswith("https://www.metacritic.com/movie/tin-orchestra") for line in lines)


def test_the_contact_is_in_the_user_agent_and_robots_txt_is_obeyed(scrapy, serve):
    seen = []
    site = serve({"/robots.txt": b"User-agent: metacrawl\nDisallow: /movie/\n"})
    site.answers["/movie/her"] = lambda: seen.append("fetched") or b""
    run = scrapy("crawl", "movies", "-a", "movie=her", METACRAWL_SITE_URL=site.url, METACRAWL_CONTACT="me@example.org")
    assert (run.returncode, seen, site.requests) == (13, [], ["/robots.txt"])
    assert run.stdout.startswith("robots: ")
    assert "metacrawl/0.1.0 (+me@example.org)" in run.stderr


def test_pages_are_a_second_apart_by_the_sites_own_log(scrapy, serve, world):
    demo, film = Pages(world), world.film("nightjar")
    paths = {"": demo.movie, "/details": demo.details, "/critic-reviews": demo.critic_reviews}
    site = serve({f"/movie/nightjar{path}": page(film).encode() for path, page in paths.items()})
    run = scrapy("crawl", "movies", "-a", "movie=nightjar", "-a", "reviews=critics", METACRAWL_SITE_URL=site.url)
    assert run.returncode == 0, run.stderr
    content = [time for time, path in zip(site.times, site.requests, strict=True) if path != "/robots.txt"]
    assert len(content) == 3
    assert all(later - earlier > 0.95 for earlier, later in pairwise(content))


def test_user_reviews_are_read_page_after_page(scrapy, serve, stored, shared_pages):
    """Real pages under their own URLs; the last of 41 stands in for the third."""
    path = "/movie/star-wars-episode-viii---the-last-jedi/user-reviews?sort-by=date&num_items=100"
    page = {
        number: (shared_pages / f"2016/the-last-jedi-user-reviews-page-{number}.html").read_bytes()
        for number in (0, 1, 40)
    }
    site = serve({path: page[0], f"{path}&page=1": page[1], f"{path}&page=2": page[40]})
    film = "https://www.metacritic.com/movie/star-wars-episode-viii---the-last-jedi"
    run = scrapy("crawl", "user_reviews", "-a", f"movie={film}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 10, run.stderr
    # The paging says that there are 41 pages.
    assert run.stdout.startswith("partial: 1 of 1 film short, at least 3,747 reviews missing: star-wars-episode-viii")
    again = path.replace("sort-by=date", "sort-by=score")
    assert site.requests == ["/robots.txt", path, f"{path}&page=1", f"{path}&page=2", again]
    lines = [
        json.loads(line)
        for number in page
        for line in (shared_pages / f"2016/the-last-jedi-user-reviews-page-{number}.expected.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    ]
    expected = {line["key"]: line for line in lines if line.pop("record") == "UserReview"}
    assert len(expected) == 214
    found = {record.key: msgspec.to_builtins(record) for record in stored() if isinstance(record, UserReview)}
    assert found.keys() == expected.keys()
    for key, line in expected.items():
        # The third page stands at another address here than in its expectation.
        assert {field: found[key][field] for field in line if field != "source_url"} == {
            field: value for field, value in line.items() if field != "source_url"
        }


def test_a_film_is_read_to_its_end_before_those_after_the_next_are_begun(scrapy, demo, films):
    """The next one is leased already, so that it need not be waited for."""
    assert scrapy("crawl", "movies", "-a", films, METACRAWL_SITE_URL=demo.url, **NO_DELAY).returncode == 0
    slugs = [path.split("/")[2] for path in demo.requests if path != "/robots.txt"]
    first, _, third, _ = dict.fromkeys(slugs)
    assert slugs.index(third) > len(slugs) - 1 - slugs[::-1].index(first)


def test_what_a_crawl_brought_is_counted(scrapy, demo):
    crawl = ("crawl", "movies", "-a", "movie=nightjar", "-a", "reviews=none", "-a", "update=full")
    first = scrapy(*crawl, METACRAWL_SITE_URL=demo.url, **NO_DELAY)
    assert "'metacrawl/stored/new': 1," in first.stderr
    demo.world.film("nightjar").genres.clear()
    second = scrapy(*crawl, METACRAWL_SITE_URL=demo.url, **NO_DELAY)
    assert "'metacrawl/Movie/genres/missing': 2," in second.stderr, "by the film's page and by the details page"
    assert "'metacrawl/stored/unchanged': 2," in second.stderr
