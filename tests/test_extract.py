"""What `extract` makes of pages that are not what they should be, and how it decodes them."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metacrawl.encoding import decode
from metacrawl.extract import LayoutError, extract
from metacrawl.urls import PageKind, PageRef

FIXTURES = Path(__file__).parent / "fixtures/2016"
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
SITE = "https://www.metacritic.com"


def page(name: str, **changes: str) -> bytes:
    """A page of ours with some of its words changed, each of which it must have."""
    text = (FIXTURES / f"{name}.html").read_text(encoding="utf-8")
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    return text.encode()


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("movie-with-everything", ("<h1>", "<h2>"), "movie page of layout 2016: without its title"),
        ("movie-with-everything", ("movie product summary", "film product"), "no known page design"),
        ("movie-with-everything", ("</html>", ""), "movie page of layout 2016: cut off"),
        ("movie-with-everything", ('class="critic_reviews"', 'class="crix"'), "reviews nor a word that there are none"),
        ("movie-with-everything", ("review pad_top1", "revue pad_top1"), "reviews nor a word that there are none"),
        ("movie-without-scores", ("No reviews yet.", ""), "reviews nor a word that there are none"),
        (
            "critic-reviews",
            ("review pad_top1", "revue pad_top1"),
            "critic-reviews page of layout 2016: neither critic reviews",
        ),
        ("user-reviews", ('class="user_reviews"', ""), "user-reviews page of layout 2016: neither user reviews"),
        ("user-reviews", ('orchard/user-reviews?sort-by=date&num_items=100&page=1"', 'x/user-reviews?page=1"'), "next"),
        ("user-reviews", ("&page=1", ""), "its next page is"),
        (
            "user-reviews",
            ('href="/movie/the-glass-orchard/user-reviews?sort', 'href="https://example.org/?sort'),
            "next",
        ),
        ("details", ("movie product details", "movie product summary"), "expected a page of kind details"),
    ],
)
def test_a_page_without_what_its_kind_always_has_is_refused(name, change, says):
    body = page(name, change=change)
    with pytest.raises(LayoutError, match=says):
        extract(body, NOON)


def test_a_next_page_that_is_the_same_page_is_refused():
    body = page("user-reviews")
    url = f"{SITE}/movie/the-glass-orchard/user-reviews?sort-by=date&num_items=100&page=1"
    with pytest.raises(LayoutError, match="its next page is"):
        extract(body, NOON, url=url)


def test_the_next_page_is_the_pages_own_link():
    following = extract(page("user-reviews"), NOON).next_page
    assert following == PageRef(
        PageKind.USER_REVIEWS, "the-glass-orchard", (("sort-by", "date"), ("num_items", "100"), ("page", "1"))
    )


def test_the_film_is_the_one_that_the_page_names():
    """A renamed film's old address may show the film under its new name."""
    found = extract(page("movie-with-everything"), NOON, url=f"{SITE}/movie/orchard-of-glass")
    assert {record.key.split("/")[0] for record in found.records} == {"the-glass-orchard"}
    assert found.movies[0].source_url == f"{SITE}/movie/orchard-of-glass"


def test_a_page_that_does_not_name_itself_is_taken_for_what_it_was_saved_as():
    body = page("details", change=('<link rel="canonical"', "<link"))
    with pytest.raises(LayoutError, match="which page is it"):
        extract(body, NOON)
    found = extract(body, NOON, saved_as=f"{SITE}/movie/orchard/details")
    assert found.movies[0].slug == "orchard"


def test_a_page_asked_for_as_another_kind_is_refused():
    with pytest.raises(LayoutError, match="expected a page of kind movie"):
        extract(page("details"), NOON, url=f"{SITE}/movie/the-glass-orchard")


@pytest.mark.parametrize("kind", ["game/pc", "tv", "music"])
def test_a_page_of_something_else_is_refused(kind):
    body = page("movie-with-everything", change=("metacritic.com/movie/", f"metacritic.com/{kind}/"))
    with pytest.raises(LayoutError, match="no page of a film"):
        extract(body, NOON)


@given(st.binary(max_size=2000))
def test_any_bytes_are_refused_in_words(body):
    with pytest.raises(LayoutError):
        extract(body, NOON, url=f"{SITE}/movie/her")


