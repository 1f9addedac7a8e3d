import itertools
import string

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from metacrawl.urls import FILM_KINDS, GRAMMAR, MAX_SLUG, PageKind, PageRef, UrlError, film_slug, parse

WWW = "https://www.metacritic.com"
BACK_END = "https://backend.metacritic.com"
BACK_END_HOSTS = ("backend.metacritic.com", "internal-prod.apigee.fandom.net", "fandom-prod.apigee.net")

# path as the site writes it, kind, slug, query, canonical path
SITE_PAGES = [
    # films, up to 2023 and since
    ("/movie/her", "movie", "her", {}, "/movie/her"),
    ("/movie/her/", "movie", "her", {}, "/movie/her"),
    ("/movie/her/details", "details", "her", {}, "/movie/her/details"),
    ("/movie/her/credits/", "credits", "her", {}, "/movie/her/credits"),
    ("/movie/her/trailers", "trailers", "her", {}, "/movie/her/trailers"),
    ("/movie/her/critic-reviews", "critic-reviews", "her", {}, "/movie/her/critic-reviews"),
    ("/movie/her/critic-reviews/", "critic-reviews", "her", {}, "/movie/her/critic-reviews"),
    ("/movie/her/user-reviews/", "user-reviews", "her", {}, "/movie/her/user-reviews"),
    (
        "/movie/her/critic-reviews?dist=negative",
        *("critic-reviews", "her", {"dist": "negative"}, "/movie/her/critic-reviews?dist=negative"),
    ),
    (
        "/movie/her/user-reviews?page=40&num_items=100&sort-by=date",
        *("user-reviews", "her", {"sort-by": "date", "num_items": "100", "page": "40"}),
        "/movie/her/user-reviews?sort-by=date&num_items=100&page=40",
    ),
    (
        "/movie/her/user-reviews/?filter=positive&sort=score",
        *("user-reviews", "her", {"filter": "positive", "sort": "score"}),
        "/movie/her/user-reviews?filter=positive&sort=score",
    ),
    (
        "/movie/her/critic-reviews/?sort-by=Publication%20(A-Z)",
        *("critic-reviews", "her", {"sort-by": "Publication (A-Z)"}),
        "/movie/her/critic-reviews?sort-by=Publication+%28A-Z%29",
    ),
    # people and companies
    ("/person/dgar-ramirez", "person", "dgar-ramirez", {}, "/person/dgar-ramirez"),
    (
        "/person/amy-adams?filter-options=movies&sort_options=metascore&num_items=100&page=1",
        *("person", "amy-adams"),
        {"filter-options": "movies", "sort_options": "metascore", "num_items": "100", "page": "1"},
        "/person/amy-adams?filter-options=movies&sort_options=metascore&num_items=100&page=1",
    ),
    ("/critic/a-critic/?filter=movies", "critic", "a-critic", {"filter": "movies"}, "/critic/a-critic?filter=movies"),
    ("/publication/gamesradar+", "publication", "gamesradar+", {}, "/publication/gamesradar+"),
    (
        "/publication/variety?filter=movies&num_items=100&page=2",
        *("publication", "variety", {"filter": "movies", "num_items": "100", "page": "2"}),
        "/publication/variety?filter=movies&num_items=100&page=2",
    ),
    ("/company/warner-bros", "company", "warner-bros", {}, "/company/warner-bros"),
    ("/user/Some%20One", "user", "Some One", {}, "/user/Some%20One"),
    # lists
    (
        "/browse/movies/release-date/theaters/date",
        *("browse-classic", "movies/release-date/theaters/date", {}, "/browse/movies/release-date/theaters/date"),
    ),
    (
        "/browse/movies/score/metascore/year/filtered/netflix?year_selected=2013&sort=desc&view=condensed&page=3",
        *("browse-classic", "movies/score/metascore/year/filtered/netflix"),
        {"year_selected": "2013", "sort": "desc", "view": "condensed", "page": "3"},
        "/browse/movies/score/metascore/year/filtered/netflix?year_selected=2013&sort=desc&view=condensed&page=3",
    ),
    (
        "/browse/movies/critic/name/a?num_items=100",
        *("browse-classic", "movies/critic/name/a", {"num_items": "100"}, "/browse/movies/critic/name/a?num_items=100"),
    ),
    (
        "/browse/dvds/release-date/new-releases/date",
        *("browse-classic", "dvds/release-date/new-releases/date", {}, "/browse/dvds/release-date/new-releases/date"),
    ),
    ("/browse/movie/", "browse", "", {}, "/browse/movie/"),
    (
        "/browse/movie/all/all/all-time/userscore/?page=2",
        *("browse", "all/all/all-time/userscore", {"page": "2"}, "/browse/movie/all/all/all-time/userscore?page=2"),
    ),
    (
        "/browse/movie/?releaseYearMin=1910&releaseYearMax=2026&genre=drama&network=x&releaseType=y",
        *("browse", ""),
        {"releaseYearMin": "1910", "releaseYearMax": "2026", "genre": "drama", "network": "x", "releaseType": "y"},
        "/browse/movie/?releaseYearMin=1910&releaseYearMax=2026&genre=drama&network=x&releaseType=y",
    ),
    (
        "/search/movie/Star%20Wars/results?page=1&sort=recent",
        *("search", "movie/Star Wars", {"page": "1", "sort": "recent"}),
        "/search/movie/Star%20Wars/results?page=1&sort=recent",
    ),
    ("/autosearch", "autosearch", "", {}, "/autosearch"),
    # the other departments
    ("/game/pc/god-of-war", "game", "pc/god-of-war", {}, "/game/pc/god-of-war"),
    ("/tv/her/season-1", "tv", "her/season-1", {}, "/tv/her/season-1"),
    ("/music/her/an-artist", "music", "her/an-artist", {}, "/music/her/an-artist"),
    # sitemaps
    ("/games.xml", "sitemap", "games", {}, "/games.xml"),
    (
        "/sitemap/Movie-movie/1/sitemap.xml",
        *("sitemap", "sitemap/Movie-movie/1/sitemap", {}, "/sitemap/Movie-movie/1/sitemap.xml"),
    ),
]

