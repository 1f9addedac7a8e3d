import json
import socket
import threading

import pytest

from metacrawl.demo.designs import designs
from metacrawl.demo.site import DemoSite


@pytest.fixture(scope="module")
def site(world):
    with DemoSite(world, design="2016") as running:
        yield running


@pytest.mark.parametrize("sub_page", ["", "/details", "/critic-reviews", "/user-reviews", "/user-reviews?page=1"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_films_pages_are_served_with_and_without_a_slash(site, get, sub_page, slash):
    path, mark, query = sub_page.partition("?")
    status, headers, text = get(site.url, f"/movie/the-salt-orchard{path}{slash}{mark}{query}")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>The Salt Orchard</h1>" in text


@pytest.mark.parametrize(
    "path",
    [
        "/movie/no-such-film",
        "/movie/The-Salt-Orchard",
        "/movie/the-salt-orchard/trailers",
        "/movie/the-salt-orchard/user-reviews?page=4",
        "/movie/the-salt-orchard/user-reviews?page=-1",
        "/movie/the-salt-orchard/user-reviews?sort-by=name",
        "/game/pc/the-salt-orchard",
        "/tv/nightjar",
    ],
)
def test_what_is_not_there_is_an_error_page(site, get, path):
    status, headers, text = get(site.url, path)
    assert status == 404
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Page Not Found" in text
    assert 'class="movie product' not in text


@pytest.mark.parametrize("rest", ["", "/", "/details", "/user-reviews?sort-by=date&num_items=100&page=1"])
@pytest.mark.parametrize("old", ["the-mapmakers-daughter", "untitled-marsh-project"])
def test_earlier_slugs_redirect(site, get, old, rest):
    status, headers, _ = get(site.url, f"/movie/{old}{rest}")
    assert status == 301
    assert headers["Location"] == f"/movie/the-cartographers-daughter{rest}"


@pytest.mark.parametrize("slug", ["who-the-%25-is-ada-marrow", "star-courier-part-ii---the-long-orbit"])
def test_odd_slugs(site, get, slug):
    status, _, text = get(site.url, f"/movie/{slug}/user-reviews")
    assert status == 200
    assert f'href="/movie/{slug}/details"' in text


def test_robots(site, get):
    status, _, text = get(site.url, "/robots.txt")
    assert status == 200
    for line in [
        "User-agent: *",
        "Allow: /movie",
        *(f"Disallow: /{path}" for path in ("search", "signup", "login", "user")),
    ]:
        assert line in text.splitlines()


def test_index_links_each_film(site, get, world):
    _, _, text = get(site.url, "/")
    assert text.count('<li><a href="/movie/') == len(world.films)
    assert 'href="/movie/who-the-%25-is-ada-marrow"' in text


def test_requests_are_counted_in_order(world, get):
    with DemoSite(world, design="2016") as site:
        get(site.url, "/movie/nightjar")
        get(site.url, "/movie/nightjar/user-reviews?sort-by=date&page=0")
        get(site.url, "/nowhere")
    assert site.requests == ["/movie/nightjar", "/movie/nightjar/user-reviews?sort-by=date&page=0", "/nowhere"]


def test_site_stops_and_frees_its_port_and_thread(world, get):
    before = threading.active_count()
    with DemoSite(world, design="2016") as site:
        url, port = site.url, site.port
        assert url == f"http://127.0.0.1:{port}"
        get(url, "/robots.txt")
    with pytest.raises(ConnectionRefusedError):
        get(url, "/robots.txt")
    assert threading.active_count() == before
    with DemoSite(world, port=port, design="2016") as again:
        assert again.url == url


def test_idle_connections_do_not_delay_the_stop(world):
    with (
        DemoSite(world, design="2016") as site,
        socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection,
    ):
        connection.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: demo\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_used_port_is_an_error(world):
    before = threading.active_count()
    with (
        DemoSite(world, design="2016") as site,
        pytest.raises(OSError, match="in use"),
        DemoSite(world, port=site.port),
    ):
        pass
    assert threading.active_count() == before


@pytest.fixture(scope="module", params=["2010", "2016", "2023", "2026"])
def any_site(request, world):
    with DemoSite(world, design=request.param) as running:
        yield running


@pytest.mark.parametrize("sub_page", ["", "/critic-reviews", "/user-reviews"])
def test_every_design_is_served_as_it_renders(any_site, world, get, sub_page):
    path = f"/movie/who-the-%25-is-ada-marrow{sub_page}"
    status, headers, text = get(any_site.url, path + "/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert text == designs(world)[any_site.design].answer(path, {})
    assert get(any_site.url, path)[2] == text


def test_every_design_redirects_and_has_an_error_page(any_site, get):
    status, headers, _ = get(any_site.url, "/movie/the-mapmakers-daughter/user-reviews/")
    assert (status, headers["Location"]) == (301, "/movie/the-cartographers-daughter/user-reviews/")
    status, _, text = get(any_site.url, "/movie/no-such-film/")
    assert status == 404
    assert "Page Not Found" in text


def test_back_end_is_beside_every_design(any_site, get):
    assert any_site.api_url == f"{any_site.url}/backend"
    slug = "who-the-%25-is-ada-marrow"
    status, headers, text = get(any_site.api_url, f"/backend/reviews/metacritic/user/movies/{slug}/web?limit=50")
    assert status == 200
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    body = json.loads(text)
    assert body["data"]["totalResults"] == len(body["data"]["items"]) == 44
    link = body["links"]["self"]["href"]
    assert link.startswith(f"https://backend.metacritic.com/reviews/metacritic/user/movies/{slug}/web?")


def test_errors_of_the_back_end_are_json(any_site, get):
    status, headers, text = get(any_site.url, "/backend/movies/metacritic/no-such-film/web")
    assert status == 404
    assert headers["Content-Type"].startswith("application/json")
    assert json.loads(text)["errors"][0]["code"] == 404


def test_page_sizes_of_a_running_site_can_be_changed(world, get):
    with DemoSite(world, design="2026") as site:
        site.page_size.most_users = 20
        _, _, text = get(site.url, "/backend/reviews/metacritic/user/movies/nightjar-2015/web?limit=50")
    assert len(json.loads(text)["data"]["items"]) == 20


def test_robots_of_today(world, get):
    with DemoSite(world, design="2026") as site:
        _, _, text = get(site.url, "/robots.txt")
    for path in ("/search", "/signup", "/login", "/user", "/jl/", "/8264/", "/7336/"):
        assert f"Disallow: {path}" in text.splitlines()
    assert "User-agent: GPTBot\nDisallow: /\n" in text
    assert "/movie" not in text


def test_browse_pages_are_served(world, get):
    with DemoSite(world, design="2026") as site:
        status, _, text = get(site.url, "/browse/movie/all/all/all-time/userscore/?page=2")
        assert status == 200
        assert 'data-testid="filter-results"' in text
        assert get(site.url, "/browse/movie/?page=9")[0] == 404


def test_archive_is_mounted(world, get):
    with DemoSite(world, design="2016") as site:
        assert site.archive_url == f"{site.url}/archive"
        status, _, _ = get(site.url, "/archive/cdx/search/cdx?url=www.metacritic.com/movie/nightjar&output=json")
        assert status == 200


def test_unknown_design_is_an_error(world):
    with pytest.raises(KeyError), DemoSite(world, design="1999"):
        pass
