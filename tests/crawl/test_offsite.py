"""A crawl connects to its own site and to nobody else, whatever a page, a row or a name says."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
from aiohttp import web

from metacrawl import settings
from metacrawl.demo.pages import Pages as DemoPages
from metacrawl.items import Movie
from tests.crawl.canary import RELATIVE, Canary, forms

FAST = {"DOWNLOAD_DELAY": 0, "RETRY_TIMES": 1, "CONCURRENT_REQUESTS_PER_DOMAIN": 2}
STATUSES = (301, 302, 303, 307, 308)
GUARD = "metacrawl.middlewares.offsite.OffsiteGuard"
UNGUARDED = settings.DOWNLOADER_MIDDLEWARES | {GUARD: None}
GOOD = ("nightjar", "winter-ferry", "good-1", "good-2")


@pytest.fixture
def canaries():
    """Another address, another port, and the address of IPv6 where the machine has one."""
    with Canary("127.0.0.2") as address, Canary("127.0.0.1") as port:
        try:
            with Canary("::1") as ipv6:
                yield address, port, ipv6
        except OSError:
            yield address, port, None


def heard(canaries):
    """What all of them have heard together."""
    return [line for canary in canaries if canary for line in canary.heard]


def refresh(url):
    """Write a page that a browser would leave for another."""
    return f'<html><head><meta http-equiv="refresh" content="0; url={url}"></head><body>Wait</body></html>'.encode()


@pytest.fixture
def traps(serve, whole_world, canaries, tmp_path):
    """A site of which all films but the good ones lead to the canaries, each in another way; gives it and the ways.

    While the crawl runs, rows of the frontier are changed, too.
    """
    site = serve({})
    urls = forms(site.url, *canaries)
    relative = {name: text.format(place=canaries[0].place) for name, text in RELATIVE.items()}
    ways = {}
    for number, (name, url) in enumerate((urls | relative).items()):
        for status in STATUSES if number < len(STATUSES) else (STATUSES[number % len(STATUSES)],):
            ways[f"{status} to {name}"] = (status, url.encode())
        ways[f"refresh to {name}"] = refresh(url)
    tries = iter([(500, b"busy"), (302, urls["another port"].encode())])
    ways["500, then 302 to another port"] = lambda: next(tries)
    # Whatever has a scheme of its own, as text of a row; and a page of the site's by way of a proxy.
    planted = [{"url": f"{site.url}/movie/nightjar", "meta": {"proxy": f"http://{canaries[0].place}"}}]
    planted += [{"url": url, "dont_filter": True} for url in urls.values() if "://" in url]

    def plant():
        with closing(sqlite3.connect(tmp_path / "metacrawl.db", timeout=20)) as database, database:
            for number, payload in enumerate(planted):
                database.execute(
                    "UPDATE frontier SET request = ? WHERE url LIKE ? AND state = 'queued'",
                    (json.dumps(payload), f"%/planted-{number}"),
                )
        return pages.movie(first).encode()

    films = [replace(whole_world.film("nightjar"), slug=slug) for slug in GOOD]
    first, pages = films[0], DemoPages(type(whole_world)(films=films))
    site.answers |= {f"/movie/trap-{number}": answer for number, answer in enumerate(ways.values())}
    site.answers |= {f"/movie/{film.slug}": pages.movie(film).encode() for film in films}
    site.answers[f"/movie/{first.slug}"] = plant
    traps = [f"trap-{number}" for number in range(len(ways))]
    rows = [f"planted-{number}" for number in range(len(planted))]
    films = tmp_path / "films.txt"
    films.write_text("\n".join([GOOD[0], *traps, GOOD[1], *rows, *GOOD[2:]]), encoding="utf-8")
    return site, ways, planted


@pytest.fixture
def crawl(scrapy, traps, tmp_path):
    """Crawl that site."""

    def run(**given):
        films = f"movie=@{tmp_path / 'films.txt'}"
        return scrapy(
            *("crawl", "movies", "-a", films, "-a", "reviews=none"),
            METACRAWL_SITE_URL=traps[0].url,
            **FAST | given,
        )

    return run


def test_nothing_that_a_page_or_a_row_says_leads_to_another_server(crawl, traps, canaries, stored, requests, tmp_path):
    site, ways, planted = traps
    run = crawl()
    assert heard(canaries) == []
    assert len(ways) + len(planted) > 150
    assert not [path for path in site.requests if "canary" in path]
    # Each is a problem of its page, and the run goes on to its end.
    assert (run.returncode, set(requests())) == (14, {"dead"}), run.stdout
    assert {record.key for record in stored() if isinstance(record, Movie)} == set(GOOD)
    with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as database:
        problems = [message for (message,) in database.execute("SELECT message FROM problems")]
    assert len(problems) >= len(ways) + len(planted)
    for says in ("leads off the site", "redirected away from", "it is not at", "through a proxy"):
        assert [message for message in problems if says in message]


def test_without_the_guard_a_row_leads_there(crawl, canaries):
    crawl(DOWNLOADER_MIDDLEWARES=json.dumps(UNGUARDED), ROBOTSTXT_OBEY=False)
    assert len(heard(canaries)) >= 5
    assert any(line.startswith(b"GET http://") for line in heard(canaries)), "by way of a proxy"


STOCK = """
import sys
import scrapy

