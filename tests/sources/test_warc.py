"""Pages in WARC files."""

import datetime as dt
import gzip
import io
import re
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metacrawl.extract import LayoutError
from metacrawl.sources.warc import WarcError, places, read_record
from tests.warcs import HER, HTML, PACKED, Answer, chunked, write_warc

LIMIT = 1_000_000
PAGE = b"<html><title>Her</title>" + b"<p>word</p>" * 1000 + b"</html>"
BOTH = pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])


def pages_of(body, limit=LIMIT):
    found = [body[place.offset : place.offset + place.length] for place in places(io.BytesIO(body), Counter())]
    return [read_record(record, limit) for record in found]


@pytest.fixture
def warc(tmp_path):
    """Write answers into a file, and give its bytes."""

    def write(*answers, packed=True):
        return write_warc(tmp_path / "crawl.warc", answers, packed=packed).read_bytes()

    return write


@BOTH
def test_a_page_comes_as_it_was_sent_with_its_url_and_time(warc, packed):
    [page] = pages_of(warc(Answer(PAGE), packed=packed))
    assert (page.body, page.url, page.content_type) == (PAGE, HER, "text/html; charset=utf-8")
    assert page.captured_at == dt.datetime(2014, 7, 16, 8, 30, tzinfo=dt.UTC)


@BOTH
@given(bodies=st.lists(st.binary(min_size=1, max_size=300).map(b"<".__add__), max_size=5))
def test_every_record_is_found_whatever_is_in_it(tmp_path_factory, packed, bodies):
    file = tmp_path_factory.mktemp("warc") / "crawl.warc"
    warc = write_warc(file, [Answer(body) for body in bodies], packed=packed).read_bytes()
    assert [page.body for page in pages_of(warc)] == bodies


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("sent", [bytes, chunked], ids=["whole", "chunked"])
def test_a_page_is_unpacked(warc, packing, sent):
    headers = (*HTML, ("Content-Encoding", packing.split()[0]), ("Transfer-Encoding", "Chunked"))
    [page] = pages_of(warc(Answer(sent(PACKED[packing](PAGE)), headers=headers)))
    assert page.body == PAGE


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_page_that_the_recorder_has_unpacked_is_left_alone(warc, encoding):
    headers = (*HTML, ("Content-Encoding", encoding), ("Transfer-Encoding", "chunked"))
    [page] = pages_of(warc(Answer(PAGE, headers=headers)))
    assert page.body == PAGE


def test_a_resource_is_a_page_too(warc):
    [page] = pages_of(warc(Answer(PAGE, kind="resource")))
    assert (page.body, page.url) == (PAGE, HER)


def test_only_films_pages_are_taken_and_the_rest_is_counted(warc):
    answers = [
        Answer(PAGE, "http://www.metacritic.com/movie/her/user-reviews?page=1"),
        Answer(
            b'{"data": 1}', "https://backend.metacritic.com/reviews/metacritic/user/movies/her/web?offset=50"
        )._replace(headers=(("content-type", "application/json"),)),
        *(
            Answer(PAGE, url)
            for url in (
                "https://www.metacritic.com/game/elden-ring",
                "https://www.metacritic.com/person/spike-jonze",
                "https://example.org/movie/her",
                "file:///etc/passwd",
                "dns:www.metacritic.com",
                "javascript:alert(1)",
            )
        ),
        Answer(PAGE, status="404 Not Found"),
        Answer(b"", status="302 Found", headers=(("Location", "https://example.org/"),)),
        Answer(b"\x89PNG", headers=(("Content-Type", "image/png"),)),
        Answer(b"", kind="revisit"),
    ]
    body, passed_over = warc(*answers), Counter()
    assert len(list(places(io.BytesIO(body), passed_over))) == 2
    requests = len(answers)
    assert passed_over == {
        "records without a page": 1 + requests + 1,
        "other pages": 6,
        "answers that are no page": 3,
    }


def test_a_page_of_the_web_archives_has_the_time_of_its_capture(warc):
    [page] = pages_of(warc(Answer(PAGE, f"https://web.archive.org/web/20121231235959id_/{HER}")))
    assert page.url == HER
    assert page.captured_at == dt.datetime(2012, 12, 31, 23, 59, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "target",
    [
        "http://www.metacritic.com:80/movie/her?ref=hp#top",
        "https://metacritic.com/movie/her/",
        "http://web.archive.org/web/2012/http://www.metacritic.com:80/movie/Her?ref=hp",
    ],
)
def test_a_page_has_one_url_however_it_was_asked_for(warc, target):
    [page] = pages_of(warc(Answer(PAGE, target)))
    assert page.url == HER


def test_a_time_that_is_none_is_unknown(warc):
    [page] = pages_of(warc(Answer(PAGE, date="20140716083000?")))
    assert page.captured_at is None


@BOTH
def test_captures_of_the_same_page_are_pages_of_their_own(warc, packed):
    days = ["2014-01-01T00:00:00Z", "2015-01-01T00:00:00.123456Z"]
    pages = pages_of(warc(*(Answer(PAGE, date=day) for day in days), packed=packed))
    assert [page.captured_at.year for page in pages] == [2014, 2015]


# --- broken and hostile


