"""Saved pages: their names, their marks, their packings; and that a browser's copy gives what the page gave."""

import datetime as dt
import doctest
import gzip
import logging
import random
import re
from email.message import EmailMessage
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from pathlib import Path
from urllib.parse import urljoin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from scrapy import Request
from scrapy.http import Response

from metacrawl.encoding import decode
from metacrawl.extract import LayoutError, Page, extract
from metacrawl.outcome import ConfigError
from metacrawl.sources import saved
from metacrawl.sources.files import FilesSource
from metacrawl.sources.saved import read_saved, url_of
from metacrawl.spiders.arguments import read_path
from metacrawl.urls import parse
from tests.warcs import HER, Answer, write_warc

FIXTURES = Path(__file__).parent.parent / "fixtures"
PAGES = sorted(FIXTURES.glob("*/*.html"))
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
LIMIT = 1_000_000
HEAD = "<!DOCTYPE html>\n<!-- saved from url=(0039){url} -->\n<html><head></head><body></body></html>"


def read_files(*files, captured_at=None):
    """Read files as a crawl does: each request's answer, or why it is refused."""
    source = FilesSource(files, captured_at, LIMIT)
    for request in source.first_requests(()):
        response = Response(request.url, body=source.load(request.url), request=request)
        try:
            yield source.read(response)
        except LayoutError as error:
            yield str(error)


def test_the_examples_in_the_docstrings_are_true():
    results = doctest.testmod(saved)
    assert (results.failed, results.attempted > 0) == (0, True)


# --- which page it is


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("movie/her.html", "/movie/her"),
        ("movie/her.HTM", "/movie/her"),
        ("movie/her.html.gz", "/movie/her"),
        ("movie/her", "/movie/her"),
        ("movie/her/index.html", "/movie/her"),
        ("movie/her/user-reviews?page=1.html", "/movie/her/user-reviews?page=1"),
        ("movie/her/user-reviews?page=1", "/movie/her/user-reviews?page=1"),
        ("movie/her/user-reviews%3Fpage=1.html", "/movie/her/user-reviews?page=1"),
        ("movie/her/user-reviews@page=1.html", "/movie/her/user-reviews?page=1"),
        ("movie/her/user-reviews?sort-by=date&page=1.html.gz", "/movie/her/user-reviews?sort-by=date&page=1"),
        ("www.metacritic.com/movie/her/user-reviews/index.html?page=1", "/movie/her/user-reviews?page=1"),
        ("www.metacritic.com/movie/movie/details.html", "/movie/movie/details"),
        ("mine/movie/wall.e.html", "/movie/wall.e"),
        ("Her Reviews - Metacritic.html", None),
        ("films/her.html", None),
    ],
)
def test_a_name_tells_the_url(name, path):
    assert url_of(Path("/saved") / name) == (f"https://www.metacritic.com{path}" if path else "")


def test_a_name_tells_the_url_of_an_answer_of_the_back_end():
    path = "reviews/metacritic/user/movies/her/web"
    name = Path(f"/saved/backend.metacritic.com/{path}?offset=50&limit=50.json")
    assert url_of(name) == f"https://backend.metacritic.com/{path}?offset=50&limit=50"


@pytest.mark.parametrize(
    ("marked", "url"),
    [
        (HER, HER),
        ("http://www.metacritic.com:80/movie/her?ref=hp#reviews", HER),
        ("https://www.metacritic.com/movie/viii%2D%2D-jedi", "https://www.metacritic.com/movie/viii---jedi"),
        (f"https://web.archive.org/web/20140716083000/{HER}", HER),
        ("about:internet", ""),
        ("https://example.org/movie/her", ""),
        ("file:///etc/passwd", ""),
    ],
)
def test_a_browsers_mark_tells_the_url_if_it_is_one_of_the_sites(marked, url):
    assert read_saved(HEAD.format(url=marked).encode(), Path("/page.html"), LIMIT).saved_as == url