API_PAGES = [
    (
        "/finder/metacritic/web?mcoTypeId=2&limit=24&offset=24&sortBy=-metaScore&genres=Action,Drama",
        *("api-finder", ""),
        {"mcoTypeId": "2", "sortBy": "-metaScore", "genres": "Action,Drama", "offset": "24", "limit": "24"},
        "/finder/metacritic/web?mcoTypeId=2&sortBy=-metaScore&genres=Action%2CDrama&offset=24&limit=24",
    ),
    (
        "/finder/metacritic/search/star%20wars/web?offset=0&limit=30&sortDirection=asc",
        *("api-search", "star wars", {"sortDirection": "asc", "limit": "30"}),
        "/finder/metacritic/search/star%20wars/web?sortDirection=asc&limit=30",
    ),
    ("/finder/metacritic/autosuggest/Her", "api-suggest", "Her", {}, "/finder/metacritic/autosuggest/Her"),
    (
        "/composer/metacritic/pages/movies/her/web?filter=all&sort=date",
        *("api-movie-page", "her", {"sort": "date"}, "/composer/metacritic/pages/movies/her/web?sort=date"),
    ),
    (
        "/composer/metacritic/pages/movies-critic-reviews/her/web",
        *("api-critic-reviews-page", "her", {}, "/composer/metacritic/pages/movies-critic-reviews/her/web"),
    ),
    (
        "/composer/metacritic/pages/movies-user-reviews/her/web",
        *("api-user-reviews-page", "her", {}, "/composer/metacritic/pages/movies-user-reviews/her/web"),
    ),
    (
        "/composer/metacritic/pages/search/her/web?mcoTypeId=2",
        *("api-search-page", "her", {"mcoTypeId": "2"}, "/composer/metacritic/pages/search/her/web?mcoTypeId=2"),
    ),
    (
        "/movies/metacritic/her/web?componentName=product&componentDisplayName=Product&componentType=Product",
        *("api-movie", "her", {}, "/movies/metacritic/her/web"),
    ),
    (
        "/reviews/metacritic/critic/movies/her/web?offset=10&limit=10&filterBySentiment=all&sort=publication&componentName=x",
        *("api-critic-reviews", "her", {"sort": "publication", "offset": "10", "limit": "10"}),
        "/reviews/metacritic/critic/movies/her/web?sort=publication&offset=10&limit=10",
    ),
    (
        "/reviews/metacritic/user/movies/her/web?offset=0&limit=50&filterBySentiment=negative",
        *("api-user-reviews", "her", {"filterBySentiment": "negative", "limit": "50"}),
        "/reviews/metacritic/user/movies/her/web?filterBySentiment=negative&limit=50",
    ),
    *(
        (
            f"/reviews/metacritic/{who}/movies/her/{what}/web",
            *(f"api-{who}-reviews-{what}", "her", {}, f"/reviews/metacritic/{who}/movies/her/{what}/web"),
        )
        for who, what in itertools.product(("critic", "user"), ("summary", "stats"))
    ),
    (
        "/people/metacritic/amy-adams/credits/web?productType=movie&sort=date",
        *("api-person-credits", "amy-adams", {"productType": "movie", "sort": "date"}),
        "/people/metacritic/amy-adams/credits/web?productType=movie&sort=date",
    ),
    ("/movies/metacritic/her/news/web", "api-news", "her", {}, "/movies/metacritic/her/news/web"),
    (
        "/justwatch/metacritic/offersByIMDbId?id=tt1798709&type=movie",
        *("api-offers", "", {"id": "tt1798709", "type": "movie"}),
        "/justwatch/metacritic/offersByIMDbId?id=tt1798709&type=movie",
    ),
]


