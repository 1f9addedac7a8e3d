"""The web archive as a source: what it asks for, and what it makes of answers."""

import datetime as dt
import json
import logging
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from scrapy import Request
from scrapy.http import TextResponse

from metacrawl.demo.cdx import Query
from metacrawl.demo.content import build_world
from metacrawl.demo.visits import ENDED, snapshots
from metacrawl.demo.world import World
from metacrawl.extract import LayoutError, Page
from metacrawl.frontier.payload import decode, encode
from metacrawl.outcome import ConfigError, Outcome, Problem
from metacrawl.sources.archive import LOOK_UP, MOST_PARTS, ArchiveSource
from metacrawl.sources.cdx import FIELDS, Span
from metacrawl.urls import PageKind, PageRef

ARCHIVE = "http://127.0.0.1:8000/archive"
ORCHARD = "http://www.metacritic.com/movie/the-glass-orchard"
FILM = PageRef(PageKind.MOVIE, "the-glass-orchard")
CRITICS, USERS = PageKind.CRITIC_REVIEWS, PageKind.USER_REVIEWS
FIXTURES = Path(__file__).parents[1] / "fixtures" / "2016"
PAGE = (FIXTURES / "movie-with-everything.html").read_bytes()


def source(at="2019", kinds=()):
    return ArchiveSource(ARCHIVE, "", Span.read(at), frozenset(kinds))


def row(timestamp, path="", digest="AAAA", status="200", mimetype="text/html"):
    return [timestamp, f"{ORCHARD}{path}", mimetype, status, digest]


def read(archive, request, *rows, body=None, url=None, status=200):
    """Answer a request, which the frontier has kept meanwhile."""
    request = decode(encode(request))
    body = json.dumps([list(FIELDS), *rows]).encode() if body is None else body
    url = url or request.url
    found = archive.read(TextResponse(url, status, body=body, request=request.replace(url=url), encoding="utf-8"))
    return found if isinstance(found, Page) else list(found)


def no_page(url, says):
    return [Problem(Outcome.PARTIAL, f"{url}: the capture shows no page of the film: {says}")]


def look_up(archive, *rows, page=FILM):
    """Answer the first look-up."""
    [request] = archive.first_requests([page])
    return read(archive, request, *rows)


def query_of(request):
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def problems(*what):
    return [Problem(Outcome.PARTIAL, f"the-glass-orchard: the archive has no {words}") for words in what]


def captures(requests):
    """Tell which captures are asked for."""
    start = f"{ARCHIVE}/web/"
    return [
        request.url.removeprefix(start).replace(f"id_/{ORCHARD}", " ").rstrip()
        for request in requests
        if isinstance(request, Request) and request.url.startswith(start)
    ]


class TestTheFirstLookUp:
    def test_a_film_is_looked_up_by_its_page_in_all_time(self):
        [request] = source().first_requests([FILM])
        assert request.url.startswith(f"{ARCHIVE}/cdx/search/cdx?")
        query = parse_qs(urlsplit(request.url).query)
        assert query["url"] == ["www.metacritic.com/movie/the-glass-orchard"]
        assert query["matchType"] == ["exact"]
        assert query["output"] == ["json"]
        assert query["fl"] == [",".join(FIELDS)]
        assert query["filter"] == ["statuscode:200|-", "mimetype:text/html|warc/revisit"]
        assert not {"from", "to", "resumeKey"} & set(query)

    def test_a_series_until_its_end_for_its_captures_may_repeat_earlier_ones(self):
        [request] = source("2014-2017").first_requests([FILM])
        assert query_of(request)["to"] == "20171231235959"
        assert "from" not in query_of(request)

    def test_a_slug_stays_as_it_is(self):
        [request] = source().first_requests([PageRef(PageKind.MOVIE, "who-the-%-is-it")])
        assert query_of(request)["url"] == "www.metacritic.com/movie/who-the-%25-is-it"

    def test_look_ups_have_a_slot_of_their_own_that_captures_do_not_use(self):
        archive = source()
        [request] = archive.first_requests([FILM])
        [capture] = look_up(archive, row("20190101000000"))
        assert request.meta["download_slot"] == "cdx"
        assert "download_slot" not in capture.meta

    def test_a_crawl_of_reviews_looks_them_up_at_once(self):
        [request] = source("2019-07-16", [USERS]).first_requests([PageRef(USERS, FILM.slug, (("sort-by", "date"),))])
        query = query_of(request)
        assert query["url"] == "www.metacritic.com/movie/the-glass-orchard/"
        assert query["matchType"] == "prefix"
        assert query["to"] == "20200112120000"
        assert "from" not in query