def test_a_browsers_mark_of_the_web_archive_tells_the_time():
    mark = HEAD.format(url=f"https://web.archive.org/web/20140716083000/{HER}").encode()
    found = read_saved(mark, Path("/page.html"), LIMIT)
    assert found.captured_at == dt.datetime(2014, 7, 16, 8, 30, tzinfo=dt.UTC)


ARCHIVED = "/web/20140716083000/https://www.metacritic.com/movie/her"


@pytest.mark.parametrize("archive", ["", "https://web.archive.org"])
@pytest.mark.parametrize(
    ("body", "time"),
    [
        ('<link href="{url}" rel="canonical">', dt.datetime(2014, 7, 16, 8, 30, tzinfo=dt.UTC)),
        ('<link rel="canonical" href="/web/99999999999999/https://www.metacritic.com/movie/her">{url}', None),
        ('<link rel="canonical" href="https://www.metacritic.com/movie/her"><a href="{url}">a page</a>', None),
        ('{{"canonical": "{url}"}}', None),
    ],
)
def test_the_name_of_a_page_that_the_web_archive_has_made_tells_the_time(archive, body, time):
    found = read_saved(body.format(url=archive + ARCHIVED).encode(), Path("/page.html"), LIMIT)
    assert found.captured_at == time


def fixture(name, *, named=True):
    """Give a page of ours, with or without its own name in it."""
    body = (FIXTURES / "2016" / name).read_bytes()
    return body if named else re.sub(rb'<link rel="canonical"[^>]*>', b"", body)


def marked(body, url):
    return b"<!-- saved from url=(0039)%s -->\n" % url.encode() + body


def test_a_page_is_first_what_it_says_then_what_the_browser_says_then_what_its_name_says(tmp_path):
    mark, name = "https://www.metacritic.com/movie/marked", tmp_path / "movie" / "named.html"
    name.parent.mkdir()
    slugs = []
    for body in (
        marked(fixture("movie-with-everything.html"), mark),
        marked(fixture("movie-with-everything.html", named=False), mark),
        fixture("movie-with-everything.html", named=False),
    ):
        name.write_bytes(body)
        slugs += [page.ref.slug for page in read_files(name)]
    assert slugs == ["the-glass-orchard", "marked", "named"]


# --- which files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder of pages and other things, and go there."""
    monkeypatch.chdir(tmp_path)
    for name in (
        *("Her.html", "Her_files/frame.html", "Her_files/deep/frame.html", "my_files/page.htm", "a.xhtml", "b.json"),
        *("c.html.gz", "d.json.gz", "e.warc", "f.warc.gz", "g.mhtml", "index.html?page=1", "deep/h.HTML"),
        *("notes.txt", "logo.png", "logo.png.gz", ".hidden.html", ".git/page.html", "html", "page.html.bak"),
    ):
        file = tmp_path / "saved" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / "saved"


def names(path):
    return {Path(file).relative_to(Path("saved").absolute()).as_posix() for file in read_path(path)}


def test_a_folder_is_all_pages_below_it(folder):
    assert names("saved") == {
        *("Her.html", "my_files/page.htm", "a.xhtml", "b.json", "c.html.gz", "d.json.gz", "e.warc", "f.warc.gz"),
        *("g.mhtml", "index.html?page=1", "deep/h.HTML"),
    }


def test_frames_that_a_browser_put_beside_a_page_are_no_pages(folder):
    assert names("saved/**/*.html") == {"Her.html"}
    assert names("saved/Her_files/*.html") == {"Her_files/frame.html"}, "but for who says so"
    assert names("saved/Her_files") == {"Her_files/frame.html", "Her_files/deep/frame.html"}


def test_a_folder_without_pages_is_refused(tmp_path):
    (tmp_path / "page.txt").touch()
    with pytest.raises(ConfigError, match=re.escape(f"path={tmp_path}: ")):
        read_path(str(tmp_path))


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_file_is_found_whatever_its_name(name):
    file = Path("/saved") / f"{name} .html"
    [request] = FilesSource([file], None, LIMIT).first_requests(())
    assert FilesSource([file], None, LIMIT).files[Request(request.url).url] == file


