"""What is read from the archive's index, and which captures are chosen."""

import datetime as dt
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metacrawl.sources import cdx
from metacrawl.sources.cdx import FIELDS, REACH, STAND_INS, Capture, Row, Span, Timeline
from metacrawl.urls import PageKind, PageRef

HER = "http://www.metacritic.com/movie/her"
KINDS = frozenset({PageKind.MOVIE, PageKind.USER_REVIEWS})
ROWS = [
    ["20140102030405", HER, "text/html", "200", "AAAA"],
    ["20150102030405", f"{HER}/", "warc/revisit", "-", "AAAA"],
]
BEGINNING = dt.datetime(2010, 1, 1, tzinfo=dt.UTC)
TIMES = st.integers(0, 500_000_000).map(lambda seconds: BEGINNING + dt.timedelta(seconds=seconds))
CAPTURES = st.lists(
    st.builds(
        Capture,
        TIMES,
        st.sampled_from([HER, "https://metacritic.com/movie/her/"]),
        st.sampled_from("ABCDEFG"),
        st.just(PageRef(PageKind.MOVIE, "her")),
    )
)


def row(timestamp="20140102030405", original=HER, mimetype="text/html", status="200", digest="AAAA"):
    return Row(timestamp, original, mimetype, status, digest)


def answer(*lines):
    return json.dumps([list(FIELDS), *lines]).encode()


class TestTheTimeThatIsAskedFor:
    @pytest.mark.parametrize(
        ("text", "first", "at", "last"),
        [
            ("2014", "2014-01-01T00:00:00", "2014-07-02T12:00:00", "2014-12-31T23:59:59"),
            ("2014-07", "2014-07-01T00:00:00", "2014-07-16T12:00:00", "2014-07-31T23:59:59"),
            ("2016-02", "2016-02-01T00:00:00", "2016-02-15T12:00:00", "2016-02-29T23:59:59"),
            ("2014-12", "2014-12-01T00:00:00", "2014-12-16T12:00:00", "2014-12-31T23:59:59"),
            ("2014-07-16", "2014-07-16T00:00:00", "2014-07-16T12:00:00", "2014-07-16T23:59:59"),
        ],
    )
    def test_a_year_a_month_or_a_day_means_its_middle(self, text, first, at, last):
        span = Span.read(text)
        assert [time.isoformat() for time in (span.first, span.at, span.last)] == [
            f"{first}+00:00",
            f"{at}+00:00",
            f"{last}+00:00",
        ]
        assert not span.is_series
        assert span.text == text

    @pytest.mark.parametrize(
        ("text", "first", "last"),
        [
            ("2014-2017", "2014-01-01", "2017-12-31"),
            ("2014-2014", "2014-01-01", "2014-12-31"),
            ("2014-03-2015", "2014-03-01", "2015-12-31"),
            ("2014-03-02-2014-03-04", "2014-03-02", "2014-03-04"),
        ],
    )
    def test_two_of_them_mean_a_series(self, text, first, last):
        span = Span.read(text)
        assert (str(span.first.date()), str(span.last.date()), span.is_series) == (first, last, True)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            *(
                (text, "is no time such as")
                for text in ("", "soon", "14", "20140", "2014-7", "2014-", "0014", "201\uff14")
            ),
            *((text, "is no time such as") for text in ("2014-13", "2014-02-30", "2014-00", "2014-2017-13")),
            ("2017-2014", "ends before it begins"),
        ],
    )
    def test_anything_else_is_refused(self, text, says):
        with pytest.raises(ValueError, match=says):
            Span.read(text)

    @given(st.text())
    def test_no_text_does_worse_than_that(self, text):
        try:
            span = Span.read(text)
        except ValueError:
            return
        assert span.first <= span.at <= span.last


