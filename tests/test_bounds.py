"""How much a page may hold: what is beyond is refused by name, and what would happen without that."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from metacrawl import bounds, selectors
from metacrawl.bounds import MAX_DEPTH, MAX_ENTRIES, MAX_LENGTH, MAX_PARTS
from metacrawl.extract import HostileError, LayoutError, extract
from metacrawl.urls import API

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
FIXTURES = Path(__file__).parent / "fixtures" / "2016"
MOVIE = (FIXTURES / "movie-with-everything.html").read_text("utf-8")
REVIEWS = (FIXTURES / "user-reviews.html").read_text("utf-8")
DETAILS = (FIXTURES / "details.html").read_text("utf-8")
REVIEW = '<div class="review pad_top1">'


PATH = "/reviews/metacritic/critic/movies/her/web?offset=0&limit=50"
LIST = f"{API}{PATH}"
ANSWER = f'{{"data":{{"totalResults":1,"items":[%s]}},"meta":{{}},"links":{{"self":{{"href":"{LIST}"}}}}}}'


def put_in(page: str, extra: str, before: str = "</body>") -> str:
    assert before in page
    return page.replace(before, extra + before, 1)


def read(page: str):
    return extract(page.encode(), NOON)


def refusal(page: str) -> str:
    with pytest.raises(HostileError) as refused:
        read(page)
    return refused.value.bound


@pytest.mark.parametrize(
    ("bound", "extra"),
    [
        ("length", "a" * MAX_LENGTH),
        ("parts", "<p>" * MAX_PARTS),
        ("parts", f"<p {' '.join(f'a{number}' for number in range(MAX_PARTS))}>"),
        ("parts", "<!---->" * MAX_PARTS),
        ("parts", "<?a>" * MAX_PARTS),
        ("depth", "<b>" * MAX_DEPTH),
        ("depth", "<div>" * 100_000),
    ],
    ids=["length", "elements", "attributes", "comments", "instructions", "depth", "great-depth"],
)
def test_too_much_html_is_refused_by_name(bound, extra):
    assert refusal(put_in(MOVIE, extra)) == bound


@pytest.mark.parametrize(
    "extra",
    ["a" * (MAX_LENGTH - 20_000), "<p></p>" * (MAX_PARTS - 1000), "<b>" * (MAX_DEPTH - 10)],
    ids=["length", "parts", "depth"],
)
def test_a_page_within_the_bounds_is_read_as_ever(extra):
    assert list(read(put_in(MOVIE, extra)).records) == list(read(MOVIE).records)


def test_a_list_without_end_is_refused():
    assert refusal(put_in(REVIEWS, f"{REVIEW}</div>" * MAX_ENTRIES, REVIEW)) == "entries"


def test_reviews_within_reviews_are_refused():
    assert refusal(put_in(REVIEWS, '<div class="user_reviews">', REVIEW)) == "entries"


def test_text_that_is_read_again_and_again_is_refused():
    assert refusal(put_in(MOVIE, "<h1>" * 20 + "long " * 10_000, "<h1>")) == "text"


def test_without_its_bound_depth_leaves_half_a_record(monkeypatch):
    page = put_in(DETAILS, "<div>" * 3000 + "</div>" * 3000, '<table class="details">')
    assert refusal(page) == "depth"
    monkeypatch.setattr(selectors, "check_html", lambda _: None)
    [half], [whole] = read(page).movies, read(DETAILS).movies
    assert half.title == whole.title
    assert (half.runtime_minutes, half.directors) == (None, [])
    assert whole.runtime_minutes
    assert whole.directors


def test_without_its_bound_attributes_take_quadratic_time():
    page = f"<html><p {' '.join(f'a{number}' for number in range(100_000))}></p></html>"
    check = "import sys; from metacrawl.selectors import Document; {}; Document(sys.stdin.read()).html"

    def parse(switch: str) -> int:
        command = [sys.executable, "-c", check.format(switch)]
        return subprocess.run(command, input=page, text=True, capture_output=True, timeout=4, check=False).returncode

    assert parse("pass") == 1
    with pytest.raises(subprocess.TimeoutExpired):
        parse("import metacrawl.selectors as s; s.check_html = lambda _: None")


@pytest.mark.parametrize(
    ("bound", "answer"),
    [
        ("parts", '{"data":[' + "{}," * MAX_PARTS + "{}]}"),
        ("parts", "{" + ",".join(f'"{number}":1' for number in range(MAX_PARTS + 1)) + "}"),
        ("length", '{"data":"' + "x" * MAX_LENGTH + '"}'),
        ("depth", '{"data":' + "[" * 150 + "]" * 150 + "}"),
        ("data", '{"data":[' + "{}," * 20_000 + "{}]}"),
        ("entries", ANSWER % ("{}," * MAX_ENTRIES + "{}")),
        ("words", f"<script>window.__NUXT__=(function(a){{return [{'1,' * 100_000}1]}}(1));</script>"),
    ],
    ids=["values", "names", "length", "depth", "data", "entries", "words"],
)
def test_too_much_data_is_refused_by_name(bound, answer):
    with pytest.raises(HostileError) as refused:
        extract(answer.encode(), NOON, url=LIST)
    assert refused.value.bound == bound


@pytest.mark.parametrize("more", ["", '"publicationName":"Other",', '"__proto__":{"author":"x"},"constructor":1,'])
def test_odd_names_in_an_answer_do_no_harm(more):
    """Of a name that comes twice the last value counts, as in browsers."""
    answer = ANSWER % f'{{{more}"publicationName":"Gazette","quote":"Fine.","score":90}}'
    [review] = extract(answer.encode(), NOON, url=LIST).critic_reviews
    assert (review.publication, review.critic, review.score) == ("Gazette", None, 90)


@pytest.mark.parametrize(
    "value",
    ["9" * 5000, "NaN", "-Infinity", "01", '"\0"'],
    ids=["digits", "nan", "infinity", "zero-first", "nul"],
)
def test_an_answer_with_a_broken_value_is_refused(value):
    answer = ANSWER % f'{{"publicationName":"Gazette","score":{value}}}'
    with pytest.raises(LayoutError, match="JSON"):
        extract(answer.encode(), NOON, url=LIST)


def test_the_two_passes_see_the_same_elements():
    counting = bounds.Counting()
    counting.start("p", {"a": "1"})
    assert (counting.parts, counting.depth) == (2, 1)
    for page in ("", " \0", "<", "a", "<!--", "\ufeff<p>"):
        bounds.check_html(page)
