"""`scrapy extract`, the command: what it tells of pages, and how it ends."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from metacrawl.commands.extract import json_line
from metacrawl.demo.content import build_world
from metacrawl.demo.site import DemoSite
from metacrawl.demo.world import World
from metacrawl.explain import explain
from tests.warcs import Answer, write_warc

FIXTURES = Path(__file__).parent.parent / "fixtures"
PAGE = FIXTURES / "2016/movie-with-everything.html"


def told(run):
    """Put what is told on one line, with single spaces."""
    return " ".join(run.stdout.split())


def test_a_saved_page_is_told_with_its_records_and_rules(scrapy):
    run = scrapy("extract", PAGE)
    assert run.returncode == 0, run.stderr
    says = told(run)
    assert PAGE.as_uri() in says
    assert "movie page of layout 2016" in says
    assert re.search(r"movie/the-glass-orchard: 1 film, \d+ critic reviews?, \d+ user reviews?", says)
    assert "title The Glass Orchard" in says
    assert re.search(r"title 1 of 1 //div\S*.*? » \.//h1", says), "the rule that gave it"
    assert re.search(r"text \d of \d \.//div\[.*?blurb_expanded", says), "which of two rules, and how often"
    assert "text Not my glass of tea. (rule 2 of 2)" in says
    assert run.stderr == ""


def test_for_a_program_it_is_json(scrapy):
    run = scrapy("extract", PAGE, "--json", "--captured-at", "2019-01-02T03:04:05Z")
    assert run.returncode == 0, run.stderr
    [page] = map(json.loads, run.stdout.splitlines())
    assert (page["kind"], page["layout"], page["refused"]) == ("movie", "2016", None)
    expected = [json.loads(line) for line in PAGE.with_suffix(".jsonl").read_text("utf-8").splitlines()]
    for record, line in zip(page["records"], expected, strict=True):
        assert {name: record[name] for name in line} == line | {"captured_at": "2019-01-02T03:04:05Z"}
    [title] = [rule for rule in page["rules"] if (rule["record"], rule["field"]) == ("Movie", "title")]
    assert (title["of"], [tried["matched"] for tried in title["expressions"]]) == (1, [1])
    assert page["records"][0]["matched"]["title"] == 1
    assert page["records"][0]["matched"]["must_see"] in {0, 1}


def test_what_a_page_says_acts_on_no_terminal():
    said = "one\x9b31m\x1b[2J\u202e\U000e0001\x7f\n\u00e9"
    line = json_line({"title": said})
    assert line.isprintable()
    assert "\u00e9" in line
    assert json.loads(line) == {"title": said}


@pytest.mark.parametrize("page", sorted(FIXTURES.glob("*/*.html")), ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_what_a_rule_gave_is_in_the_record(page):
    """A field that a rule matched has a value, but for what stands for none; one that no rule matched has none."""
    found = explain(page.read_bytes()).plain
    assert found["refused"] is None
    for record in found["records"]:
        for name, number in record["matched"].items():
            if not number:
                assert record[name] in (None, []), (name, record[name])


def test_all_pages_of_a_folder_and_of_a_warc_are_told(scrapy, tmp_path):
    (tmp_path / "a.html.gz").write_bytes(gzip.compress(PAGE.read_bytes()))
    url = "https://www.metacritic.com/movie/the-glass-orchard"
    write_warc(tmp_path / "b.warc.gz", [Answer(PAGE.read_bytes(), url, date="2015-01-01T00:00:00Z")] * 2, packed=True)
    run = scrapy("extract", tmp_path, "--json")
    assert run.returncode == 0, run.stderr
    pages = [json.loads(line) for line in run.stdout.splitlines()]
    assert [page["kind"] for page in pages] == ["movie"] * 3
    assert [page["records"][0]["captured_at"][:4] for page in pages][1:] == ["2015"] * 2
    assert "?offset=" in pages[1]["page"]


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.html", b"<html>\x1b[31mred</html>", "no canonical link and no telling file name"),
        ("movie/her.html", b"<html>\x1b[31mred</html>", "no known page design"),
        ("movie/her.html", PAGE.read_bytes()[:-400], "cut off"),
        ("a.html.gz", b"\x1f\x8bbroken", "broken gzip"),
        ("a.warc", b"no WARC", "broken WARC at byte 0"),
        ("a.html", PAGE.read_bytes().replace(b"<h1>", b"<h2>").replace(b"</h1>", b"</h2>"), "without its title"),
    ],
)
def test_a_page_that_is_refused_is_told_with_the_reason(scrapy, tmp_path, name, body, says):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(body)
    run = scrapy("extract", file)
    assert run.returncode == 14, run.stdout
    assert re.search(f"REFUSED: .*{says}", run.stdout)


def test_a_page_that_lacks_something_is_told_with_the_rules_that_found_nothing(scrapy, tmp_path):
    page = tmp_path / "page.html"
    page.write_bytes(PAGE.read_bytes().replace(b"<h1>", b"<h2>").replace(b"</h1>", b"</h2>"))
    run = scrapy("extract", page)
    assert re.search(r"title +0 of 1 .*» \.//h1", run.stdout)
    assert re.search(r"Nothing matched for: title", run.stdout)


def test_nothing_of_a_page_acts_on_the_terminal(scrapy, tmp_path):
    hostile = "\x9b31m\x07\u202e".encode() + b"\x1b]0;owned\x07"
    page = tmp_path / "page.html"
    page.write_bytes(PAGE.read_bytes().replace(b"The Glass Orchard", b"The Glass " + hostile + b"Orchard"))
    shutil.copy(page, tmp_path / "\x1b[31mred.html")
    run = scrapy("extract", tmp_path)
    assert run.returncode == 0, run.stdout
    assert "Orchard" in run.stdout
    assert not [char for char in run.stdout.replace("\n", "") if not char.isprintable()]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "which page?"),
        (["a.html", "b.html"], "which page?"),
        (["nowhere.html"], "path=nowhere.html: no such file"),
        ([PAGE, "--captured-at", "then"], "captured_at=then is no time stamp"),
        (["https://www.metacritic.com/movie/her"], "METACRAWL_CONTACT is not set"),
        (["https://web.archive.org/web/2014/https://www.metacritic.com/movie/her"], "save it and give the file"),
        (["https://example.org/movie/her"], "METACRAWL_CONTACT is not set"),
    ],
)
def test_what_is_given_wrong_is_named_in_one_line(scrapy, arguments, says):
    run = scrapy("extract", *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("metacrawl: ")
    assert says in run.stderr
    assert run.stderr.count("\n") == 1


def test_who_has_seen_enough_is_left_in_peace():
    """As with `scrapy extract FILE | head`."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "scrapy", "extract", PAGE, "--json"]
    run = subprocess.run(command, cwd=FIXTURES.parent.parent, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (run.returncode, run.stderr) == (0, b"")


# --- a page of the site


@pytest.fixture(scope="module")
def site():
    with DemoSite(World(films=[build_world().film("nightjar")]), design="2016") as site:
        yield site


@pytest.mark.parametrize("given", ["https://www.metacritic.com/movie/nightjar", "{site}/movie/nightjar"])
def test_a_page_of_the_site_is_fetched_and_told(scrapy, site, given):
    run = scrapy("extract", given.format(site=site.url), METACRAWL_SITE_URL=site.url)
    assert run.returncode == 0, run.stderr
    assert "https://www.metacritic.com/movie/nightjar: 1 film" in run.stdout
    assert site.requests[-2:] == ["/robots.txt", "/movie/nightjar"], "as politely as a crawl"
    assert run.stdout.startswith(f"{site.url}/movie/nightjar\n"), "what was asked for"


def test_a_page_that_the_site_has_not_is_named(scrapy, site):
    run = scrapy("extract", f"{site.url}/movie/nowhere", METACRAWL_SITE_URL=site.url)
    assert run.returncode == 10
    assert run.stderr == f"metacrawl: {site.url}/movie/nowhere: HTTP 404\n"


def test_an_answer_of_the_back_end_needs_one(scrapy, site):
    url = "https://backend.metacritic.com/reviews/metacritic/critic/movies/nightjar/web"
    run = scrapy("extract", url, METACRAWL_SITE_URL=site.url)
    assert run.returncode == 2
    assert run.stderr == f"metacrawl: METACRAWL_API_URL is not set: {url} is an answer of the back end's\n"


def test_a_url_of_another_site_is_refused(scrapy, site):
    run = scrapy("extract", "https://example.org/movie/her", METACRAWL_SITE_URL=site.url)
    assert run.returncode == 2
    assert "is no URL of https://www.metacritic.com" in run.stderr
