"""Where a crawl may go: nowhere but to its own servers."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from twisted.internet.error import DNSLookupError

from metacrawl.outcome import ConfigError
from metacrawl.resolver import checked, fits
from metacrawl.sources.address import Address
from metacrawl.sources.archive import ArchiveSource
from metacrawl.sources.cdx import Span
from metacrawl.sources.files import FilesSource
from metacrawl.sources.site import SiteSource
from metacrawl.urls import PageKind, PageRef

SITE = "http://127.0.0.1:8000"
# What URLs are made of, and what is put into them to mislead those who read them.
PIECES = st.sampled_from(
    [
        *(
            "http",
            "https",
            "file",
            "://",
            ":",
            "/",
            "//",
            "\\",
            "@",
            "?",
            "#",
            ".",
            "%2f",
            "%00",
            "\t",
            "\n",
            "\x00",
            " ",
        ),
        *("127.0.0.1", "127.0.0.2", "localhost", "[::1]", "2130706433", "8000", "80", "user", "movie", "é", "。"),
    ]
)


@given(before=st.lists(PIECES, max_size=3), after=st.lists(PIECES, max_size=6))
def test_what_is_at_the_site_is_there_for_every_parser(before, after):
    url = "".join([*before, SITE, *after])
    if Address.read("METACRAWL_SITE_URL", SITE, "").is_at(url):
        asked = Request(url).url
        parts = urlsplit(asked)
        assert (parts.scheme, parts.hostname, parts.port, parts.username) == ("http", "127.0.0.1", 8000, None)
        assert "\\" not in parts.netloc


@given(
    slug=st.text(st.characters(exclude_characters=' /\\?#"<>', exclude_categories=["Cc", "Cs"]), min_size=1),
    kind=st.sampled_from([PageKind.MOVIE, PageKind.API_USER_REVIEWS]),
    value=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_whatever_a_page_leads_to_is_asked_of_the_site(slug, kind, value):
    source = SiteSource(SITE, f"{SITE}/backend", "")
    assert source.may_ask(source.request(PageRef(kind, slug, (("sort", value),))).url)


def test_each_source_may_ask_its_own_servers_alone(tmp_path):
    site = SiteSource(SITE, "http://127.0.0.1:9000/backend", "")
    assert [site.may_ask(f"{url}/robots.txt") for url in (SITE, "http://127.0.0.1:9000", "http://127.0.0.1")] == [
        *(True, True, False)
    ]
    archive = ArchiveSource(SITE, "", Span.read("2014"), [])
    assert archive.may_ask(f"{SITE}/web/2014id_/http://www.metacritic.com/")
    assert not archive.may_ask("http://www.metacritic.com/")
    page = tmp_path / "her.html"
    files = FilesSource([page], None, 0)
    assert files.may_ask(page.as_uri())
    assert not any(map(files.may_ask, ["http://127.0.0.1/", "file:///etc/passwd"]))


def test_a_host_with_letters_beyond_ascii_may_be_asked():
    source = SiteSource("https://b\u00fccher.example", "", "me@example.org")
    assert source.may_ask(source.request(PageRef(PageKind.MOVIE, "her")).url)


@pytest.mark.parametrize("url", ["https://reader:canary@example.org", "https://canary@example.org", "http://[canary@"])
def test_a_site_with_a_password_is_refused_and_not_told(url):
    with pytest.raises(ConfigError, match="METACRAWL_SITE_URL has an @ in it") as refused:
        Address.read("METACRAWL_SITE_URL", url, "me@example.org")
    assert "canary" not in str(refused.value)


@given(st.ip_addresses())
def test_a_name_leads_to_public_addresses_alone(address):
    assert fits(str(address), str(address)), "what was given as an address is meant"
    public = address.is_global and not address.is_multicast
    assert fits("www.metacritic.com", str(address)) is public
    assert fits("localhost", str(address)) is address.is_loopback


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.1", "0.0.0.1", "10.0.0.7", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1"),
        *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "ff0e::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_a_name_with_an_address_that_is_not_public_is_not_connected_to(address):
    assert not fits("www.metacritic.com", address)
    assert not fits("2130706433", "127.0.0.1"), "nor one that only looks like a name"


def test_a_name_is_judged_each_time_by_what_it_means_then():
    assert checked("151.101.1.91", "rebound.example") == "151.101.1.91"
    with pytest.raises(DNSLookupError, match=r"rebound\.example has the address 127\.0\.0\.1"):
        checked("127.0.0.1", "rebound.example")
