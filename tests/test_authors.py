"""Names of authors are replaced before anything else sees them, in the keys too, and the same way each time."""

import datetime as dt
import json
from copy import deepcopy

import pytest
from scrapy.settings import Settings

from metacrawl.authors import Authors, Forgotten, author_digest, read_authors
from metacrawl.demo.backend import Backend
from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.demo.world import World
from metacrawl.extract import extract
from metacrawl.items import UserReview
from metacrawl.keys import NO_ACCOUNT
from metacrawl.outcome import ConfigError

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
KEY, OTHER_KEY = "a key that is long enough", "another key that is long enough"
PSEUDONYM, DROP = Authors("pseudonym", KEY), Authors("drop", KEY)
# Without an account and with one; as HTML and JSON write what is not plain.
NAMES = ("Canary Author 7f3a", "canary7f3a", 'Canary "& <b>Zoë</b>')
DESIGNS = ("2010", "2016", "2023", "2026", "api")


@pytest.fixture(scope="module")
def world():
    film = deepcopy(build_world().film("tin-orchestra"))
    film.slug, film.old_slugs = "tin-orchestra", []
    posts = film.user_reviews
    for number, post in enumerate(posts):
        post.author, post.account = f"{NAMES[number % 3]}{number}", number % 3 == 1
    for post in posts[3:5]:
        post.author, post.account = NO_ACCOUNT, False
    return World(films=[film])


def page_in(world, design):
    """Read the first page of reviews that a design has."""
    if design == "api":
        url = "https://backend.metacritic.com/reviews/metacritic/user/movies/tin-orchestra/web"
        body = Backend(world).answer("/reviews/metacritic/user/movies/tin-orchestra/web", {})[1]
        return extract(json.dumps(body).encode(), NOON, url=url)
    return extract(designs(world)[design].answer("/movie/tin-orchestra/user-reviews", {}).encode(), NOON)


def reviews_in(world, design, authors):
    page = page_in(world, design)
    authors.hide(page)
    return [authors.published(review) for review in page.user_reviews]


def review(author="Ann", film="her", review_id=None):
    key = "/".join(filter(None, (film, author, review_id)))
    return UserReview(key=key, movie_slug=film, author=author, review_id=review_id)


class ReviewsOnly:
    def __init__(self, *reviews):
        self.user_reviews = list(reviews)


def hidden(authors, *reviews):
    page = ReviewsOnly(*map(deepcopy, reviews))
    authors.hide(page)
    return [authors.published(review) for review in page.user_reviews]


@pytest.mark.parametrize("design", DESIGNS)
class TestEveryDesign:
    @pytest.mark.parametrize("authors", [PSEUDONYM, DROP], ids=["pseudonym", "drop"])
    def test_no_name_is_left_on_a_page(self, world, design, authors):
        assert "anary" in repr(reviews_in(world, design, Authors()))
        assert "anary" not in repr(reviews_in(world, design, authors))

    @pytest.mark.parametrize("authors", [PSEUDONYM, DROP], ids=["pseudonym", "drop"])
    def test_as_many_keys_as_with_names(self, world, design, authors):
        """Authors that have a name in common and no account are told apart, and no one else is."""
        assert len({review.key for review in reviews_in(world, design, authors)}) == len(
            {review.key for review in reviews_in(world, design, Authors())}
        )

    def test_nothing_but_the_author_is_changed(self, world, design):
        for kept, dropped in zip(reviews_in(world, design, Authors()), reviews_in(world, design, DROP), strict=True):
            assert vars(dropped) == vars(kept) | {"key": dropped.key, "author": None}


@pytest.mark.parametrize("authors", [PSEUDONYM, DROP], ids=["pseudonym", "drop"])
def test_a_key_is_the_same_in_every_design(world, authors):
    """The ids of reviews have changed, which only the keys of those without an account hold."""
    found = [
        {review.key for review in reviews_in(world, design, authors) if review.key.count("/") == 1}
        for design in DESIGNS[:3]
    ]
    assert found[0] == found[1] >= found[2] != set()


def test_a_pseudonym_links_what_an_author_wrote_and_nothing_else():
    one, other, else_ = hidden(PSEUDONYM, review(film="her"), review(film="him"), review("ann"))
    assert one.author == other.author != else_.author
    assert one.key == f"her/{one.author}"
    assert other.key == f"him/{one.author}"