class TestTheFilmsPage:
    def test_the_nearest_capture_is_asked_for_as_the_site_sent_it(self):
        requests = look_up(source(), row("20180101000000"), row("20190601000000", digest="B"), row("20210101000000"))
        assert [request.url for request in requests] == [f"{ARCHIVE}/web/20190601000000id_/{ORCHARD}"]

    def test_one_that_is_no_page_is_not(self):
        rows = [row("20190702120000", status="404"), row("20150101000000"), row("20190702120001", status="302")]
        assert captures(look_up(source(), *rows)) == ["20150101000000"]

    def test_of_a_series_each_content_is_asked_for_once(self):
        rows = [
            row("20140101000000"),
            row("20150101000000", digest="B"),
            row("20160101000000"),
            row("20160201000000", digest="B", status="-", mimetype="warc/revisit"),
            row("20170101000000", digest="C"),
        ]
        assert captures(look_up(source("2014-2017"), *rows)) == ["20140101000000", "20150101000000", "20170101000000"]

    def test_one_that_repeats_a_page_from_before_the_series_is_read(self):
        rows = [row("20130101000000"), row("20150101000000", status="-", mimetype="warc/revisit")]
        assert captures(look_up(source("2014-2017"), *rows)) == ["20150101000000"]

    @pytest.mark.parametrize("time", ["00010101000000", "99991231235959", "20140231000000"])
    def test_odd_times_are_passed_over(self, time):
        assert captures(look_up(source(), row(time), row("20190101000000"))) == ["20190101000000"]

    @pytest.mark.parametrize(
        ("at", "says"),
        [
            ("2014", "the-glass-orchard: the archive has no page of it near 2014"),
            ("2014-2017", "the-glass-orchard: the archive has no page of it in 2014-2017"),
        ],
    )
    def test_nothing_archived_is_a_problem_of_this_film(self, at, says):
        archive = source(at, [USERS])
        assert (
            look_up(archive)
            == look_up(archive, row("20140101000000", status="503"))
            == [Problem(Outcome.PARTIAL, says)]
        )

    def test_a_long_answer_is_asked_for_to_its_end(self):
        archive = source()
        one = [row("20190101000000"), row("20190501000000", digest="B"), [], ["her+2019%21"]]
        [more] = look_up(archive, *one)
        assert query_of(more)["resumeKey"] == "her+2019%21"
        assert query_of(more)["url"] == "www.metacritic.com/movie/the-glass-orchard"
        assert captures(read(archive, more, row("20200601000000", digest="C"))) == ["20190501000000"]
        assert captures(read(archive, more, row("20190601000000", digest="C"))) == ["20190601000000"]

    def test_what_repeats_a_page_of_the_part_before_counts(self):
        archive = source("2019")
        parts = [row("20140101000000"), row("20150101000000", digest="B"), [], ["one"]]
        [more] = look_up(archive, *parts)
        [more] = read(archive, more, row("20160101000000", digest="C"), [], ["two"])
        revisits = [
            row("20190702120000", digest="A-404", status="-", mimetype="warc/revisit"),
            row("20190601000000", digest="AAAA", status="-", mimetype="warc/revisit"),
        ]
        assert captures(read(archive, more, *revisits)) == ["20190601000000"]

    @pytest.mark.parametrize("keys", [["same", "same"], ["one", "two", "one"]])
    def test_an_index_that_goes_in_a_circle_is_refused(self, keys):
        archive = source()
        [request] = archive.first_requests([FILM])
        for key in keys[:-1]:
            [request] = read(archive, request, row("20190101000000"), [], [key])
        with pytest.raises(LayoutError, match=f"goes on without end: it says to go on with {keys[-1]}"):
            read(archive, request, row("20190101000000"), [], [keys[-1]])

    def test_so_is_one_that_goes_on_with_nothing(self):
        archive = source()
        [request] = archive.first_requests([FILM])
        with pytest.raises(LayoutError, match="goes on without end"):
            read(archive, request, [], ["key"])

    def test_so_is_one_without_end(self):
        archive = source()
        [request] = archive.first_requests([FILM])
        for number in range(MOST_PARTS):
            [request] = read(archive, request, row("20190101000000"), [], [f"key {number}"])
        with pytest.raises(LayoutError, match="goes on without end"):
            read(archive, request, row("20190101000000"), [], ["one more"])

    @pytest.mark.parametrize("body", [b"", b"<html>Too busy</html>", b'[["timestamp"]]'])
    def test_a_broken_answer_is_refused(self, body):
        archive = source()
        [request] = archive.first_requests([FILM])
        with pytest.raises(LayoutError, match="the archive's index"):
            read(archive, request, body=body)


