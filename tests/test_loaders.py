import datetime as dt
import html
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metacrawl.items import Credit, Ranking
from metacrawl.loaders import (
    CreditLoader,
    CriticReviewLoader,
    MovieLoader,
    RankingLoader,
    UserReviewLoader,
)
from metacrawl.selectors import TextSelector

PAGE_URL = "https://www.metacritic.com/movie/her"
# Unicode's property White_Space.
WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def text_of(source, xpath="//p"):
    return TextSelector(text=source, type="html").xpath(xpath).get()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        # line breaks
        ("a<br>b", "a\nb"),
        ("a<br/>b<BR />c", "a\nb\nc"),
        ("a<br><br><br>b", "a\n\n\nb"),
        ("a <br> b", "a\nb"),
        ("a<br> \n <br>b", "a\n\nb"),
        ("<br>a<br>", "a"),
        (" <br> <br> a <br> ", "a"),
        ("a\n<br/>\nb", "a\nb"),
        ("<b>a<br></b>b", "a\nb"),
        # white space
        ("a\nb\r\nc\rd", "a b c d"),
        ("  a \t\n b  ", "a b"),
        ("a&nbsp;&nbsp;b\xa0c", "a b c"),
        ("a\u2028b\u2029c\u3000d", "a b c d"),
        ("a&#10;b&#13;c", "a b c"),
        # what only looks like white space
        ("a\u200bb\u200c\u200d\ufeff", "a\u200bb\u200c\u200d\ufeff"),
        ("\u200b a \u200b", "\u200b a \u200b"),
        ("a\x1cb\x1fc\x07d", "a\x1cb\x1fc\x07d"),
        # character references are decoded once
        ("a &amp; b", "a & b"),
        ("a &lt;br&gt; b", "a <br> b"),
        ("a &amp;lt;br&amp;gt; b", "a &lt;br&gt; b"),
        ("&amp;amp;nbsp;", "&amp;nbsp;"),
        ("&eacute;&#233;&#xE9;&#x1F600;", "ééé\U0001f600"),
        # what is between
        ("a<!-- not <br> said -->b", "ab"),
        ("<b>a</b> <i>b<u>c</u></i>d", "a bcd"),
        ("<b> a </b><i> b </i>", "a b"),
        ("<span>a</span><span>b</span>", "ab"),
        ("f**** it", "f**** it"),
        ("", ""),
    ],
)
def test_an_elements_text_is_clean(source, text):
    assert text_of(f"<p>{source}</p>") == text


@pytest.mark.parametrize(
    ("xpath", "text"),
    [
        ("//p/@title", "a b & c"),
        ("//p/text()", "some text"),
        ("//p/@missing", None),
        ("boolean(//p)", "1"),
        ("boolean(//q)", "0"),
        ("string(//p)", "some text more"),
        ("normalize-space(//b)", "more"),
        ("//br", ""),
    ],
)
def test_attributes_text_nodes_and_results_are_one_line(xpath, text):
    source = '<p title=" a&nbsp;b\n &amp; c ">some\n text <b>more</b><br></p>'
    assert text_of(source, xpath) == text


def test_the_number_of_nodes_is_a_number():
    assert float(text_of("<p>a</p><p>b</p>", "count(//p)")) == 2


def test_every_selected_element_gives_its_own_text():
    assert TextSelector(text="<p>a</p><p>b<br>c</p>", type="html").xpath("//p").getall() == ["a", "b\nc"]


LINES = st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30), max_size=6)


@given(LINES, st.sampled_from(["<br>", "<br/>", "\n<br>", " <br /> "]), st.booleans())
@example(["<br>", "&lt;br&gt;", "&amp;", "]]>", "<!-- -->"], "<br>", True)
@settings(max_examples=200, deadline=None)
def test_written_text_comes_back_normalised(lines, line_break, quote):
    source = line_break.join(html.escape(line, quote=quote) for line in lines)
    cleaned = [re.sub(f"[{WHITE}]+", " ", line).strip(" ") for line in lines]
    assert text_of(f"<p>{source}</p>") == "\n".join(cleaned).strip("\n")


def load(loader_class, **values):
    loader = loader_class(base_url=PAGE_URL)
    for name, value in values.items():
        loader.add_value(name, value)
    return loader.load_item()