@pytest.mark.parametrize(("path", "kind", "slug", "query", "canonical"), SITE_PAGES)
def test_reads_every_form_of_the_sites_urls(path, kind, slug, query, canonical):
    ref = parse(WWW + path)
    assert (ref.kind, ref.slug, dict(ref.query)) == (kind, slug, query)
    assert ref.url == WWW + canonical


@pytest.mark.parametrize("prefix", ["", "/v1/xapi"])
@pytest.mark.parametrize("host", BACK_END_HOSTS)
@pytest.mark.parametrize("page", API_PAGES, ids=lambda page: page[0])
def test_reads_every_form_of_the_back_ends_urls_on_all_its_hosts(host, prefix, page):
    path, kind, slug, query, canonical = page
    ref = parse(f"https://{host}{prefix}{path}")
    assert (ref.kind, ref.slug, dict(ref.query)) == (kind, slug, query)
    assert ref.url == BACK_END + canonical


def test_the_tables_of_this_test_have_every_kind_of_page():
    assert {kind for _, kind, *_ in SITE_PAGES + API_PAGES} == set(PageKind)


@pytest.mark.parametrize(
    "url",
    [
        "http://www.metacritic.com/movie/her",
        "http://metacritic.com/movie/her",
        "https://metacritic.com/movie/her",
        "www.metacritic.com/movie/her",
        "metacritic.com/movie/her/",
        "HTTPS://WWW.Metacritic.COM/movie/her",
        "https://www.metacritic.com:443/movie/her",
        "http://www.metacritic.com:80/movie/her",
        "https://www.metacritic.com/movie/HER",
        "https://www.metacritic.com/movie/%48er",
        "https://www.metacritic.com/movie/her?utm_source=x&ref=hp&fbclid=1",
        "https://www.metacritic.com/movie/her#reviews",
        "  https://www.metacritic.com/movie/her\n",
        "//www.metacritic.com/movie/her",
        "/movie/her",
    ],
)
def test_what_does_not_change_the_page_is_no_part_of_its_ref(url):
    assert parse(url) == PageRef(PageKind.MOVIE, "her")