def broken(body):
    """Read up to where a file is broken: the pages before, and the error."""
    found = []
    with pytest.raises(WarcError) as error:
        found.extend(places(io.BytesIO(body), Counter()))  # what came before the error is kept
    return found, error.value


@BOTH
@pytest.mark.parametrize("lost", [1, 5, 100])
def test_what_stands_before_a_broken_place_is_kept(warc, packed, lost):
    whole = warc(Answer(PAGE), Answer(PAGE * 2), packed=packed)
    *_, last = places(io.BytesIO(whole), Counter())
    end = last.offset + last.length - lost - 4 * (not packed)  # behind a record that is not packed is an empty line
    met, error = broken(whole[:end])
    assert len(met) == 1
    assert error.offset == last.offset
    assert str(error).startswith(f"broken WARC at byte {last.offset:,}: ")
    assert "cut off" in str(error)


@BOTH
@pytest.mark.parametrize("kind", ["response", "resource"])
@pytest.mark.parametrize("lost", [10, 500])
def test_a_page_that_is_cut_off_is_refused(warc, packed, kind, lost):
    whole = warc(Answer(PAGE, kind=kind), packed=packed)
    *_, last = places(io.BytesIO(whole), Counter())
    record = whole[last.offset : last.offset + last.length - 4 * (not packed)]
    assert read_record(record, LIMIT).body == PAGE
    with pytest.raises(LayoutError, match="broken WARC record: cut off"):
        read_record(record[: -min(lost, len(record) // 2)], LIMIT)


def test_a_flipped_bit_is_noticed(warc):
    body = bytearray(warc(Answer(PAGE), Answer(PAGE)))
    [_, last] = places(io.BytesIO(bytes(body)), Counter())
    body[last.offset + last.length // 2] ^= 0x10
    _, error = broken(bytes(body))
    assert error.offset == last.offset


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>no WARC at all</html>", "Invalid WARC record"),
        (b"\x1f\x8b" + b"\0" * 50, "Error -3"),
        (b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: x\r\n\r\nendless", "without its length"),
        (b"WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 9999999999\r\n\r\nshort", "cut off"),
        (
            gzip.compress(
                b"WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 1\r\n\r\nx\r\n\r\nWARC/1.0\r\n", mtime=0
            ),
            "in one piece",
        ),
    ],
)
def test_what_is_wrong_is_said(body, says):
    found, error = broken(body)
    assert says in str(error)
    assert (found, error.offset) == ([], 0)


@pytest.mark.parametrize(
    "bomb",
    [b"WARC/1.0\r\nX: " + b"a" * 300_000_000, b"WARC/1.0\r\n" + b"a: b\r\n" * 20_000_000, b"a" * 300_000_000],
    ids=["a header", "headers", "a line"],
)
def test_headers_without_end_take_no_memory(bomb):
    packed = gzip.compress(bomb, compresslevel=1)
    del bomb
    tracemalloc.start()
    _, error = broken(packed)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "headers of more than" in str(error)
    assert most < 10_000_000


def test_a_page_that_is_too_large_is_passed_by_and_refused(warc):
    large = b"<" + b"a" * 30_000_000
    whole = warc(Answer(large), Answer(PAGE))
    tracemalloc.start()
    found = list(places(io.BytesIO(whole), Counter()))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5_000_000
    [bomb, good] = [whole[place.offset : place.offset + place.length] for place in found]
    assert read_record(good, LIMIT).body == PAGE
    with pytest.raises(LayoutError, match="larger than 1,000,000 bytes"):
        read_record(bomb, LIMIT)


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("sent", [bytes, chunked], ids=["whole", "chunked"])
def test_a_page_that_unpacks_without_end_is_refused(warc, packing, sent):
    headers = (*HTML, ("Content-Encoding", packing.split()[0]), ("Transfer-Encoding", "chunked"))
    bomb = sent(PACKED[packing](b"<" + b"\0" * 100_000_000))
    body = warc(Answer(bomb, headers=headers))
    tracemalloc.start()
    with pytest.raises(LayoutError, match="larger than 1,000,000 bytes"):
        pages_of(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000


@pytest.mark.parametrize(
    ("body", "headers", "says"),
    [
        (b"\x1f\x8bbroken", (*HTML, ("Content-Encoding", "gzip")), "broken gzip"),
        (gzip.compress(PAGE, mtime=0)[:-9], (*HTML, ("Content-Encoding", "gzip")), "broken gzip"),
        (b"\x0b\x02\x80packed", (*HTML, ("Content-Encoding", "br")), "packed as br"),
        (chunked(PAGE)[:-50], (*HTML, ("Transfer-Encoding", "chunked")), "broken WARC record"),
    ],
)
def test_a_page_that_cannot_be_unpacked_is_refused_in_words(warc, body, headers, says):
    with pytest.raises(LayoutError, match=re.escape(says)):
        pages_of(warc(Answer(body, headers=headers)))


@given(st.binary(max_size=500), st.integers(0, 3000), st.booleans())
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path_factory, noise, at, packed):
    file = tmp_path_factory.mktemp("warc") / "crawl.warc"
    whole = write_warc(file, [Answer(PAGE), Answer(chunked(PAGE))], packed=packed).read_bytes()
    body = whole[:at] + noise + whole[at + len(noise) :]
    try:
        pages = pages_of(body)
    except (WarcError, LayoutError):
        return
    assert all(page.url for page in pages)
