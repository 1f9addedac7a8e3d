"""The site's URL grammar: any URL that the site ever used ↔ `PageRef`, and one canonical form of each.

One line of `GRAMMAR` per kind of page. What does not change what the page shows (scheme, `www.`, a trailing slash,
tracking parameters, a parameter at its default) is no part of a `PageRef`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

SITE = "https://www.metacritic.com"
API = "https://backend.metacritic.com"

SITE_HOSTS = frozenset({"www.metacritic.com", "metacritic.com"})
# The back end's hosts since 2023, newest first; the older two put `/v1/xapi` before the path.
API_HOSTS = frozenset({"backend.metacritic.com", "internal-prod.apigee.fandom.net", "fandom-prod.apigee.net"})

# A page of the web archive carries the site's own URL behind its time stamp; the links in it do too, without a host.
ARCHIVED = re.compile(
    r"(?:(?:https?:)?//web\.archive\.org)?/web/([0-9]{1,14})[a-z_]*/(?=https?://|[\w.]*metacritic\.com/)", re.IGNORECASE
)
API_PREFIX = "/v1/xapi"
MAX_SLUG = 300
NOT_IN_SLUGS = frozenset(' /\\?#"<>')
# What stands unencoded in a path segment (RFC 3986), as the site writes it: `gamesradar+`.
SAFE = "!$&'()*+,:=@"


class UrlError(ValueError):
    """The text is no URL (or no slug) of this site; the message names it."""


class PageKind(StrEnum):
    """What a page shows. Values that start with `api-` are answers of the JSON back end."""

    MOVIE = "movie"
    DETAILS = "details"
    CREDITS = "credits"
    TRAILERS = "trailers"
    CRITIC_REVIEWS = "critic-reviews"
    USER_REVIEWS = "user-reviews"
    PERSON = "person"
    CRITIC = "critic"
    PUBLICATION = "publication"
    COMPANY = "company"
    USER = "user"
    BROWSE = "browse"
    BROWSE_CLASSIC = "browse-classic"
    SEARCH = "search"
    AUTOSEARCH = "autosearch"
    GAME = "game"
    TV = "tv"
    MUSIC = "music"
    SITEMAP = "sitemap"
    API_FINDER = "api-finder"
    API_SEARCH = "api-search"
    API_SUGGEST = "api-suggest"
    API_MOVIE_PAGE = "api-movie-page"
    API_CRITIC_REVIEWS_PAGE = "api-critic-reviews-page"
    API_USER_REVIEWS_PAGE = "api-user-reviews-page"
    API_SEARCH_PAGE = "api-search-page"
    API_MOVIE = "api-movie"
    API_CRITIC_REVIEWS = "api-critic-reviews"
    API_CRITIC_REVIEWS_SUMMARY = "api-critic-reviews-summary"
    API_CRITIC_REVIEWS_STATS = "api-critic-reviews-stats"
    API_USER_REVIEWS = "api-user-reviews"
    API_USER_REVIEWS_SUMMARY = "api-user-reviews-summary"
    API_USER_REVIEWS_STATS = "api-user-reviews-stats"
    API_PERSON_CREDITS = "api-person-credits"
    API_NEWS = "api-news"
    API_OFFERS = "api-offers"


@dataclass(frozen=True, slots=True)
class PageRef:
    """One page of the site, whatever URL led there.

    `slug` is the path segment that names the film (person, publication …), percent-decoded; of a listing the rest of
    its path. `query` holds the parameters that change what the page shows, in the grammar's order.
    """

    kind: PageKind
    slug: str = ""
    query: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The canonical path and query, from the slash on."""
        form = GRAMMAR[self.kind]
        path = form.template.replace("{slug}", quote(self.slug, safe=SAFE + "/" * form.deep))
        return f"{path}?{urlencode(self.query)}" if self.query else path

    @property
    def counts_entries(self) -> bool:
        """Whether the pages of the list are told apart by their first entry: those of the back end."""
        return "offset" in GRAMMAR[self.kind].params

    @property
    def number(self) -> int:
        """The number of a page of a list, or of its first entry, from 0."""
        number = dict(self.query).get("offset" if self.counts_entries else "page", "")
        return int(number) if re.fullmatch(r"[0-9]{1,9}", number) else 0

    def from_entry(self, number: int) -> "PageRef":
        """Give the page of the same list that starts with another entry, from 0."""
        return self.asked(dict(self.query) | {"offset": str(number)})

    def asked(self, query: Mapping[str, str]) -> "PageRef":
        """Give the same page, asked for with other parameters."""
        return PageRef(self.kind, self.slug, relevant_query(urlencode(query), GRAMMAR[self.kind]))

    @property
    def url(self) -> str:
        """The canonical URL."""
        return (API if self.is_api else SITE) + self.path

    @property
    def is_api(self) -> bool:
        """Whether it is an answer of the back end's."""
        return self.kind.startswith("api-")