@pytest.mark.parametrize(
    "archive",
    [
        "https://web.archive.org/web/20170716120000/",
        "http://web.archive.org/web/20170716120000id_/",
        "https://web.archive.org/web/2017/",
        "https://web.archive.org/web/20170716im_/",
    ],
)
@pytest.mark.parametrize("original", ["http://www.metacritic.com/movie/her", "metacritic.com/movie/her/"])
def test_an_archived_page_is_the_page(archive, original):
    assert parse(archive + original) == PageRef(PageKind.MOVIE, "her")


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("/movie/her/user-reviews?page=0", "/movie/her/user-reviews"),
        ("/movie/her/user-reviews?filter=all", "/movie/her/user-reviews"),
        ("/person/x?page=0", "/person/x"),
        ("/browse/movie/?page=0", "/browse/movie"),
        ("/browse/movie/?page=1", "/browse/movie"),
        ("/browse/movies/title/dvd?page=0", "/browse/movies/title/dvd"),
        ("/search/all/her/results?page=0", "/search/all/her/results"),
        ("/movie/her/user-reviews?user_review_id=12", "/movie/her/user-reviews"),
        ("/movie/her/user-reviews?num_items=100&page=1", "/movie/her/user-reviews?page=1&num_items=100"),
        (
            "https://backend.metacritic.com/reviews/metacritic/user/movies/her/web?offset=0&filterBySentiment=all",
            "https://backend.metacritic.com/reviews/metacritic/user/movies/her/web?apiKey=1",
        ),
    ],
)
def test_defaults_foreign_parameters_and_their_order_make_no_difference(given, same):
    assert parse(given) == parse(same)


@pytest.mark.parametrize(
    "query", ["page=1", "sort-by=date", "num_items=30", "dist=positive", "filter=negative", "sort=score"]
)
def test_what_a_list_shows_is_part_of_its_ref(query):
    assert parse(f"/movie/her/user-reviews?{query}") != parse("/movie/her/user-reviews")


@pytest.mark.parametrize(
    ("path", "slug", "canonical"),
    [
        (
            "/movie/who-the-%-is-jackson-pollock",
            "who-the-%-is-jackson-pollock",
            "/movie/who-the-%25-is-jackson-pollock",
        ),
        (
            "/movie/who-the-%25-is-jackson-pollock",
            *("who-the-%-is-jackson-pollock", "/movie/who-the-%25-is-jackson-pollock"),
        ),
        (
            "/movie/star-wars-episode-viii---the-last-jedi",
            *("star-wars-episode-viii---the-last-jedi", "/movie/star-wars-episode-viii---the-last-jedi"),
        ),
        ("/publication/gamesradar+", "gamesradar+", "/publication/gamesradar+"),
        ("/publication/gamesradar%2B", "gamesradar+", "/publication/gamesradar+"),
        ("/movie/am%C3%A9lie", "amélie", "/movie/am%C3%A9lie"),
        ("/movie/AM%C3%89LIE", "amélie", "/movie/am%C3%A9lie"),
        ("/movie/amélie", "amélie", "/movie/am%C3%A9lie"),
    ],
)
def test_odd_slugs_are_decoded_once_and_written_one_way(path, slug, canonical):
    ref = parse(path)
    assert ref.slug == slug
    assert ref.url == WWW + canonical


