"""Large crawls of the demo's saved pages: a folder of files and a WARC, in each design."""

import pytest

from metacrawl.demo.compare import differences
from metacrawl.demo.saved import save_folder, save_warc
from metacrawl.demo.truth import expected_records
from metacrawl.items import Movie

FAST = {"CONCURRENT_REQUESTS_PER_DOMAIN": 8}


def in_a_folder(world, folder, design):
    save_folder(world, folder / "saved", design)
    return folder / "saved"


def in_a_warc(world, folder, design):
    save_warc(world, folder / "saved.warc.gz", design)
    return folder / "saved.warc.gz"


@pytest.fixture
def crawl(scrapy, large_world, stored, tmp_path):
    """Crawl the saved pages of a design; gives what is stored."""

    def run(save, design):
        path = save(large_world, tmp_path, design)
        run = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={path}", **FAST)
        assert run.returncode == 0, run.stderr
        return [with_https(record) for record in stored()]

    return run


def with_https(record):
    """A saved page of 2010 names itself by http, and so are its links."""
    if isinstance(record, Movie) and record.trailer_url:
        record.trailer_url = record.trailer_url.replace("http://www.metacritic.com/", "https://www.metacritic.com/")
    return record


@pytest.mark.parametrize(("save", "design"), [(in_a_folder, "2010"), (in_a_folder, "2016"), (in_a_warc, "2016")])
def test_saved_pages_give_all_that_the_site_had(crawl, large_world, save, design):
    assert list(differences(expected_records(large_world, design), crawl(save, design))) == []


@pytest.mark.parametrize(("save", "design"), [(in_a_folder, "2023"), (in_a_folder, "2026"), (in_a_warc, "2026")])
def test_saved_pages_give_the_films_and_the_first_reviews_of_each_list(crawl, large_world, save, design):
    expected = expected_records(large_world, design)
    found = crawl(save, design)
    told = list(differences(expected, found))
    assert [line for line in told if not line.endswith(": not found")] == []
    assert not [line for line in told if line.startswith("Movie ")]
    per_film = {
        film.slug: (min(len(film.critic_reviews), 10), min(len(film.user_reviews), 50)) for film in large_world.films
    }
    assert len(found) - sum(isinstance(record, Movie) for record in found) >= sum(map(sum, per_film.values())) - 2