@dataclass(frozen=True)
class Form:
    """How the URLs of one kind look: a path template, the parameters that matter and their defaults."""

    template: str
    params: tuple[str, ...] = ()
    defaults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deep: bool = False  # the slug may hold slashes
    text: bool = False  # the slug is free text: spaces and upper case matter

    @property
    def pattern(self) -> re.Pattern[str]:
        """What matches a path, still percent-encoded, without its trailing slash."""
        if self.deep and self.template.endswith("/{slug}"):
            return re.compile(re.escape(self.template.removesuffix("/{slug}")) + "(?:/(?P<slug>.+))?")
        slug = "(?P<slug>.+)" if self.deep else "(?P<slug>[^/]+)"
        return re.compile(re.escape(self.template).replace(re.escape("{slug}"), slug))


REVIEW_PARAMS = ("dist", "filter", "sort", "sort-by", "num_items", "page")
REVIEW_DEFAULTS = {"page": ("0",), "filter": ("all",)}
BROWSE_PARAMS = ("releaseYearMin", "releaseYearMax", "genre", "network", "releaseType", "page")
PROFILE_PARAMS = ("filter", "filter-options", "sort_options", "num_items", "dist", "page")
LIST_PARAMS = ("filterBySentiment", "sort", "offset", "limit")
LIST_DEFAULTS = {"filterBySentiment": ("all",), "offset": ("0",)}
FINDER_PARAMS = (
    *("mcoTypeId", "productType", "sortBy", "sortDirection", "releaseYearMin", "releaseYearMax", "genres"),
    *("streamingNetworkIds", "releaseType", "inTheatres", "offset", "limit"),
)
FINDER_DEFAULTS = {"offset": ("0",)}

