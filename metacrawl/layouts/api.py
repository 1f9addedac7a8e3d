"""The answers of the site's back end: plain JSON, for films only."""

from metacrawl.layouts.composer import (
    CRITIC_REVIEW,
    CRITIC_SUMMARY,
    LISTS,
    PRODUCT,
    ROW,
    USER_REVIEW,
    USER_SUMMARY,
    critic_reviews_page,
    movie_page,
    people,
    reviews,
    user_reviews_page,
)
from metacrawl.layouts.rules import Block, Layout, PageRules
from metacrawl.layouts.state import bounded
from metacrawl.selectors import Document, JsonSelector
from metacrawl.urls import API, PageKind

NEXT = "links.next.href"
TOTAL = "data.totalResults"
PAGES = f"{API}/composer/metacritic/pages"

# Pages come without a link to themselves, but with what it is made of.
COMPOSED = (
    "[@][?components && meta.typeName=='movie' && meta.pageType && meta.slug]."
    f"join('/', ['{PAGES}', meta.pageType=='product' && 'movies' || join('-', ['movies', to_string(meta.pageType)]), "
    "to_string(meta.slug), 'web']) | [0]"
)


def document(answer: Document) -> JsonSelector | None:
    """See an answer as JSON; raises `ValueError` where it tells of an error."""
    if not answer.is_json or not isinstance(answer.json, dict):
        return None
    errors = answer.json.get("errors")
    if isinstance(errors, list) and errors and "data" not in answer.json:
        raise ValueError(f"the back end tells of an error: {errors[0]!s:.100}")
    return JsonSelector(root=bounded(answer.json), type="json")


def answers(path: str, shape: str) -> str:
    """Make a marker for answers to one path that have what such answers have."""
    return f"[@][?type(links.self.href)=='string' && contains(links.self.href, '{path}') && {shape}]"


def composed(page: str) -> str:
    """Make a marker for pages of films."""
    return f"[@][?components && meta.typeName=='movie' && meta.pageType=='{page}']"


def finder(path: str, shape: str) -> PageRules:
    return PageRules(
        marker=answers(path, shape),
        films=Block("data.items[?type=='movie']", {"slug": "slug", **ROW, **ROW_SCORES}),
        next_page=NEXT,
        total=TOTAL,
    )


# A row has 0 where there is no score, and does not tell how many users gave theirs.
ROW_SCORES = {
    "metascore": "[criticScoreSummary][?to_number(score) > `0`].score | [0]",
    "user_score": "[userScore][?to_number(score) > `0`].score | [0]",
}
# The paths of critics and users are the same, and told apart from lists, summaries and numbers by what they hold.
CRITICS, USERS = "/reviews/metacritic/critic/movies/", "/reviews/metacritic/user/movies/"
LIST, BUCKETS = "type(data.items)=='array'", "type(data.item.default)=='array'"
NUMBERS = "type(data.item)=='object' && contains(keys(data.item), 'reviewCount')"

LAYOUT = Layout(
    name="api",
    pages={
        PageKind.API_MOVIE: PageRules(
            marker=answers("/movies/metacritic/", "data.item.type=='movie'"),
            movie=(Block("data.item", PRODUCT),),
            lists=people("data.item"),
        ),
        # Of films or with none at all: the same path answers for games.
        PageKind.API_FINDER: finder(
            "/finder/metacritic/web", f"{LIST} && (data.items[?type=='movie'] || !(data.items))"
        ),
        PageKind.API_SEARCH: finder("/finder/metacritic/search/", LIST),
        PageKind.API_CRITIC_REVIEWS: PageRules(
            marker=answers(CRITICS, LIST),
            critic_reviews=reviews("data", "items", CRITIC_REVIEW),
            next_page=NEXT,
            total=TOTAL,
        ),
        PageKind.API_USER_REVIEWS: PageRules(
            marker=answers(USERS, LIST),
            user_reviews=reviews("data", "items", USER_REVIEW),
            next_page=NEXT,
            total=TOTAL,
        ),
        PageKind.API_CRITIC_REVIEWS_SUMMARY: PageRules(
            marker=answers(CRITICS, BUCKETS), critic_reviews=reviews("data", "item.default", CRITIC_REVIEW)
        ),
        PageKind.API_USER_REVIEWS_SUMMARY: PageRules(
            marker=answers(USERS, BUCKETS), user_reviews=reviews("data", "item.default", USER_REVIEW)
        ),
        PageKind.API_CRITIC_REVIEWS_STATS: PageRules(
            marker=answers(CRITICS, NUMBERS), movie=(Block("data.item", CRITIC_SUMMARY),), required=()
        ),
        PageKind.API_USER_REVIEWS_STATS: PageRules(
            marker=answers(USERS, NUMBERS), movie=(Block("data.item", USER_SUMMARY),), required=()
        ),
        PageKind.API_MOVIE_PAGE: movie_page(composed("product")),
        PageKind.API_CRITIC_REVIEWS_PAGE: critic_reviews_page(composed("critic-reviews")),
        PageKind.API_USER_REVIEWS_PAGE: user_reviews_page(composed("user-reviews")),
    },
    lists=LISTS,
    document=document,
    itself=f"links.self.href || ({COMPOSED})",
)
