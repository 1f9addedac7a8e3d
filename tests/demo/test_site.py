import socket
import threading

import pytest

from metacrawl.demo.site import DemoSite


@pytest.fixture(scope="module")
def site(world):
    with DemoSite(world) as running:
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
    with DemoSite(world) as site:
        get(site.url, "/movie/nightjar")
        get(site.url, "/movie/nightjar/user-reviews?sort-by=date&page=0")
        get(site.url, "/nowhere")
    assert site.requests == ["/movie/nightjar", "/movie/nightjar/user-reviews?sort-by=date&page=0", "/nowhere"]


def test_site_stops_and_frees_its_port_and_thread(world, get):
    before = threading.active_count()
    with DemoSite(world) as site:
        url, port = site.url, site.port
        assert url == f"http://127.0.0.1:{port}"
        get(url, "/robots.txt")
    with pytest.raises(ConnectionRefusedError):
        get(url, "/robots.txt")
    assert threading.active_count() == before
    with DemoSite(world, port=port) as again:
        assert again.url == url


def test_idle_connections_do_not_delay_the_stop(world):
    with DemoSite(world) as site, socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: demo\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_used_port_is_an_error(world):
    before = threading.active_count()
    with DemoSite(world) as site, pytest.raises(OSError, match="in use"), DemoSite(world, port=site.port):
        pass
    assert threading.active_count() == before