# --- packed pages


@pytest.mark.parametrize("name", ["her.html.gz", "her.html"])
def test_a_packed_page_is_unpacked(name):
    assert read_saved(gzip.compress(b"<p>") + gzip.compress(b"</p>"), Path(name), LIMIT).body == b"<p></p>"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html></html>", "broken gzip: Not a gzipped file"),
        (gzip.compress(b"page" * 100, mtime=0)[:-9], "broken gzip: "),
        (gzip.compress(random.Random(1).randbytes(1000), mtime=0)[:500] + b"\0" * 600, "broken gzip: "),  # noqa: S311
        (gzip.compress(b"\0" * (LIMIT + 1), mtime=0), "larger than 1,000,000 bytes"),
        (b"\0" * (LIMIT + 1), "larger than 1,000,000 bytes"),
    ],
)
def test_what_cannot_be_unpacked_is_refused_in_words(body, says):
    with pytest.raises(LayoutError, match=says):
        read_saved(body, Path("her.html.gz"), LIMIT)


@given(st.binary(max_size=200))
def test_whatever_is_packed_is_read_or_refused(noise):
    for name in ("her.html.gz", "her.mhtml", "her.html"):
        try:
            found = read_saved(b"\x1f\x8b\x08\0" + noise, Path(name), LIMIT)
        except LayoutError:
            continue
        assert isinstance(found.body, bytes)


def multipart(text, url, encoding="quoted-printable"):
    """Put a page, a picture and a frame into one file, as browsers do."""
    message = MIMEMultipart("related", type="text/html")
    message["Snapshot-Content-Location"] = url
    page = EmailMessage()
    page.set_content(text, "html", cte=encoding)
    page["Content-Location"] = url
    frame = EmailMessage()
    frame.set_content("<p>another page</p>", "html")
    frame["Content-Location"] = "https://www.metacritic.com/movie/frame"
    for part in (page, MIMEImage(b"\x89PNG", "png"), frame):
        message.attach(part)
    return message.as_bytes()


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_a_page_with_its_pictures_in_one_file_is_read(tmp_path, encoding):
    body = fixture("movie-with-everything.html", named=False)
    file = tmp_path / "page.mhtml"
    file.write_bytes(multipart(decode(body), f"{HER}?ref=1", encoding))
    [page] = read_files(file)
    assert page.ref.url == HER
    assert [movie.title for movie in page.movies] == ["The Glass Orchard"]


@pytest.mark.parametrize(
    "body", [b"", b"no message", b"Content-Type: multipart/related; boundary=a\n\n--a\n\nx", b"multipart/mixed" * 30]
)
def test_a_file_of_parts_without_a_page_is_refused(body):
    with pytest.raises(LayoutError, match="parts"):
        read_saved(body, Path("her.mht"), LIMIT)


PARTED = b"Content-Type: multipart/related; boundary=a\n\n"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'Content-Type: multipart/related; a="' + b"b;" * 400_000 + b'"\n\n<html>', "more than 1,000 characters"),
        (b"Content-Type: multipart/related; boundary=" + b"a" * 900_000 + b"\n\n<html>", "more than 1,000 characters"),
        (PARTED + b"--a\nContent-Type: text/html" + b"\n ;" * 300_000 + b"\n\n<html>", "more than 1,000 characters"),
        (PARTED * 21, "parts within parts"),
        (b"Content-Type: message/rfc822\n\n" * 10_000, "parts within parts"),
        (PARTED + b"--a\n\n" * 150_000, "more than 5,000 parts"),
    ],
    ids=["parameters", "a boundary", "a part's parameters", "multiparts", "messages", "parts"],
)
def test_a_file_of_parts_that_would_take_minutes_is_refused(body, says):
    with pytest.raises(LayoutError, match=says):
        read_saved(body, Path("her.mht"), LIMIT)


def test_a_few_parts_within_parts_are_read():
    nested = b"".join(b"Content-Type: multipart/related; boundary=a%d\n\n--a%d\n" % (n, n) for n in range(20))
    found = read_saved(nested + b"Content-Type: text/html\n\n<html>", Path("her.mht"), LIMIT)
    assert found.body == b"<html>"