@pytest.mark.parametrize("word", ["tbd", "TBD", "", "N/A", "-"])
@pytest.mark.parametrize(
    "name", ["metascore", "user_score", "release_date", "critic_review_count", "runtime_minutes", "content_rating"]
)
def test_a_films_missing_value_is_none(name, word):
    assert getattr(load(MovieLoader, **{name: word}), name) is None


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("site_id", "541335", 541335),
        ("title", "Her", "Her"),
        ("release_year", "2013", 2013),
        ("release_date", "December 18, 2013", dt.date(2013, 12, 18)),
        ("home_release_date", "May 13, 2014", dt.date(2014, 5, 13)),
        ("metascore", "90", 90),
        ("metascore", "0", 0),
        ("critic_review_count", "based on 46 Critics", 46),
        ("user_score", "8.6", 8.6),
        ("user_rating_count", "based on 1,376 Ratings", 1376),
        ("user_positive", "1,233", 1233),
        ("user_negative", "0", 0),
        ("user_review_count", "SEE ALL 234 REVIEWS", 234),
        ("must_see", "1", True),
        ("must_see", "0", False),
        ("content_rating", "Rated R for language", "R"),
        ("runtime_minutes", "126 min", 126),
        ("trailer_url", "/movie/her/trailers/1", "https://www.metacritic.com/movie/her/trailers/1"),
        ("image_url", "//static.example.com/her.jpg", "https://static.example.com/her.jpg"),
        ("official_site", "javascript:void(0)", None),
    ],
)
def test_a_films_values_are_typed(name, text, value):
    found = getattr(load(MovieLoader, **{name: text}), name)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metascore", "ninety"),
        ("user_score", "8.6.1"),
        ("release_date", "Winter 2013"),
        ("runtime_minutes", "two hours"),
        ("site_id", "mc-movie-541335"),
        ("critic_positive", "many"),
        ("must_see", "yes"),
    ],
)
def test_text_that_cannot_be_read_stays_for_validation_to_name(name, text):
    assert getattr(load(MovieLoader, **{name: text}), name) == text


def test_the_first_value_that_the_page_gives_counts():
    movie = load(
        MovieLoader, metascore=["tbd", "", "61", "90"], official_site=["mailto:a@example.com", "http://a.example"]
    )
    assert (movie.metascore, movie.official_site) == (61, "http://a.example")


def test_lists_keep_each_value_once_in_page_order():
    movie = load(
        MovieLoader,
        genres=["Drama", "", "Comedy", "Drama"],
        cast=[Credit(name="B"), Credit(name="A", role="Dan"), Credit(name="B"), Credit(name="A", role="Ann")],
        rankings=[Ranking(rank=7, title="Best"), Ranking(rank=7, title="Best")],
    )
    assert movie.genres == ["Drama", "Comedy"]
    assert movie.cast == [Credit(name="B"), Credit(name="A", role="Dan"), Credit(name="A", role="Ann")]
    assert movie.rankings == [Ranking(rank=7, title="Best")]


def test_without_anything_a_film_is_empty():
    movie = load(MovieLoader)
    assert (movie.title, movie.metascore, movie.genres, movie.cast) == (None, None, [], [])


@pytest.mark.parametrize(
    ("link", "slug"), [("/person/dgar-ramirez?filter-options=movies", "dgar-ramirez"), ("/person/x/", "x"), ("", None)]
)
def test_a_persons_slug_is_read_from_the_link(link, slug):
    assert load(CreditLoader, name="A Name", slug=link, role="Director") == Credit(
        name="A Name", slug=slug, role="Director"
    )


def test_a_ranking_is_a_place_and_a_title():
    text = "#7 Best Movie of 2013"
    assert load(RankingLoader, rank=text, title=text) == Ranking(rank=7, title="Best Movie of 2013")


def test_a_critic_review_is_typed():
    review = load(
        CriticReviewLoader,
        publication="The Paper",
        publication_slug="/publication/the-paper?filter=movies",
        critic="A. Critic",
        critic_slug="/critic/a-critic?filter=movies",
        score="100",
        date="Jan 9, 2014",
        excerpt="A line.\nAnother.",
        full_review_url=" http://example.com/review ",
    )
    assert (review.publication_slug, review.critic_slug, review.score) == ("the-paper", "a-critic", 100)
    assert (review.date, review.excerpt) == (dt.date(2014, 1, 9), "A line.\nAnother.")
    assert review.full_review_url == "http://example.com/review"


def test_a_print_review_that_is_unscored_and_undated_has_none_of_these():
    review = load(CriticReviewLoader, publication="The Paper", score="", date="", full_review_url=[])
    assert (review.score, review.date, review.full_review_url) == (None, None, None)


def test_a_user_review_is_typed():
    review = load(
        UserReviewLoader,
        review_id="1234567",
        author="SomeOne",
        score="0",
        date="May 5, 2007",
        text="tbd",
        spoiler="1",
        helpful_votes="1",
        total_votes="1,004",
    )
    assert (review.review_id, review.author, review.score) == ("1234567", "SomeOne", 0)
    assert (review.date, review.spoiler) == (dt.date(2007, 5, 5), True)
    assert (review.text, review.helpful_votes, review.total_votes) == ("tbd", 1, 1004)