GRAMMAR: Mapping[PageKind, Form] = {
    PageKind.MOVIE: Form("/movie/{slug}"),
    PageKind.DETAILS: Form("/movie/{slug}/details"),
    PageKind.CREDITS: Form("/movie/{slug}/credits"),
    PageKind.TRAILERS: Form("/movie/{slug}/trailers"),
    PageKind.CRITIC_REVIEWS: Form("/movie/{slug}/critic-reviews", REVIEW_PARAMS, REVIEW_DEFAULTS),
    PageKind.USER_REVIEWS: Form("/movie/{slug}/user-reviews", REVIEW_PARAMS, REVIEW_DEFAULTS),
    PageKind.PERSON: Form("/person/{slug}", PROFILE_PARAMS, {"page": ("0",)}),
    PageKind.CRITIC: Form("/critic/{slug}", PROFILE_PARAMS, {"page": ("0",)}),
    PageKind.PUBLICATION: Form("/publication/{slug}", PROFILE_PARAMS, {"page": ("0",)}),
    PageKind.COMPANY: Form("/company/{slug}", PROFILE_PARAMS, {"page": ("0",)}),
    PageKind.USER: Form("/user/{slug}", text=True),
    PageKind.BROWSE_CLASSIC: Form(
        "/browse/{slug}", ("year_selected", "sort", "view", "num_items", "page"), {"page": ("0",)}, deep=True
    ),
    # Since 2023 pages count from 1, and page 0 shows page 1 once more.
    PageKind.BROWSE: Form("/browse/movie/{slug}", BROWSE_PARAMS, {"page": ("0", "1")}, deep=True),
    PageKind.SEARCH: Form("/search/{slug}/results", ("page", "sort"), {"page": ("0",)}, deep=True, text=True),
    PageKind.AUTOSEARCH: Form("/autosearch"),
    PageKind.GAME: Form("/game/{slug}", deep=True),
    PageKind.TV: Form("/tv/{slug}", deep=True),
    PageKind.MUSIC: Form("/music/{slug}", deep=True),
    PageKind.SITEMAP: Form("/{slug}.xml", deep=True, text=True),
    PageKind.API_FINDER: Form("/finder/metacritic/web", FINDER_PARAMS, FINDER_DEFAULTS),
    PageKind.API_SEARCH: Form("/finder/metacritic/search/{slug}/web", FINDER_PARAMS, FINDER_DEFAULTS, text=True),
    PageKind.API_SUGGEST: Form("/finder/metacritic/autosuggest/{slug}", text=True),
    PageKind.API_MOVIE_PAGE: Form("/composer/metacritic/pages/movies/{slug}/web", ("sort",)),
    PageKind.API_CRITIC_REVIEWS_PAGE: Form("/composer/metacritic/pages/movies-critic-reviews/{slug}/web", ("sort",)),
    PageKind.API_USER_REVIEWS_PAGE: Form("/composer/metacritic/pages/movies-user-reviews/{slug}/web", ("sort",)),
    PageKind.API_SEARCH_PAGE: Form("/composer/metacritic/pages/search/{slug}/web", ("mcoTypeId",), text=True),
    PageKind.API_MOVIE: Form("/movies/metacritic/{slug}/web"),
    PageKind.API_CRITIC_REVIEWS: Form("/reviews/metacritic/critic/movies/{slug}/web", LIST_PARAMS, LIST_DEFAULTS),
    PageKind.API_CRITIC_REVIEWS_SUMMARY: Form("/reviews/metacritic/critic/movies/{slug}/summary/web"),
    PageKind.API_CRITIC_REVIEWS_STATS: Form("/reviews/metacritic/critic/movies/{slug}/stats/web"),
    PageKind.API_USER_REVIEWS: Form("/reviews/metacritic/user/movies/{slug}/web", LIST_PARAMS, LIST_DEFAULTS),
    PageKind.API_USER_REVIEWS_SUMMARY: Form("/reviews/metacritic/user/movies/{slug}/summary/web"),
    PageKind.API_USER_REVIEWS_STATS: Form("/reviews/metacritic/user/movies/{slug}/stats/web"),
    PageKind.API_PERSON_CREDITS: Form("/people/metacritic/{slug}/credits/web", ("productType", "sort", "offset")),
    PageKind.API_NEWS: Form("/movies/metacritic/{slug}/news/web"),
    PageKind.API_OFFERS: Form("/justwatch/metacritic/offersByIMDbId", ("id", "type")),
}

PATTERNS = {kind: form.pattern for kind, form in GRAMMAR.items()}
# From the most to the least special path: `/browse/movie/…` is also a `/browse/…`.
SITE_KINDS = sorted(
    (kind for kind in GRAMMAR if not kind.startswith("api-")),
    key=lambda kind: len(GRAMMAR[kind].template.replace("{slug}", "")),
    reverse=True,
)
API_KINDS = [kind for kind in GRAMMAR if kind.startswith("api-")]
# The kinds whose slug is a film's.
FILM_KINDS = frozenset(
    kind for kind, form in GRAMMAR.items() if not form.deep and re.search(r"movies?\b.*/{slug}", form.template)
)
# The film's page, in whatever form.
FILM_PAGES = frozenset({PageKind.MOVIE, PageKind.API_MOVIE_PAGE, PageKind.API_MOVIE})
# The listings of films that can be read.
LISTING_KINDS = frozenset({PageKind.API_FINDER, PageKind.API_SEARCH})