class TestAnswers:
    def test_rows_come_with_their_fields(self):
        rows, key = cdx.read_answer(answer(*ROWS))
        assert [list(row) for row in rows] == ROWS
        assert rows[1].original == f"{HER}/"
        assert key == ""

    @pytest.mark.parametrize("body", [b"[]", b"[]\n", answer()])
    def test_nothing_archived_is_no_row(self, body):
        assert cdx.read_answer(body) == ([], "")

    def test_an_answer_that_goes_on_says_how_to_ask_for_more(self):
        rows, key = cdx.read_answer(answer(*ROWS, [], ["com%2Cmetacritic%29%2Fmovie%2Fher+20150102030405%21"]))
        assert [list(row) for row in rows] == ROWS
        assert key == "com%2Cmetacritic%29%2Fmovie%2Fher+20150102030405%21"

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (b"", "no answer of the archive's index"),
            (b"<html><body>Too busy</body></html>", "no answer of the archive's index"),
            (b'{"error": "busy"}', "no answer of the archive's index"),
            (b'[["\xff"]]', "no answer of the archive's index"),
            (b'[["timestamp", "original"], ["2014", "x"]]', "answers with timestamp, original, not with timestamp,"),
            (json.dumps(ROWS).encode(), "answers with 20140102030405, "),
            (answer(ROWS[0][:4]), "a line of other than 5 parts"),
            (answer([], ROWS[0]), "a line of other than 5 parts"),
        ],
    )
    def test_a_broken_one_is_refused_in_words(self, body, says):
        with pytest.raises(ValueError, match=says):
            cdx.read_answer(body)

    @given(st.binary() | st.recursive(st.text(max_size=9), st.lists).map(lambda value: json.dumps(value).encode()))
    def test_no_bytes_do_worse_than_that(self, body):
        try:
            rows, _ = cdx.read_answer(body)
        except ValueError:
            return
        assert all(len(row) == len(FIELDS) for row in rows)


