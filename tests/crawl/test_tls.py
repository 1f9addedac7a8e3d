"""A certificate that does not fit the site ends the run, and says so."""

import datetime as dt
import ssl
from contextlib import contextmanager

import pytest
import trustme

from metacrawl.items import Movie
from tests.crawl.conftest import Pages

YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """An authority that this machine's programs trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority


@contextmanager
def served(pages, certificate):
    """Serve pages with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    site = Pages(pages)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    # What an aborted handshake says is not for the test's output.
    site.server.handle_error = lambda *_: None
    with site:
        site.url = site.url.replace("http:", "https:")
        yield site


def bad_certificate(authority, what):
    if what == "another name":
        return authority.issue_cert("www.metacritic.com")
    if what == "expired":
        return authority.issue_cert("127.0.0.1", not_after=YESTERDAY)
    return trustme.CA().issue_cert("127.0.0.1")


def crawl(scrapy, site, **settings):
    given = ("crawl", "movies", "-a", "movie=nightjar", "-a", "reviews=none")
    fast = {"DOWNLOAD_DELAY": 0, "RETRY_TIMES": 0, "ROBOTSTXT_OBEY": False}
    return scrapy(*given, METACRAWL_SITE_URL=site.url, **fast | settings)


@pytest.mark.parametrize("what", ["of nobody who is trusted", "another name", "expired"])
def test_a_bad_certificate_is_refused(scrapy, pages, authority, stored, what):
    with served(pages, bad_certificate(authority, what)) as site:
        run = crawl(scrapy, site)
        assert (run.returncode, stored(), site.requests) == (16, [], [])
        assert "certificate" in run.stdout.lower(), run.stdout


@pytest.mark.parametrize("verified", [True, False])
def test_a_good_certificate_is_accepted_and_unverified_any(scrapy, pages, authority, stored, verified):
    certificate = authority.issue_cert("127.0.0.1") if verified else bad_certificate(authority, "expired")
    with served(pages, certificate) as site:
        run = crawl(scrapy, site, DOWNLOAD_VERIFY_CERTIFICATES=verified)
    assert [record.key for record in stored() if isinstance(record, Movie)] == ["nightjar"], run.stdout