class TestThePagesBeside:
    def beside(self, archive, *rows):
        """Answer both look-ups; gives the requests after the second."""
        *_, request = look_up(archive, row("20190701000000"))
        return read(archive, request, *rows)

    def test_they_are_looked_up_around_the_film_in_one_request(self):
        *_, request = look_up(source("2014-2017", [USERS]), row("20140201000000"), row("20150201000000", digest="B"))
        query = query_of(request)
        assert query["url"] == "www.metacritic.com/movie/the-glass-orchard/"
        assert query["matchType"] == "prefix"
        assert query["to"] == "20150731000000"
        assert "from" not in query

    def test_they_are_not_where_none_is_wanted(self):
        assert len(look_up(source(), row("20190701000000"))) == 1

    def test_each_is_asked_for_as_it_was_nearest_to_the_film(self):
        rows = [
            row("20190301000000", "/user-reviews", "A"),
            row("20190705000000", "/user-reviews/?page=0", "B"),
            row("20190601000000", "/user-reviews?page=1", "C"),
            row("20190701000001", "/user-reviews?page=2", "D", status="404"),
            row("20190701000001", "/critic-reviews", "E"),
            row("20190701000001", "/trailers", "F"),
        ]
        requests = self.beside(source(kinds=[USERS]), *rows)
        assert captures(requests) == ["20190705000000 /user-reviews/?page=0", "20190601000000 /user-reviews?page=1"]

    @pytest.mark.parametrize("kind", [CRITICS, USERS])
    def test_reviews_further_away_than_half_a_year_are_a_problem(self, kind):
        requests = self.beside(source(kinds=[kind]), row("20191229000000", f"/{kind}"))
        assert requests == problems(f"page of its {kind.replace('-', ' ')} within 180 days of 2019-07-01")

    def test_details_are_none_for_few_have_been_archived(self, caplog):
        caplog.set_level(logging.INFO)
        requests = self.beside(source(kinds=[PageKind.DETAILS]), row("20191229000000", "/details"))
        assert requests == []
        assert "the-glass-orchard: the archive has no page of its details within 180 days of 2019-07-01" in caplog.text

    @pytest.mark.parametrize(
        ("queries", "numbers"),
        [
            (["", "?page=2"], "1"),
            (["?page=2"], "0, 1"),
            (["", "?page=1", "?sort-by=date&page=3"], "2, 3"),
            (["", "?sort-by=date&page=1"], "1"),
            (["", "?dist=positive", "?dist=positive&page=1"], "1"),
            (["?page=999999999"], "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        ],
    )
    def test_a_gap_in_a_list_is_a_problem(self, queries, numbers):
        rows = [row("20190701000000", f"/user-reviews{query}") for query in queries]
        requests = self.beside(source(kinds=[USERS]), *rows)
        assert len(captures(requests)) == len(queries)
        [told] = requests[len(queries) :]
        assert [told] == problems(f"page {numbers} (from 0) of its user reviews within 180 days of 2019-07-01")

    @pytest.mark.parametrize(
        "queries",
        [
            [""],
            ["", "?page=1", "?page=2"],
            ["", "?sort-by=date", "?sort-by=date&page=1"],
            ["", "?page=1", "?dist=negative&page=1"],
        ],
    )
    def test_a_list_that_is_whole_in_any_order_is_none(self, queries):
        rows = [row("20190701000000", f"/user-reviews{query}") for query in queries]
        requests = self.beside(source(kinds=[USERS]), *rows)
        assert len(captures(requests)) == len(requests)

    def test_a_series_tells_once_what_it_lacks(self):
        archive = source("2014-2017", [USERS])
        times = ["20140201000000", "20150201000000", "20160201000000", "20170201000000"]
        *_, request = look_up(archive, *(row(time, digest=time) for time in times))
        rows = [row("20150202000000", "/user-reviews"), row("20160202000000", "/user-reviews?page=1", "B")]
        assert read(archive, request, *rows)[2:] == problems(
            "page of its user reviews within 180 days of 2014-02-01, nor all of it at 2 more of its captures"
        )

    def test_one_that_serves_two_captures_of_the_film_is_asked_for_once(self):
        archive = source("2014", [USERS])
        archive.span = Span.read("2014-2015")
        *_, request = look_up(archive, row("20140201000000"), row("20140501000000", digest="B"))
        assert captures(read(archive, request, row("20140401000000", "/user-reviews"))) == [
            "20140401000000 /user-reviews"
        ]

    def test_of_a_series_there_are_those_of_each_time(self):
        archive = source("2014-2015", [USERS])
        *_, request = look_up(archive, row("20140201000000"), row("20150501000000", digest="B"))
        rows = [row("20140202000000", "/user-reviews"), row("20150502000000", "/user-reviews", "B")]
        assert captures(read(archive, request, *rows)) == [
            "20140202000000 /user-reviews",
            "20150502000000 /user-reviews",
        ]


class TestReviewsAlone:
    def test_each_page_is_asked_for_as_it_was_nearest_to_the_time(self):
        rows = [
            row("20190301000000", "/user-reviews", "A"),
            row("20190801000000", "/user-reviews", "B"),
            row("20190301000000", "/user-reviews?page=1", "C"),
        ]
        requests = look_up(source(kinds=[USERS]), *rows, page=PageRef(USERS, FILM.slug))
        assert captures(requests) == ["20190801000000 /user-reviews", "20190301000000 /user-reviews?page=1"]

    def test_of_a_series_each_content(self):
        rows = [
            row("20140301000000", "/user-reviews", "A"),
            row("20150801000000", "/user-reviews", "A"),
            row("20160301000000", "/user-reviews", "B"),
        ]
        requests = look_up(source("2014-2017", [USERS]), *rows, page=PageRef(USERS, FILM.slug))
        assert captures(requests) == ["20140301000000 /user-reviews", "20160301000000 /user-reviews"]

    def test_a_gap_is_a_problem(self):
        rows = [row("20190301000000", "/user-reviews", "A"), row("20190301000000", "/user-reviews?page=2", "C")]
        requests = look_up(source(kinds=[USERS]), *rows, page=PageRef(USERS, FILM.slug))
        assert requests[2:] == problems("page 1 (from 0) of its user reviews near 2019")

    def test_none_at_all_is_a_problem(self):
        rows = [row("20190301000000", "/user-reviews")]
        assert look_up(source(kinds=[CRITICS]), *rows, page=PageRef(CRITICS, FILM.slug)) == [
            Problem(Outcome.PARTIAL, "the-glass-orchard: the archive has no page of its critic reviews near 2019")
        ]


class TestCaptures:
    def test_a_page_bears_its_time_and_the_sites_own_url(self):
        archive = source()
        [request] = look_up(archive, row("20190601020304"))
        page = read(archive, request, body=PAGE)
        [film] = page.movies
        assert film.title == "The Glass Orchard"
        assert {record.captured_at for record in page.records} == {dt.datetime(2019, 6, 1, 2, 3, 4, tzinfo=dt.UTC)}
        assert {record.source_url for record in page.records} == {FILM.url}

    def test_its_links_do_not_change_with_the_spelling_of_its_url(self):
        archive = source()
        [request] = look_up(archive, row("20190601020304"))
        one = read(archive, request, body=PAGE)
        url = request.url.replace("http://www.metacritic.com/", "http://metacritic.com:80/")
        other = read(archive, request, body=PAGE, url=url)
        assert list(one.records) == list(other.records)

    def test_links_of_a_page_are_not_followed(self):
        assert list(source().requests([PageRef(USERS, FILM.slug)])) == []
        assert not source().follows

    def test_one_that_is_redirected_to_another_time_bears_that(self):
        archive = source()
        [request] = look_up(archive, row("20190601020304"))
        url = f"{ARCHIVE}/web/20190501000000id_/https://www.metacritic.com/movie/the-glass-orchard/"
        assert not archive.is_astray(request.replace(url=url))
        [film] = read(archive, request, body=PAGE, url=url).movies
        assert film.captured_at == dt.datetime(2019, 5, 1, tzinfo=dt.UTC)

    @pytest.mark.parametrize(
        "url",
        [
            f"{ARCHIVE}/web/20190501000000/{ORCHARD}",
            f"{ARCHIVE}/web/2019id_/{ORCHARD}",
            f"{ARCHIVE}/web/20190501000000id_/{ORCHARD}/user-reviews",
            f"{ARCHIVE}/web/20190501000000id_/http://www.metacritic.com/movie/nightjar",
            f"{ARCHIVE}/web/20190501000000id_/http://example.org/movie/the-glass-orchard",
            f"{ARCHIVE}/",
            ORCHARD,
        ],
    )
    def test_one_that_is_redirected_elsewhere_is_refused(self, url):
        archive = source()
        [request] = look_up(archive, row("20190601020304"))
        assert archive.is_astray(request.replace(url=url))
        assert read(archive, request, body=PAGE, url=url) == no_page(
            url, "redirected away from the captures of this page"
        )

    def test_a_look_up_that_is_redirected_may_stay_one(self):
        archive = source()
        [request] = archive.first_requests([FILM])
        assert not archive.is_astray(request.replace(url=f"{request.url}&x=1"))
        assert archive.is_astray(request.replace(url=f"{ARCHIVE}/"))

    def test_an_error_page_makes_way_for_the_next_best(self, caplog):
        archive = source()
        rows = [row("20190701000000"), row("20190801000000", digest="B"), row("20190901000000", digest="C")]
        [first] = look_up(archive, *rows, row("20191001000000", digest="D"))
        [second] = read(archive, first, body=b"<html>One moment</html>")
        assert "another capture stands in for it" in caplog.text
        [third] = read(archive, second, body=b"<html>One moment</html>")
        assert captures([first, second, third]) == ["20190701000000", "20190801000000", "20190901000000"]
        says = "no known page design: is it a page of Metacritic's?"
        assert read(archive, third, body=b"<html>One moment</html>") == no_page(third.url, says)

    def test_one_that_the_archive_does_not_give_makes_way_too(self):
        archive = source()
        [first] = look_up(archive, row("20190701000000"), row("20190801000000", digest="B"))
        # Without that Scrapy keeps the answer to itself.
        assert {403, 404, 429, 503} <= set(first.meta["handle_httpstatus_list"])
        [second] = read(archive, first, body=PAGE, status=404)
        assert captures([second]) == ["20190801000000"]
        assert "handle_httpstatus_list" not in second.meta

    def test_so_does_a_capture_that_cannot_be_had(self):
        archive = source()
        [first] = look_up(archive, row("20190701000000"), row("20190801000000", digest="B"))
        [second] = archive.instead(decode(encode(first)))
        assert captures([second]) == ["20190801000000"]
        assert list(archive.instead(second)) == []

    def test_nothing_stands_in_for_a_look_up(self):
        archive = source()
        [request] = archive.first_requests([FILM])
        assert list(archive.instead(request)) == []


def requests_of(archive, film, index):
    """Follow all look-ups to their end; gives the captures asked for, and how many look-ups that took."""
    waiting, asked, look_ups = list(archive.first_requests([PageRef(PageKind.MOVIE, film)])), set(), 0
    while waiting:
        request = waiting.pop()
        if request.meta["kind"] == LOOK_UP:
            look_ups += 1
            answer = Query(index, parse_qs(urlsplit(request.url).query)).answer()
            waiting += read(archive, request, body=answer.encode())
        else:
            asked.add(request.url)
    return asked, look_ups


@pytest.mark.parametrize("at", ["2012", "2011-2013"])
def test_an_answer_in_many_parts_leads_to_the_same_captures(monkeypatch, at):
    index = snapshots(World(films=[build_world().film(ENDED)]))
    archive = source(at, [CRITICS, USERS])
    asked, look_ups = requests_of(archive, ENDED, index)
    monkeypatch.setattr("metacrawl.sources.archive.MOST_ROWS", 2)
    again, more_look_ups = requests_of(archive, ENDED, index)
    assert again == asked
    assert len(asked) >= 3
    assert look_ups == 2 < more_look_ups


def test_a_public_archive_must_be_able_to_see_who_asks():
    with pytest.raises(ConfigError, match="METACRAWL_CONTACT"):
        ArchiveSource("https://web.archive.org", "", Span.read("2014"), frozenset())


def test_an_address_that_is_none_is_named():
    with pytest.raises(ConfigError, match="METACRAWL_ARCHIVE_URL=archive is no URL"):
        ArchiveSource("archive", "", Span.read("2014"), frozenset())