class TestCaptures:
    def test_what_shows_the_film_counts(self):
        [capture] = cdx.captures([row(original="https://metacritic.com:443/movie/Her/")], "her", KINDS)
        assert capture.time == dt.datetime(2014, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
        assert capture.timestamp == "20140102030405"
        assert capture.original == "https://metacritic.com:443/movie/Her/"
        assert capture.ref == PageRef(PageKind.MOVIE, "her")

    @pytest.mark.parametrize(
        "other",
        [
            row(status="301"),
            row(status="404"),
            row(status="503"),
            row(status="-"),
            row(mimetype="application/json"),
            row(mimetype="warc/revisit", status="-"),
            row(original="http://www.metacritic.com/movie/her-smell"),
            row(original=f"{HER}/trailers"),
            row(original=f"{HER}/user-reviews/x/y"),
            row(original="http://www.metacritic.com/game/her"),
            row(original="http://example.org/movie/her"),
            row(original="not a URL \n"),
            row(timestamp="20140231030405"),
            row(timestamp="2014"),
            row(timestamp="00010101000000"),
            row(timestamp="19891231235959"),
            row(timestamp="21010101000000"),
            row(timestamp="99991231235959"),
        ],
    )
    def test_anything_else_does_not(self, other):
        assert cdx.captures([other], "her", KINDS) == []

    def test_one_that_repeats_a_page_counts_at_its_own_time(self):
        again = row(timestamp="20150102030405", mimetype="warc/revisit", status="-")
        assert [capture.timestamp for capture in cdx.captures([row(), again], "her", KINDS)] == [
            "20140102030405",
            "20150102030405",
        ]

    @given(TIMES)
    def test_a_time_is_written_as_it_was_read(self, moment):
        timestamp = f"{moment:%Y%m%d%H%M%S}"
        assert Capture.read(timestamp, HER).timestamp == timestamp

    def test_one_that_repeats_a_page_known_from_before_counts(self):
        again = row(mimetype="warc/revisit", status="-")
        assert len(cdx.captures([again], "her", KINDS, ["AAAA"])) == 1
        assert cdx.captures([again], "her", KINDS, ["BBBB"]) == []

    def test_one_that_repeats_an_error_does_not(self):
        error, again = row(status="404"), row(mimetype="warc/revisit", status="-")
        assert cdx.captures([error, again, row(digest="BBBB", timestamp="20160102030405")], "her", KINDS)[0].digest == (
            "BBBB"
        )

    @pytest.mark.parametrize(
        ("original", "path"),
        [
            (f"{HER}/user-reviews", "/movie/her/user-reviews"),
            (f"{HER}/user-reviews/?page=0", "/movie/her/user-reviews"),
            (f"{HER}/user-reviews?page=2&utm_source=x", "/movie/her/user-reviews?page=2"),
            (f"{HER}/user-reviews?sort-by=date", "/movie/her/user-reviews?sort-by=date"),
        ],
    )
    def test_pages_are_told_apart_by_what_they_show(self, original, path):
        [(page, _)] = cdx.by_page(cdx.captures([row(original=original)], "her", KINDS)).items()
        assert page.path == path

    def test_a_slug_may_be_encoded(self):
        original = "http://www.metacritic.com/movie/who-the-%25-is-it"
        assert len(cdx.captures([row(original=original)], "who-the-%-is-it", KINDS)) == 1


class TestTheNearest:
    @given(CAPTURES, TIMES)
    def test_none_is_nearer_than_the_first(self, found, at):
        chosen = Timeline(found).nearest(at)
        assert bool(chosen) == bool(found)
        if chosen:
            assert abs(chosen[0].time - at) == min(abs(capture.time - at) for capture in found)

    def test_of_two_as_near_it_is_the_earlier(self):
        at, hour = dt.datetime(2014, 7, 2, 12, tzinfo=dt.UTC), dt.timedelta(hours=1)
        before, after = (Capture(time, HER, "A", PageRef(PageKind.MOVIE, "her")) for time in (at - hour, at + hour))
        assert Timeline([after, before]).nearest(at) == [before]

    @given(CAPTURES, TIMES)
    def test_what_can_stand_in_has_other_content(self, found, at):
        chosen = Timeline(found).nearest(at)
        digests = [capture.digest for capture in chosen]
        assert len(digests) == len(set(digests)) == min(1 + STAND_INS, len({capture.digest for capture in found}))
        away = [abs(capture.time - at) for capture in chosen]
        assert away == sorted(away)

    @given(CAPTURES, TIMES)
    def test_nothing_is_out_of_reach(self, found, at):
        near = [capture for capture in found if abs(capture.time - at) <= REACH]
        assert Timeline(found).nearest(at, REACH) == Timeline(near).nearest(at)

    @given(CAPTURES, CAPTURES, TIMES)
    def test_what_is_chosen_of_a_part_is_enough_of_it(self, part, rest, at):
        chosen = Timeline(part).nearest(at)
        assert Timeline([*chosen, *rest]).nearest(at) == Timeline([*part, *rest]).nearest(at)

    @given(CAPTURES, TIMES)
    def test_it_is_what_looking_at_each_finds(self, found, at):
        chosen = {}
        for capture in sorted(found, key=lambda it: (abs(it.time - at), it.time, it.original, it.digest)):
            chosen.setdefault(capture.digest, capture)
        assert Timeline(found).nearest(at) == list(chosen.values())[: 1 + STAND_INS]

    @pytest.mark.parametrize("contents", [1, 2, 4000])
    def test_each_of_thousands_is_found_without_looking_at_all(self, contents):
        film, hour = PageRef(PageKind.MOVIE, "her"), dt.timedelta(hours=1)
        found = [Capture(BEGINNING + hour * number, HER, str(number % contents), film) for number in range(4000)]
        started = time.process_time()
        timeline = Timeline(found)
        assert [timeline.nearest(capture.time)[0] for capture in found] == found
        assert time.process_time() - started < 2


class TestASeries:
    @given(CAPTURES, TIMES, TIMES)
    def test_each_content_comes_once_at_its_first_time(self, found, one, other):
        first, last = sorted((one, other))
        within = [capture for capture in found if first <= capture.time <= last]
        chosen = cdx.series(found, first, last)
        assert {capture.digest: capture.time for capture in chosen} == {
            digest: min(capture.time for capture in within if capture.digest == digest)
            for digest in {capture.digest for capture in within}
        }
        assert [capture.time for capture in chosen] == sorted(capture.time for capture in chosen)

    @given(CAPTURES, CAPTURES, TIMES, TIMES)
    def test_what_is_chosen_of_a_part_is_enough_of_it(self, part, rest, one, other):
        span = sorted((one, other))
        assert cdx.series([*cdx.series(part, *span), *rest], *span) == cdx.series([*part, *rest], *span)