def test_a_relative_link_is_read_where_it_stands():
    base = "https://www.metacritic.com/movie/her/user-reviews?page=1"
    assert parse("?page=2", base) == PageRef(PageKind.USER_REVIEWS, "her", (("page", "2"),))
    assert parse("critic-reviews", base) == PageRef(PageKind.CRITIC_REVIEWS, "her")
    assert parse("/movie/moonlight", base) == PageRef(PageKind.MOVIE, "moonlight")


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "/",
        WWW,
        "her",
        "/robots.txt",
        "/movie",
        "/movie/",
        "/movie//details",
        "/movie/her/nothing-known",
        # other hosts
        "https://example.com/movie/her",
        "https://metacritic.com.example.com/movie/her",
        "https://notmetacritic.com/movie/her",
        "https://www.metacritic.com.evil.example/movie/her",
        "//example.com/movie/her",
        "https://web.archive.org/web/2017/https://example.com/movie/her",
        "https://web.archive.org/web/2017/https://web.archive.org/web/2017/https://www.metacritic.com/movie/her",
        # a page of one host on another
        "https://backend.metacritic.com/movie/her",
        "https://www.metacritic.com/movies/metacritic/her/web",
        # other schemes
        "ftp://www.metacritic.com/movie/her",
        "file:///movie/her",
        "javascript:alert(1)",
        "mailto:someone@metacritic.com",
        # a host in the user's name, and ports
        "https://www.metacritic.com@example.com/movie/her",
        "https://www.metacritic.com:443@example.com/movie/her",
        "https://www.metacritic.com:8080/movie/her",
        "https://www.metacritic.com:99999/movie/her",
        "https://www.metacritic.com:port/movie/her",
        "https://[/movie/her",
        # control characters and what cannot be text
        "/movie/he\0r",
        "/movie/he\nr",
        "/movie/he\x7fr",
        "/movie/he\u200br",
        "/movie/he\u2028r",
        "/movie/he%00r",
        "/movie/he%0Ar",
        "/movie/\ud800",
        "/movie/%ED%A0%80",
        "/movie/%FF",
        # what would lead elsewhere
        "https://www.metacritic.com/movie/..",
        "https://www.metacritic.com/movie/../movie/her",
        "/movie/%2e%2e",
        "/movie/%2e",
        "/movie/..%2fuser",
        "/movie/a%2Fb",
        "/movie/a%5Cb",
        "/movie/a%3Fb",
        "/movie/a%23b",
        "/movie/a%20b",
        "/game/a/%2e%2e/b",
        "https://www.metacritic.com/browse/../movie/her",
        # huge
        "/movie/" + "a" * (MAX_SLUG + 1),
        "/browse/" + "a/" * MAX_SLUG,
        "a" * 100_000,
    ],
)
def test_refuses_what_is_no_page_of_the_site(url):
    with pytest.raises(UrlError):
        parse(url)


def test_refuses_a_url_that_carries_a_user_and_a_password():
    with pytest.raises(UrlError):
        parse("https://someone:secret@www.metacritic.com/movie/her")


@pytest.mark.parametrize(
    "url",
    [
        "https://www.metacritic.com/user/..",
        "https://www.metacritic.com/user/%2e%2e",
        "https://www.metacritic.com/search/%2e%2e/results",
        "https://backend.metacritic.com/finder/metacritic/search/%2e%2e/web",
    ],
)
def test_free_text_is_no_way_to_another_page(url):
    with pytest.raises(UrlError):
        parse(url)


def test_a_refusal_names_the_url():
    with pytest.raises(UrlError, match=r"example\.com/movie/her"):
        parse("https://example.com/movie/her")


@pytest.mark.parametrize(
    "text",
    [
        "her",
        "HER",
        "/movie/her",
        "https://www.metacritic.com/movie/her",
        "metacritic.com/movie/her/user-reviews?page=3",
        "http://web.archive.org/web/2017/http://www.metacritic.com/movie/her/details",
        "https://backend.metacritic.com/reviews/metacritic/critic/movies/her/web?offset=10",
        "https://fandom-prod.apigee.net/v1/xapi/composer/metacritic/pages/movies/her/web",
    ],
)
def test_a_film_can_be_given_by_its_slug_or_any_of_its_urls(text):
    assert film_slug(text) == "her"


@pytest.mark.parametrize("slug", ["who-the-%-is-jackson-pollock", "who-the-%25-is-jackson-pollock"])
def test_a_films_slug_may_be_encoded(slug):
    assert film_slug(slug) == "who-the-%-is-jackson-pollock"


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "..", "a b", "a/b", "a%2Fb", "he\0r", "\ud800", "a" * (MAX_SLUG + 1)),
        *("www.metacritic.com", "/person/amy-adams", "/game/her", "https://example.com/movie/her", "/browse/movie/"),
        "https://backend.metacritic.com/people/metacritic/amy-adams/credits/web",
    ],
)
def test_refuses_what_names_no_film(text):
    with pytest.raises(UrlError):
        film_slug(text)


# --- Properties

PRINTABLE = st.characters(exclude_categories=("Cs",)).filter(str.isprintable)
ANYTHING = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
FORBIDDEN = set(' /\\?#"<>\ufffd')
# A path that ends like a sitemap's is one, and what stands below /browse/movie/ is the newer design's.
FIRST_SEGMENTS = {form.template.split("/")[1] for form in GRAMMAR.values()}


def lower(slug):
    return slug.lower()