def test_where_authors_are_dropped_nothing_is_shared_between_films():
    one, other = hidden(DROP, review(film="her"), review(film="him"))
    assert (one.author, other.author) == (None, None)
    assert one.key.removeprefix("her/") != other.key.removeprefix("him/")
    assert hidden(PSEUDONYM, review())[0].author not in one.key


@pytest.mark.parametrize("authors", [PSEUDONYM, DROP], ids=["pseudonym", "drop"])
def test_a_key_is_stable_and_belongs_to_its_secret(authors):
    [first], [again] = hidden(authors, review()), hidden(Authors(authors.policy, KEY), review())
    [other] = hidden(Authors(authors.policy, OTHER_KEY), review())
    assert first == again
    assert first.key != other.key


@pytest.mark.parametrize("authors", [PSEUDONYM, DROP], ids=["pseudonym", "drop"])
def test_authors_without_an_account_keep_the_id_in_their_key(authors):
    one, other = hidden(authors, review(NO_ACCOUNT, "her", "11"), review(NO_ACCOUNT, "her", "12"))
    assert one.key.removesuffix("/11") == other.key.removesuffix("/12")
    assert one.key != other.key


@pytest.mark.parametrize("author", ["a/b", "/", "..", "\ud800", "é\0", "a" * 5000, "%", "\n"])
@pytest.mark.parametrize("authors", [PSEUDONYM, DROP], ids=["pseudonym", "drop"])
def test_whatever_a_name_is_made_of(authors, author):
    [found] = hidden(authors, review(author))
    assert found.key.encode().count(b"/") == 1
    assert author not in found.key.removeprefix("her/") or author in {"-", "a"}


def test_a_review_without_an_author_stays_without_a_key():
    nobody = UserReview(key="", movie_slug="her", author=None)
    nameless = UserReview(key="", movie_slug="her", author="Ann B.")
    assert hidden(DROP, nobody) == [nobody]
    assert hidden(PSEUDONYM, nameless)[0].key == ""
    assert hidden(PSEUDONYM, nameless)[0].author != "Ann B."


def test_the_secret_is_not_told():
    assert KEY not in repr(PSEUDONYM)
    assert KEY not in (PSEUDONYM.key_check or KEY)
    assert PSEUDONYM.key_check != Authors("pseudonym", OTHER_KEY).key_check


def test_who_is_forgotten_is_known_by_salt_and_alias():
    forgotten = Forgotten("salt", frozenset({author_digest("salt", "Ann")}))
    assert forgotten.has("Ann")
    assert not any(map(forgotten.has, ("ann", "Ann ", None, "")))
    assert not Forgotten("other salt", forgotten.authors).has("Ann")
    assert "Ann" not in repr((forgotten, forgotten.left_out(review("Ann"))))
    ids = {forgotten.left_out(review("Ann", film, id_)) for film in ("her", "him") for id_ in (None, "1", "2")}
    assert len(ids) == 6


# --- What the settings say


def read(**given):
    return read_authors(Settings({"METACRAWL_AUTHORS": "keep", "METACRAWL_AUTHORS_KEY": ""} | given))


def test_names_are_kept_where_nothing_is_said():
    assert read() == Authors("keep")
    assert read(METACRAWL_AUTHORS="drop", METACRAWL_AUTHORS_KEY=KEY) == DROP


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"METACRAWL_AUTHORS": "Keep"}, "METACRAWL_AUTHORS=Keep is none of keep, pseudonym, drop"),
        ({"METACRAWL_AUTHORS": ""}, "METACRAWL_AUTHORS= is none of"),
        ({"METACRAWL_AUTHORS": "drop"}, "METACRAWL_AUTHORS=drop needs METACRAWL_AUTHORS_KEY in the environment"),
        (
            {"METACRAWL_AUTHORS": "pseudonym", "METACRAWL_AUTHORS_KEY": "15 characters.."},
            "a secret of 16 characters or more",
        ),
        (
            {"METACRAWL_AUTHORS": "drop", "METACRAWL_AUTHORS_KEY": KEY, "HTTPCACHE_ENABLED": True},
            "the cache would keep pages, with names",
        ),
    ],
)
def test_what_cannot_be_is_named(given, says):
    with pytest.raises(ConfigError, match=says) as error:
        read(**given)
    assert given.get("METACRAWL_AUTHORS_KEY", KEY) not in str(error.value)