@given(st.integers(min_value=0, max_value=len(page("user-reviews")) - 12))
def test_a_page_cut_anywhere_is_refused(end):
    with pytest.raises(LayoutError):
        extract(page("user-reviews")[:end], NOON)


WORDS = "Ça – “œuvre” naïve, 5 €"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (WORDS.encode(), ""),
        (b"\xef\xbb\xbf" + WORDS.encode(), ""),
        (b"\xef\xbb\xbf" + WORDS.encode(), "text/html; charset=iso-8859-1"),
        (WORDS.encode("cp1252"), ""),
        (WORDS.encode("cp1252"), "text/html; charset=ISO-8859-1"),
        (WORDS.encode("cp1252"), "text/html; charset=utf-8"),
        (WORDS.encode("utf-16"), ""),
        (WORDS.encode(), "text/html; charset=nonsense"),
    ],
)
def test_a_page_is_decoded_whatever_it_says_of_itself(body, content_type):
    assert decode(body, content_type) == WORDS


def test_the_declaration_in_the_page_counts():
    assert decode('<meta charset="windows-1251">Кино'.encode("cp1251")).endswith("Кино")


def test_a_broken_letter_does_not_spoil_the_others():
    assert decode(WORDS.encode() + b"\xff") == WORDS + "\ufffd"


@pytest.mark.parametrize("charset", ["rot13", "zip", "idna", "undefined", "raw_unicode_escape", "x" * 1000])
def test_an_encoding_that_no_page_has_is_not_tried(charset):
    assert decode(f'<meta charset="{charset}">Ça \\ud800'.encode()).endswith("Ça \\ud800")


def test_a_page_in_utf_16_is_whole():
    text = (FIXTURES / "user-reviews.html").read_text(encoding="utf-8").replace('<meta charset="utf-8">', "")
    assert len(extract(text.encode("utf-16"), NOON).user_reviews) == 3


def test_what_stands_behind_the_end_mark_does_not_matter():
    assert extract(page("details") + b"<!-- " + b"cached " * 1000 + b"-->", NOON).movies[0].title == "The Glass Orchard"


@pytest.mark.parametrize(
    ("canonical", "source_url"),
    [
        ("/movie/the-glass-orchard/details", f"{SITE}/movie/the-glass-orchard/details"),
        (
            "https://web.archive.org/web/20190301000000/http://www.metacritic.com/movie/the-glass-orchard/details",
            "http://www.metacritic.com/movie/the-glass-orchard/details",
        ),
    ],
)
def test_the_source_of_a_saved_page_is_the_sites_own_url(canonical, source_url):
    body = page("details", change=("http://www.metacritic.com/movie/the-glass-orchard/details", canonical))
    film = extract(body, NOON).movies[0]
    assert film.source_url == source_url
    assert film.official_site == "http://glass.example.org/"


def test_forty_thousand_line_breaks_are_text():
    """Quadratic time would take minutes: the suite's own patience is the bound."""
    words = "a<br>" * 40_000
    found = extract(page("user-reviews", change=("<span>tbd</span>", f"<span>{words}</span>")), NOON)
    assert found.user_reviews[1].text == "\n".join("a" * 40_000)


def test_every_link_is_resolved_against_the_page_it_stands_on():
    """A page that was served by http has its scheme-relative links there too, the film's and the reviews' alike."""
    link = ('href=" http://harbour.example.org/glass "', 'href="//harbour.example.org/glass"')
    found = extract(page("movie-with-everything", change=link), NOON)
    assert found.movies[0].source_url.startswith("http://")
    assert found.movies[0].image_url == "http://static.example.org/posters/glass.jpg"
    assert found.critic_reviews[0].full_review_url == "http://harbour.example.org/glass"


@pytest.mark.parametrize("link", ["http://[", "http://[::1", "//[x]/movie/her"])
def test_a_canonical_link_that_is_no_url_is_refused_in_words(link):
    body = page("details", change=("http://www.metacritic.com/movie/the-glass-orchard/details", link))
    with pytest.raises(LayoutError, match="no URL"):
        extract(body, NOON)