def segments():
    """Make path segments that the site could have: lower case, and nothing that ends or leaves a path."""
    alphabet = PRINTABLE.filter(lambda char: char not in FORBIDDEN)
    common = st.text(string.ascii_lowercase + string.digits + "-%+", min_size=1, max_size=20)
    usable = (common | st.text(alphabet, min_size=1, max_size=20)).map(lower)
    return usable.filter(lambda slug: slug not in {".", ".."} and slug.isprintable())


@st.composite
def page_refs(draw):
    kind = draw(st.sampled_from(PageKind))
    form = GRAMMAR[kind]
    slug = ""
    if form.text:
        alphabet = PRINTABLE.filter(lambda char: char not in "/\ufffd")
        parts = st.text(alphabet, min_size=1, max_size=20).filter(lambda part: part not in {".", ".."})
        slug = "/".join(draw(st.lists(parts, min_size=1, max_size=3 if form.deep else 1)))
    elif form.deep:
        slug = "/".join(draw(st.lists(segments(), max_size=3)))
    elif "{slug}" in form.template:
        slug = draw(segments())
    if kind is PageKind.SITEMAP:
        assume(slug.split("/")[0] not in FIRST_SEGMENTS)
    if kind is PageKind.BROWSE_CLASSIC:
        assume(slug.split("/")[0] != "movie")
    if form.deep:
        assume(not slug.endswith(".xml"))
    query = tuple(
        (name, value)
        for name in form.params
        if (value := draw(st.none() | ANYTHING)) and value not in form.defaults.get(name, ())
    )
    return PageRef(kind, slug, query)


@given(page_refs())
@settings(max_examples=200, deadline=None)
def test_every_page_is_found_again_by_its_canonical_url(ref):
    assert parse(ref.url) == ref


@given(page_refs().filter(lambda ref: not ref.kind.startswith("api-")), st.sampled_from(["http", "https"]))
@settings(max_examples=100, deadline=None)
def test_every_page_is_found_again_in_the_archive(ref, scheme):
    original = ref.url.replace("https://www.", f"{scheme}://")
    assert parse(f"https://web.archive.org/web/20170716120000id_/{original}") == ref


URL_PIECES = st.sampled_from(
    [
        *("https://", "http:", "//", "/", "www.metacritic.com", "backend.metacritic.com", "@", ":", "?", "#", "&", "="),
        *("movie", "her", "user-reviews", "browse", "search", "results", ".xml", "web", "metacritic", "movies", "user"),
        *("web.archive.org/web/2017/", "%", "%2F", "%2e", "%00", "%ED%A0%80", "..", "[", "]", "\\", " ", "page=1"),
    ]
)
URL_LIKE = st.lists(URL_PIECES | st.text(max_size=3), max_size=12).map("".join)


@given(st.text() | URL_LIKE | URL_LIKE.map((WWW + "/").__add__) | URL_LIKE.map((BACK_END + "/").__add__))
@example("https://[::1]/movie/her")
@example("http://www.metacritic.com:\u0661/movie/her")
@example("https://www.metacritic.com\u2100/movie/her")
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_page_with_a_canonical_url_or_is_refused(text):
    try:
        ref = parse(text)
    except UrlError:
        return
    assert parse(ref.url) == ref


# What a percent sign and two hexadecimal digits, or a colon, stand for in a bare slug cannot be told.
PLAIN_SLUGS = segments().filter(lambda slug: "%" not in slug and ":" not in slug)


@given(PLAIN_SLUGS)
@settings(max_examples=100, deadline=None)
def test_a_films_slug_is_a_films_slug(slug):
    assert film_slug(slug) == slug
    assert film_slug(film_slug(slug.upper())) == film_slug(slug.upper())


@given(PLAIN_SLUGS, st.sampled_from(sorted(FILM_KINDS)))
@settings(max_examples=100, deadline=None)
def test_every_page_of_a_film_names_it(slug, kind):
    assert film_slug(PageRef(kind, slug).url) == slug


@pytest.mark.parametrize("slug", ["mission:impossible", "2001:a-space-odyssey"])
def test_a_slug_that_a_url_gives_can_be_given_as_a_slug(slug):
    assert film_slug(film_slug(f"/movie/{slug}")) == slug