PIECES = st.sampled_from(
    [
        *(
            "Content-Type: ",
            "multipart/related",
            "; boundary=a",
            "message/rfc822",
            "text/html",
            "; charset*0=",
            "base64",
        ),
        *("--a", "--a--", "\n", "\n\n", "\r", '"', "=", "Content-Transfer-Encoding: ", "Content-Location: ", HER),
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_whatever_a_file_of_parts_holds_it_is_read_or_refused(text):
    try:
        found = read_saved(text.encode(), Path("her.mhtml"), LIMIT)
    except LayoutError:
        return
    assert isinstance(found.body, bytes)


# --- a browser's copy gives what the page gave


def reserialised(text, url):
    """Write a page out of its tree, as browsers do: links made absolute, quotes, entities, closing tags, `<tbody>`."""
    tree = html.fromstring(text)
    tree.rewrite_links(lambda link: urljoin(url, link), base_href="")
    for table in tree.iter("table"):
        if rows := [child for child in table if child.tag == "tr"]:
            rows[0].addprevious(tbody := html.Element("tbody"))
            tbody.extend(rows)
    for head in tree.iter("head"):
        head.insert(0, html.fragment_fromstring('<base href=".">'))
    return html.tostring(tree, encoding="unicode", doctype="<!DOCTYPE html>")


def made_by_the_archive(prefix):
    """Make of each link what the web archive makes of it."""

    def copy(text, url):
        tree = html.fromstring(text)
        tree.rewrite_links(lambda link: prefix + urljoin(url, link) if urljoin(url, link)[:4] == "http" else link)
        return html.tostring(tree, encoding="unicode", doctype="<!DOCTYPE html>")

    return copy


def marked_after_the_doctype(text, url):
    return re.sub(r"(?i)^(\s*(?:<!doctype[^>]*>)?)", rf"\1\n<!-- saved from url=(0039){url} -->\n", text, count=1)


COPIES = {
    "as it was": lambda text, _: text,
    "marked": marked_after_the_doctype,
    "reserialised": reserialised,
    "archived": made_by_the_archive("https://web.archive.org/web/20140716083000/"),
    "archived, without the host": made_by_the_archive("/web/20140716083000/"),
    "with the line ends of Windows": lambda text, _: re.sub("\r?\n", "\r\n", text),
    "with a byte order mark": lambda text, _: f"\ufeff{text}",
}
PACKINGS = {
    ".html": str.encode,
    ".html.gz": lambda text: gzip.compress(text.encode()),
    ".mhtml": lambda text: multipart(text, HER),
}


def records(page):
    return [msgspec.to_builtins(record) for record in page.records]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("ending", PACKINGS)
def test_a_browsers_copy_gives_what_the_page_gave(tmp_path, page, copy, ending):
    expected = extract(page.read_bytes(), NOON)
    file = tmp_path / f"page{ending}"
    # Whatever a page was sent in, a browser saves it in UTF-8, and says so.
    text = re.sub("(?i)charset=[\"']?[\\w-]+[\"']?", 'charset="utf-8"', decode(page.read_bytes()))
    file.write_bytes(PACKINGS[ending](COPIES[copy](text, next(expected.records).source_url)))
    [found] = read_files(file, captured_at=NOON)
    assert isinstance(found, Page), found
    assert records(found) == records(expected)


def test_a_picture_beside_the_page_is_not_the_sites(tmp_path):
    file = tmp_path / "page.html"
    file.write_bytes(
        re.sub(
            rb'(summary_left.*?<img[^>]* src=)"[^"]*"',
            rb'\1"./Her_files/her.jpg"',
            fixture("details.html"),
            count=1,
            flags=re.DOTALL,
        )
    )
    assert b"./Her_files" in file.read_bytes()
    [page] = read_files(file)
    assert page.movies[0].image_url is None


# --- WARC


@pytest.mark.parametrize("name", ["crawl.warc", "crawl.warc.gz"])
def test_each_page_of_a_warc_is_read_by_itself(tmp_path, caplog, name):
    caplog.set_level(logging.INFO)
    url = "https://www.metacritic.com/movie/the-glass-orchard"
    answers = [
        Answer(fixture("movie-with-everything.html"), url, date=f"{year}-01-01T00:00:00Z") for year in (2018, 2020)
    ]
    other = Answer(b"<html></html>", "https://example.org/")
    warc = write_warc(tmp_path / name, [answers[0], other, answers[1]], packed=name.endswith(".gz"))
    pages = list(read_files(warc))
    assert [record.captured_at.year for page in pages for record in page.movies] == [2018, 2020]
    assert {record.source_url for page in pages for record in page.records} == {url}
    assert f"{warc.as_uri()}: 2 pages; passed over: 1 other pages, 4 records without a page" in caplog.text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_a_recording_of_the_web_archives_page_gives_what_the_page_gave(tmp_path, page):
    body = page.read_bytes()
    url = parse(next(extract(body, NOON).records).source_url).url
    expected = extract(body, NOON, url=url)
    text = made_by_the_archive("/web/20140716083000/")(decode(body), url)
    target = f"https://web.archive.org/web/20260101120000/{url.replace('https', 'http')}"
    [found] = read_files(write_warc(tmp_path / "a.warc", [Answer(text.encode(), target)], packed=False))
    assert isinstance(found, Page), found
    assert records(found) == records(expected)
    assert found.next_page == expected.next_page


def test_a_time_that_is_given_goes_before_that_of_the_file(tmp_path):
    warc = write_warc(tmp_path / "a.warc", [Answer(fixture("movie-with-everything.html"))], packed=False)
    [page] = read_files(warc, captured_at=NOON)
    assert {record.captured_at for record in page.records} == {NOON}


def test_a_broken_warc_gives_what_stands_before_and_says_where_it_is_broken(tmp_path):
    warc = write_warc(tmp_path / "a.warc", [Answer(fixture("movie-with-everything.html"))], packed=False)
    size = warc.stat().st_size
    warc.write_bytes(warc.read_bytes() + b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 100\r\n\r\n<html>")
    page, says = read_files(warc)
    assert page.movies[0].title == "The Glass Orchard"
    assert says == f"broken WARC at byte {size:,}: cut off"


def test_a_warc_that_cannot_be_read_fails_as_any_other_file(tmp_path):
    (tmp_path / "a.warc").mkdir()
    source = FilesSource([tmp_path / "a.warc"], None, LIMIT)
    [request] = source.first_requests(())
    with pytest.raises(IsADirectoryError):
        source.load(request.url)


def test_nothing_is_read_that_was_not_named(tmp_path):
    for name in ("named.html", "other.html"):
        (tmp_path / name).write_bytes(name.encode())
    source = FilesSource([tmp_path / "named.html"], None, LIMIT)
    assert source.load((tmp_path / "named.html").as_uri()) == b"named.html"
    assert source.load(f"{(tmp_path / 'named.html').as_uri()}?offset=2&length=3") == b"med"
    for url in ((tmp_path / "other.html").as_uri(), "file:///etc/passwd", f"{tmp_path.as_uri()}/x/../named.html"):
        with pytest.raises(KeyError):
            source.load(url)


def test_no_more_is_read_than_a_page_may_have(tmp_path):
    file = tmp_path / "large.html"
    with file.open("wb") as large:
        large.truncate(10 * LIMIT)
    source = FilesSource([file], None, LIMIT)
    for url in (file.as_uri(), f"{file.as_uri()}?offset=0&length={10 * LIMIT}"):
        assert len(source.load(url)) == LIMIT + 1
    assert list(read_files(file)) == ["larger than 1,000,000 bytes"]


def test_a_limit_of_0_is_none(tmp_path):
    file = tmp_path / "movie" / "her.html"
    file.parent.mkdir()
    file.write_bytes(b"<html>" * LIMIT)
    assert len(FilesSource([file], None, 0).load(file.as_uri())) == 6 * LIMIT
