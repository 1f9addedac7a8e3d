"""Requests that take another way than most: tried again, redirected, failing in the spider or behind it."""

import json
from collections import Counter

import pytest

from metacrawl.demo.compare import differences
from metacrawl.demo.truth import expected_records
from metacrawl.items import CriticReview

NO_DELAY = {"DOWNLOAD_DELAY": 0}
FILM = "nightjar"
USERS = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100"
PLANTED = {"SPIDER_MODULES": "tests.crawl.planted"}
PIPELINES = {
    "metacrawl.pipelines.validate.ValidatePipeline": 100,
    "metacrawl.pipelines.deduplicate.DeduplicatePipeline": 200,
}


@pytest.fixture
def crawl(scrapy, serve, pages):
    """Crawl the film from a site with these pages; gives the process and what the site was asked for."""

    def run(answers, spider="movies", **settings):
        site = serve(pages | answers)
        done = scrapy("crawl", spider, "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY, **settings)
        return done, Counter(path for path in site.requests if path != "/robots.txt")

    return run


@pytest.fixture
def film(world):
    """What is known of the film."""
    world.films = [world.film(FILM)]
    return expected_records(world)


def lacking(film, found):
    """Tell of which kind records are missing; everything else must be as it is."""
    told = [line.split() for line in differences(film, found)]
    assert {(line[-2], line[-1]) for line in told} <= {("not", "found")}
    return {line[0] for line in told}


def test_a_page_that_comes_at_the_third_time_is_one_page(crawl, pages, film, stored):
    answers = iter([(500, b"busy"), (500, b"busy"), pages[USERS]])
    run, asked = crawl({USERS: lambda: next(answers)})
    assert run.returncode == 0, run.stdout
    assert asked == Counter(list(pages)) + Counter({USERS: 2})
    assert list(differences(film, stored())) == []
    assert f"'metacrawl/stored/new': {len(film)}," in run.stderr
    assert "frontier/" not in run.stderr.partition("Dumping Scrapy stats")[2], "none known, none late, none discarded"


def test_a_page_that_does_not_come_at_all_is_named(crawl, pages, film, stored):
    run, asked = crawl({USERS: (500, b"busy")})
    assert run.returncode == 10
    assert run.stdout.startswith("partial: 1 of 1 film short, ")
    assert "(11 user reviews: list, first page: HTTP 500); " in run.stdout
    assert asked[USERS] == 3
    assert lacking(film, stored()) == {"UserReview"}


def test_an_exception_behind_the_spider_costs_its_page_only(crawl, film, stored):
    run, _ = crawl({}, ITEM_PIPELINES=json.dumps({"tests.crawl.planted.FailingOnUsersPipeline": 250, **PIPELINES}))
    assert run.returncode == 70
    assert run.stdout.startswith("internal: ")
    assert "LookupError: no such user" in run.stdout
    assert lacking(film, stored()) == {"UserReview"}


def test_an_exception_in_the_spider_costs_its_page_only(crawl, film, stored):
    run, asked = crawl({}, spider="raising", **PLANTED)
    assert run.returncode == 70
    assert run.stdout.startswith("internal: ")
    assert "LookupError: no such critic" in run.stdout
    assert set(asked.values()) == {1}
    assert lacking(film, stored()) == {"CriticReview"}


def test_a_request_that_could_not_be_gone_on_with_is_refused(crawl, stored):
    run, asked = crawl({}, spider="callback", **PLANTED)
    assert run.returncode == 70
    assert f"/movie/{FILM}/details cannot be kept: it has a callback" in run.stdout
    assert list(asked) == [f"/movie/{FILM}"]
    assert stored() == []


def test_a_request_that_is_not_to_be_filtered_is_asked_for_each_time(crawl, pages, film, stored):
    run, asked = crawl({}, spider="twice", **PLANTED)
    assert run.returncode == 0, run.stdout
    assert asked == Counter({path: 1 if path == f"/movie/{FILM}" else 2 for path in pages})
    assert list(differences(film, stored())) == []


def test_a_redirect_to_a_page_that_is_known_costs_nothing(crawl, pages, film, stored):
    """The details page of an earlier name leads back to what is asked for anyway."""
    details = f"/movie/{FILM}/details"
    run, asked = crawl({details: (302, f"{details}/".encode()), f"{details}/": pages[details]})
    assert run.returncode == 0, run.stdout
    assert list(differences(film, stored())) == []
    assert asked[f"{details}/"] == 1


def test_what_was_left_out_as_known_is_stored_if_the_page_that_had_it_fails(scrapy, pages, film, stored, tmp_path):
    """The film's own page has some reviews of its critics, and fails; their page has them all."""
    for name, path in {"a": "", "b": "/critic-reviews"}.items():
        (tmp_path / f"{name}.html").write_bytes(pages[f"/movie/{FILM}{path}"])
    planted = {"OnePageFailsPipeline": 150, "FailingOnFilmPagePipeline": 250}
    pipelines = PIPELINES | {f"tests.crawl.planted.{name}": place for name, place in planted.items()}
    crawl = ("crawl", "movies", "-a", "source=files", "-a", f"path={tmp_path}/*.html")
    run = scrapy(*crawl, ITEM_PIPELINES=json.dumps(pipelines))
    assert run.returncode == 70
    expected = {record.key for record in film if isinstance(record, CriticReview)}
    assert {record.key for record in stored() if isinstance(record, CriticReview)} == expected