class StockSpider(scrapy.Spider):
    name = "stock"
    allowed_domains = ["127.0.0.1"]

    async def start(self):
        for url in open(sys.argv[-1]).read().split("\\0"):
            # As `Spider.start` does it.
            yield scrapy.Request(url, dont_filter=True)

    def parse(self, response):
        pass
"""


def test_stock_scrapy_is_led_there(traps, canaries, tmp_path):
    site, ways, _ = traps
    (tmp_path / "stock.py").write_text(STOCK, encoding="utf-8")
    given = tmp_path / "urls"
    given.write_text("\0".join(f"{site.url}/movie/trap-{number}" for number in range(len(ways))), encoding="utf-8")
    code = "import sys; from scrapy.cmdline import execute; execute(['scrapy', 'runspider', 'stock.py'])"
    command = [sys.executable, "-c", code, str(given)]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=True)
    assert len(heard(canaries)) >= 60


@pytest.mark.parametrize("guard", ["on", "off"])
def test_robots_txt_is_not_fetched_from_another_server(scrapy, serve, canaries, guard):
    site = serve({"/robots.txt": (302, f"http://{canaries[1].place}/robots.txt".encode())})
    given = {"RETRY_TIMES": 0} | ({"DOWNLOADER_MIDDLEWARES": json.dumps(UNGUARDED)} if guard == "off" else {})
    run = scrapy("crawl", "movies", "-a", "movie=nightjar", METACRAWL_SITE_URL=site.url, **FAST | given)
    assert run.returncode not in {0, 70}
    assert heard(canaries) == ([] if guard == "on" else [b"GET /robots.txt HTTP/1.1"])


@pytest.mark.parametrize("resolver", ["RebindingResolver", "StockRebindingResolver"])
def test_a_name_that_leads_to_this_machine_is_not_followed(scrapy, canaries, resolver):
    run = scrapy(
        *("crawl", "movies", "-a", "movie=nightjar"),
        METACRAWL_SITE_URL=f"http://rebound.invalid:{canaries[0].port}",
        METACRAWL_CONTACT="test@example.org",
        TWISTED_DNS_RESOLVER=f"tests.crawl.planted_resolver.{resolver}",
        ROBOTSTXT_OBEY=False,
        **FAST,
    )
    if resolver == "RebindingResolver":
        assert heard(canaries) == []
        assert "its address is 127.0.0.2, which is not a public one" in run.stdout
    else:
        assert heard(canaries)


def test_links_and_next_pages_are_read_but_asked_of_the_site(scrapy, demo, canaries, stored):
    """What is rewritten: all addresses of the site in its pages and in the answers of its back end."""
    place = f"http://{canaries[1].place}"

    def lead_away(_path, response):
        text = response.text or ""
        for own in ("https://www.metacritic.com", "http://www.metacritic.com", "https://backend.metacritic.com"):
            text = text.replace(own, place)
        text = text.replace('href="/', f'href="{place}/').replace("<head>", f'<head><base href="{place}/">')
        return web.Response(text=text, content_type=response.content_type, charset="utf-8", status=response.status)

    demo.fault = lead_away
    for design in ("2016", "2026"):
        demo.design = design
        scrapy(
            *("crawl", "movies", "-a", "movie=nightjar", "-a", "fresh=1"),
            METACRAWL_SITE_URL=demo.url,
            METACRAWL_API_URL=demo.api_url,
            **FAST,
        )
    assert heard(canaries) == []
    assert stored()