def parse(url: str, base: str = SITE) -> PageRef:
    """Read any URL of the site: absolute or relative to `base`, archived or not, with or without its scheme.

    Raises `UrlError` for other hosts, unknown paths and unusable slugs.
    """
    if not url.strip().isprintable():
        raise UrlError(f"{url!r} is no URL: it holds control characters")
    try:
        parts = urlsplit(urljoin(base, with_scheme(unarchived(url.strip()))))
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UrlError(f"{url!r} is no URL: {error}") from None
    if parts.scheme not in {"http", "https"} or host not in SITE_HOSTS | API_HOSTS or port not in {None, 80, 443}:
        raise UrlError(f"{url!r} is no URL of {SITE}")
    if parts.username is not None:
        raise UrlError(f"{parts.hostname}: a URL of the site needs no user and no password")
    return parse_path(parts.path, parts.query, api=host in API_HOSTS, url=url)


def parse_path(path: str, query: str, *, api: bool, url: str) -> PageRef:
    """Read the path and query of a page, as they stand percent-encoded in `url`, for the site or its back end."""
    path = (path.removeprefix(API_PREFIX) if api else path).rstrip("/")
    for kind in API_KINDS if api else SITE_KINDS:
        if match := PATTERNS[kind].fullmatch(path):
            form = GRAMMAR[kind]
            slug = decode_slug(match.groupdict().get("slug") or "", form)
            if not is_slug(slug, form):
                raise UrlError(f"{url!r} has no usable slug: {slug!r}")
            return PageRef(kind, slug, relevant_query(query, form))
    raise UrlError(f"{url!r} is no page that metacrawl knows")


def film_slug(text: str) -> str:
    """Read what a person gives for a film: its slug, or the URL of any of its pages.

    Raises `UrlError` if it is neither.
    """
    if re.match(r"https?:|/", text, re.IGNORECASE) or with_scheme(text) != text:
        ref = parse(text)
        if ref.kind not in FILM_KINDS:
            raise UrlError(f"{text!r} is no page of a film ({ref.kind})")
        return ref.slug
    slug = decode_slug(text, GRAMMAR[PageKind.MOVIE])
    if not slug or not is_slug(slug, GRAMMAR[PageKind.MOVIE]):
        raise UrlError(f"{text!r} is no film's slug; it is the last part of its URL: {SITE}/movie/<slug>")
    return slug


def unarchived(url: str) -> str:
    """Take the site's own URL out of one of the web archive's."""
    return archived(url)[1]


def archived(url: str) -> tuple[str, str]:
    """Take the time stamp and the site's own URL out of one of the web archive's; of another the stamp is empty."""
    found = ARCHIVED.match(url)
    return (found[1], with_scheme(url[found.end() :])) if found else ("", url)


def with_scheme(url: str) -> str:
    """Complete a URL that starts with the host, as people type it."""
    return f"https://{url}" if url.split("/", 1)[0].lower() in SITE_HOSTS | API_HOSTS else url


def decode_slug(segment: str, form: Form) -> str:
    """Percent-decode a path segment into the slug it stands for."""
    return unquote(segment) if form.text else unquote(segment).lower()


def is_slug(slug: str, form: Form) -> bool:
    """Tell whether a decoded slug is one that the site could have."""
    if len(slug) > MAX_SLUG or not slug.isprintable() or "\ufffd" in slug:
        return False
    segments = slug.split("/") if form.deep and slug else [slug]
    return not any(segment in {".", ".."} or (set(segment) & NOT_IN_SLUGS and not form.text) for segment in segments)


def relevant_query(query: str, form: Form) -> tuple[tuple[str, str], ...]:
    """Keep the parameters that change what the page shows, in the grammar's order."""
    given = dict(parse_qsl(query))
    return tuple(
        (name, given[name]) for name in form.params if name in given and given[name] not in form.defaults.get(name, ())
    )
