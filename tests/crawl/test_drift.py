"""A site that changes in the middle of a crawl: it is stopped, nothing wrong is stored, and the page is kept."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from metacrawl.demo.compare import differences
from metacrawl.demo.site import DemoSite
from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import World
from metacrawl.items import Movie, Record, UserReview

NO_DELAY = {"DOWNLOAD_DELAY": 0, "RETRY_ENABLED": False}
FRONTIER = "metacrawl.frontier.middleware.FrontierMiddleware"
# Pages of the kind that change until the run is stopped, by the requirement.
SOON = 50


class Change:
    """Changes the pages whose path matches, from the n-th on."""

    def __init__(self, kind: str, after: int, change: Callable[[str], str]) -> None:
        self.kind, self.after, self.change = re.compile(kind), after, change
        self.pages = 0

    @property
    def changed(self) -> int:
        """How many were changed."""
        return max(0, self.pages - self.after)

    def __call__(self, path: str, response: web.Response) -> web.Response:
        """Answer with the page, changed or not."""
        if not self.kind.search(path) or response.status != 200 or not isinstance(response.text, str):
            return response
        self.pages += 1
        if self.pages <= self.after:
            return response
        return web.Response(text=self.change(response.text), content_type=response.content_type, charset="utf-8")


def renamed(*names: str) -> Callable[[str], str]:
    """Turn names around wherever they stand."""

    def change(text: str) -> str:
        for name in names:
            text = text.replace(name, name[::-1])
        return text

    return change


@pytest.fixture
def crawl(scrapy, large_world, tmp_path):
    """Crawl all films of a larger world; gives the run. `fault` comes between the site and the crawl."""
    films = tmp_path / "films.txt"
    films.write_text("\n".join(film.slug for film in large_world.films), encoding="utf-8")
    port = 0

    def run(design: str, fault: Change | None, *arguments: str, **settings: object):
        nonlocal port
        # At the same address again: it is the same run that goes on.
        with DemoSite(large_world, design=design, port=port) as site:
            port, site.fault = site.port, fault
            return scrapy(
                *("crawl", *arguments, "-a", f"movie=@{films}"),
                METACRAWL_SITE_URL=site.url,
                METACRAWL_API_URL=site.api_url,
                **NO_DELAY,
                **settings,
            )

    return run


def wrong(world: World, design: str, found: list[Record]) -> list[str]:
    """Tell which of the stored records are not as they are on the site."""
    keys = {record.key for record in found}
    expected = [record for record in expected_records(world, design) if record.key in keys]
    return list(differences(expected, found))


def evidence(run, tmp_path: Path) -> str:
    """Read the page that the message names."""
    path = re.search(r"saved as (\S+\.gz)", run.stdout)
    assert path, run.stdout
    assert Path(path[1]).parent == tmp_path / "runs/evidence"
    return gzip.decompress(Path(path[1]).read_bytes()).decode()


@pytest.mark.parametrize(
    ("design", "kind", "name"),
    [("2016", "/user-reviews", "review_body"), ("2026", "/reviews/metacritic/user/", '"quote"')],
    ids=["a class is renamed", "a key is gone"],
)
def test_a_change_in_lists_of_reviews_stops_the_crawl(crawl, large_world, stored, tmp_path, design, kind, name):
    change = Change(kind, 12, renamed(name))
    run = crawl(design, change, "user_reviews")
    assert run.returncode == 14, run.stdout + run.stderr[-6000:]
    assert run.stdout.startswith("layout: ")
    assert "the site has changed: " in run.stdout
    assert "no UserReview has its text" in run.stdout
    assert 0 < change.changed <= SOON
    assert name[::-1] in evidence(run, tmp_path)
    reviews = [record for record in stored() if isinstance(record, UserReview)]
    assert len(reviews) > 100
    assert wrong(large_world, design, reviews) == []


def test_without_a_judge_wrong_reviews_would_be_stored(crawl, large_world, stored):
    credulous = json.dumps({"tests.crawl.planted.CredulousMiddleware": 1, FRONTIER: None})
    change = Change("/user-reviews", 12, renamed("review_body"))
    crawl("2016", change, "user_reviews", SPIDER_MIDDLEWARES=credulous)
    assert wrong(large_world, "2016", [record for record in stored() if isinstance(record, UserReview)])


def test_a_change_in_films_pages_stops_the_crawl_and_it_goes_on_when_the_site_is_well(
    crawl, large_world, stored, tmp_path
):
    """One record a page: what may be wrong is held until it is sure."""
    change = Change(r"^/movie/[^/]+$", 12, renamed("data-refid"))
    run = crawl("2016", change, "movies", "-a", "reviews=none")
    assert run.returncode == 14, run.stdout + run.stderr[-6000:]
    assert "no Movie has its site_id" in run.stdout
    assert 0 < change.changed <= SOON
    assert "difer-atad" in evidence(run, tmp_path)
    films = stored()
    assert len(films) >= change.after
    assert all(film.site_id for film in films)

    again = crawl("2016", None, "movies", "-a", "reviews=none")
    assert again.returncode == 0, again.stdout
    films = [record for record in expected_records(large_world, "2016") if isinstance(record, Movie)]
    assert [line for line in differences(films, stored()) if "count" not in line and "score" not in line] == []


def test_a_design_that_nobody_knows_stops_the_crawl(crawl, large_world, stored, tmp_path):
    change = Change(r"^/movie/[^/]+$", 12, renamed("loadPage", "__NUXT_DATA__", "pageType"))
    run = crawl("2026", change, "movies", "-a", "reviews=none")
    assert run.returncode == 14, run.stdout + run.stderr[-6000:]
    assert "none of the last 5 movie pages can be read" in run.stdout
    assert 0 < change.changed <= SOON
    assert "egaPdaol" in evidence(run, tmp_path)
    assert len(list((tmp_path / "runs/evidence").iterdir())) == 4
    assert {film.title for film in stored()} <= {film.title for film in large_world.films}
