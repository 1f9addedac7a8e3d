import datetime as dt
import doctest
import itertools
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metacrawl import processors
from metacrawl.processors import (
    absolute,
    count,
    date,
    decimal,
    flag,
    last_segment,
    minutes,
    one_line,
    present,
    rank,
    ranking,
    rating,
    unique,
    whole,
)
from metacrawl.urls import parse

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
BASE = "https://www.metacritic.com/movie/her"

# Arbitrary text, and text that is nearly what each of them reads.
NEARLY = st.from_regex(
    r"(Rated |#|PT|based on |/person/|https?://)?[0-9,.]{0,25}( ?h ?| min|, 2013|-12-18| Best)?[a-z0-9]{0,3}",
    fullmatch=True,
)
TEXTS = st.text() | NEARLY

RESULTS = [
    (one_line, str),
    (present, str | None),
    (whole, int | None),
    (count, int | None),
    (decimal, float | None),
    (date, dt.date | None),
    (minutes, int | None),
    (rating, str),
    (rank, int | None),
    (ranking, str),
    (last_segment, str | None),
    (flag, bool | None),
]


def test_the_examples_in_the_docstrings_are_true():
    results = doctest.testmod(processors)
    assert results.attempted > len(RESULTS)
    assert results.failed == 0


@pytest.mark.parametrize(("process", "result"), RESULTS, ids=[process.__name__ for process, _ in RESULTS])
@given(text=TEXTS)
@example(text="")
@example(text="9" * 5000)
@example(text="#" + "9" * 5000)
@example(text="\ud800")
@example(text="٣ min")
@settings(max_examples=100, deadline=None)
def test_any_text_gives_a_value_or_none(process, result, text):
    assert isinstance(process(text), result)


@given(TEXTS, st.just(BASE) | st.text())
@example("http://[", BASE)
@example("//[", BASE)
@example("x", "http://[")
@settings(max_examples=200, deadline=None)
def test_any_link_resolves_to_a_web_page_or_none(link, base):
    found = absolute(link, base)
    assert found is None or found.startswith(("http://", "https://"))


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_one_line_is_done_once(text):
    assert one_line(one_line(text)) == one_line(text)


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_one_line_takes_away_nothing_but_white_space(text):
    white = "\t\n\v\f\r\x85" + "".join(char for char in text if unicodedata.category(char) in {"Zs", "Zl", "Zp"})
    assert [char for char in one_line(text) if char != " "] == [char for char in text if char not in white]


@pytest.mark.parametrize("space", "\t\n\v\f\r \x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000")
def test_one_line_makes_any_run_of_white_space_one_space(space):
    assert one_line(f"{space}a{space}{space}b {space}") == "a b"


@pytest.mark.parametrize("char", "\x1c\x1d\x1e\x1f\x07\x7f\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
def test_one_line_keeps_zero_width_marks_and_control_characters(char):
    assert one_line(f"{char} a{char}b {char}") == f"{char} a{char}b {char}"


def every_day():
    day = dt.date(1900, 1, 1)
    while day.year <= 2100:
        yield day
        day += dt.timedelta(days=1)


@pytest.mark.parametrize(
    "printed",
    [
        lambda day: f"{MONTHS[day.month - 1]} {day.day}, {day.year}",
        lambda day: f"{MONTHS[day.month - 1][:3]} {day.day}, {day.year}",
        dt.date.isoformat,
    ],
    ids=["December 18, 2013", "Dec 18, 2013", "2013-12-18"],
)
def test_every_day_is_read_as_printed(printed):
    assert [day for day in every_day() if date(printed(day)) != day] == []


@pytest.mark.parametrize(
    "text",
    [
        *("2013", "December 2013", "Dec 18", "Feb 30, 2013", "February 29, 2014", "2014-02-29", "2013-13-01"),
        *("TBA 2013", "Foo 1, 2013", "Dec 0, 2013", "Dec 1, 0000", "18 December 2013", "Dec  18, 2013", "١٢-٣-٢٠١٣"),
        # of a day's length, and no day as any design prints it
        *("20131218xx", "2013-W51-3", "2013/12/18", "0000000000", "ten chars."),
    ],
)
def test_what_is_less_or_other_than_a_day_is_no_date(text):
    assert date(text) is None


@given(st.integers(0, 10**14))
@settings(max_examples=200, deadline=None)
def test_numbers_are_read_with_and_without_thousands_separators(number):
    for printed in (f"{number}", f"{number:,}"):
        assert whole(printed) == number
        assert count(f"based on {printed} Ratings") == number


@pytest.mark.parametrize(
    "text", ["", "tbd", "8.6", "-1", "+1", "1,23", "1,2345", ",1", "1 233", "1e3", "٣", "²", "24.2k"]
)
def test_what_is_no_whole_number_alone_is_none(text):
    assert whole(text) is None


@given(st.integers(0, 100))
def test_scores_are_read_with_at_most_one_decimal(tenths):
    assert decimal(f"{tenths / 10:.1f}") == tenths / 10


@pytest.mark.parametrize("text", ["", "tbd", "8.", ".5", "8.65", "-1", "nan", "inf", "1e3", "8,6", "٣", " 8"])
def test_what_is_no_score_is_none(text):
    assert decimal(text) is None


@given(st.integers(0, 59), st.integers(0, 23))
@settings(max_examples=50, deadline=None)
def test_running_times_are_read_in_every_printed_form(minute, hour):
    total = 60 * hour + minute
    printed = [f"{hour} h {minute} m", f"{hour} hr {minute} min", f"{hour}h{minute}m", f"PT{hour}H{minute}M"]
    printed += [f"{total} min", f"{total} m", f"PT{total}M", f"{total}m"]
    assert {minutes(text) for text in printed} == {total}


@pytest.mark.parametrize(("text", "expected"), [("2 h", 120), ("2 hrs", 120), ("1 hr", 60), ("PT2H", 120)])
def test_running_times_may_have_no_minutes(text, expected):
    assert minutes(text) == expected


@pytest.mark.parametrize("text", ["", "min", "h", "long", "126", "PT", "2 h 6", "-5 min", "two hours"])
def test_what_is_no_running_time_is_none(text):
    assert minutes(text) is None


@pytest.mark.parametrize("text", ["tbd", "TBD", "tba", "N/A", "-", ""])
def test_the_sites_words_for_no_value_are_no_value(text):
    assert present(text) is None


@pytest.mark.parametrize("text", ["0", "tbd soon", "No", "--", "None"])
def test_any_other_word_is_a_value(text):
    assert present(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rated R for strong violence", "R"),
        ("Rated PG-13: for language", "PG-13"),
        ("Rated NC-17", "NC-17"),
        ("Not Rated", "Not Rated"),
        ("TV-MA", "TV-MA"),
        ("Rated", "Rated"),
    ],
)
def test_content_ratings_lose_their_reasons(text, expected):
    assert rating(text) == expected


@given(st.integers(1, 10**6), st.text(st.characters(codec="ascii", categories=("L",)), min_size=1))
@settings(max_examples=50, deadline=None)
def test_rankings_are_a_place_and_a_list(place, title):
    assert (rank(f"#{place} {title}"), ranking(f"#{place} {title}")) == (place, title)


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("/person/dgar-ramirez", "dgar-ramirez"),
        ("/person/dgar-ramirez/", "dgar-ramirez"),
        ("/person/dgar-ramirez?filter-options=movies", "dgar-ramirez"),
        ("https://www.metacritic.com/publication/gamesradar%2B#top", "gamesradar+"),
        ("/person/ren%C3%A9e", "renée"),
        ("", None),
        ("/", None),
        ("?page=1", None),
    ],
)
def test_a_links_last_segment_is_its_slug(url, slug):
    assert last_segment(url) == slug


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/person/x", "https://www.metacritic.com/person/x"),
        ("trailers", "https://www.metacritic.com/movie/trailers"),
        ("?page=1", "https://www.metacritic.com/movie/her?page=1"),
        ("//example.com/a.jpg", "https://example.com/a.jpg"),
        (" http://example.com/review \n", "http://example.com/review"),
        ("http://example.com/r?a=1&b=ü#c", "http://example.com/r?a=1&b=ü#c"),
        ("javascript:void(0)", None),
        ("JavaScript:void(0)", None),
        ("mailto:someone@example.com", None),
        ("data:text/html,x", None),
        ("ftp://example.com/x", None),
        ("http://", None),
    ],
)
def test_links_to_web_pages_become_absolute(link, expected):
    assert absolute(link, BASE) == expected


ARCHIVES = ("/web/20140716083000/", "//web.archive.org/web/2014/", "https://web.archive.org/web/20140716083000im_/")


@pytest.mark.parametrize("archive", ARCHIVES)
@pytest.mark.parametrize("link", ["https://gazette.example.org/1?a=/web/2014/b", "http://www.metacritic.com/person/x"])
def test_links_of_an_archived_page_lead_to_where_they_led(archive, link):
    assert absolute(archive + link, BASE) == link


@pytest.mark.parametrize(
    "link",
    [
        "https://gazette.example.org/web/2014/https://www.metacritic.com/movie/her",
        "https://web.archive.org/about",
        "https://www.metacritic.com/web/2014/news",
    ],
)
def test_other_links_are_left_alone(link):
    assert absolute(link, BASE) == link


def test_a_link_to_the_archive_on_an_archived_page_is_one():
    link = "https://web.archive.org/web/2010/http://gazette.example.org/1"
    assert absolute(f"/web/20140716083000/{link}", BASE) == link


@pytest.mark.parametrize("archive", ARCHIVES)
@pytest.mark.parametrize("page", ["https://www.metacritic.com/movie/her/user-reviews?page=1", "metacritic.com/movie/x"])
def test_a_page_is_known_by_the_archives_url_of_it(archive, page):
    assert parse(archive + page, base=BASE) == parse(page)


@given(st.lists(st.integers(0, 5)))
def test_unique_keeps_the_first_of_each_in_order(values):
    kept = unique(values)
    assert len(kept) == len(set(kept)) == len(set(values))
    places = [values.index(value) for value in kept]
    assert all(one < other for one, other in itertools.pairwise(places))
