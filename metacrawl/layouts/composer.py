"""What the JSON designs have in common: the parts that the back end composes pages of, and the rules for each."""

from metacrawl.layouts.rules import Block, ListPage, PageRules, ReviewList, Rules
from metacrawl.urls import PageKind

PICTURES = "https://www.metacritic.com/a/img/"


def part(name: str) -> str:
    """What a component of a page holds, since 2026 under `data`; one that could not be had holds nothing."""
    return f"components[?meta.componentName=='{name}' && !(error || errors)] | [0] | (data || @)"


def above_zero(field: str) -> str:
    """A number that the site writes as 0 where it knows none."""
    return f"[@][?to_number({field}) > `0`].{field} | [0]"


def score(summary: str = "@") -> str:
    """A score with any reviews behind it: without, the site writes 0."""
    return f"[{summary}][?to_number(reviewCount) > `0`].score | [0]"


def companies(kind: str) -> str:
    return f"production.companies[?typeName=='{kind}'].name"


def summary(kind: str, count: str, at: str = "") -> Rules:
    """A summary of one kind of score: the number of those who gave one, and the bars."""
    fields = {
        count: "reviewCount",
        f"{kind}_positive": "positiveCount",
        f"{kind}_mixed": "neutralCount",
        f"{kind}_negative": "negativeCount",
    }
    return {name: f"{at}{field}" for name, field in fields.items()}


CRITIC_SUMMARY: Rules = {"metascore": score(), **summary("critic", "critic_review_count")}
USER_SUMMARY: Rules = {"user_score": score(), **summary("user", "user_rating_count")}

# In every product, be it a film's own, a row of a listing or the head of a list of reviews.
HEADING: Rules = {
    "title": "title",
    "site_id": "id",
    "release_year": above_zero("premiereYear"),
    "release_date": "releaseDate",
}
CRITIC_SCORE: Rules = {
    "metascore": score("criticScoreSummary"),
    **summary("critic", "critic_review_count", "criticScoreSummary."),
}
ROW: Rules = {
    **HEADING,
    **CRITIC_SCORE,
    "content_rating": "rating",
    "runtime_minutes": "[@][?to_number(duration) > `0`].join(' ', [to_string(duration), 'min']) | [0]",
    "summary": "description",
    "genres": "genres[].name",
    "must_see": "mustSee",
    "image_url": (
        f"[image][?bucketType && bucketPath]"
        f".join('', ['{PICTURES}', to_string(bucketType), to_string(bucketPath)]) | [0]"
    ),
}
PRODUCT: Rules = {
    **ROW,
    "imdb_id": "imdbId",
    "tagline": "tagline",
    "official_site": "production.officialSite",
    "trailer_url": "video.embedUrl",
    "distributors": companies("Distribution Company"),
    "production_companies": companies("Production Company"),
}
PERSON: Rules = {
    "name": "name",
    "slug": ("entertainmentProduct.slug", "slug"),
    "role": "join(', ', map(&to_string(@), roles[?@] || `[]`))",
}
AWARD: Rules = {"event": "awardEvent", "wins": "wins", "nominations": "nominations"}

CRITIC_REVIEW: Rules = {
    "publication": "publicationName",
    "publication_slug": "publicationSlug",
    "critic": "author",
    "critic_slug": "authorSlug",
    "score": "score",
    "date": "date",
    "excerpt": "quote",
    "full_review_url": "url",
}
# Two zeros are no votes: the page shows none.
VOTED = "[@][?to_number(thumbsUp) > `0` || to_number(thumbsDown) > `0`]"
USER_REVIEW: Rules = {
    "review_id": "id",
    "author": "author",
    "score": "score",
    "date": "date",
    "edited_at": above_zero("version"),
    "text": "quote",
    "spoiler": "spoiler",
    "helpful_votes": f"{VOTED}.thumbsUp | [0]",
    "total_votes": f"{VOTED}.sum([to_number(thumbsUp), to_number(thumbsDown)][?@ >= `0`]) | [0]",
}

# Where the site has all reviews of a kind, 50 of which are what it asks for at a time.
WHOLE = (("sort", "date"), ("limit", "50"))
BY_SCORE = (("sort", "score"), ("limit", "50"))
LISTS = {
    PageKind.CRITIC_REVIEWS: ListPage(PageKind.API_CRITIC_REVIEWS, WHOLE, BY_SCORE),
    PageKind.USER_REVIEWS: ListPage(PageKind.API_USER_REVIEWS, WHOLE, BY_SCORE),
}

# A component that fails may be there all the same: it has no list, and says nothing of a number.
TOTAL = "(totalResults || total)"
NONE = "[@][?totalResults == `0` || total == `0`]"


def people(product: str) -> dict[str, Block]:
    """The lists of a film's product."""
    return {
        "directors": Block(f"{product}.production.crew[?roleTypeGroupName=='Directed By']", PERSON),
        "writers": Block(f"{product}.production.crew[?roleTypeGroupName=='Written By']", PERSON),
        "cast": Block(f"{product}.production.cast[]", PERSON),
        "awards": Block(f"{product}.awards[]", AWARD),
    }


def reviews(holder: str, at: str, rules: Rules) -> ReviewList:
    """The reviews that stand at `at` in what holds them and says how many there are."""
    return ReviewList(container=holder, block=Block(at, rules), empty=f"{holder} | {NONE}", total=f"{holder} | {TOTAL}")


def movie_page(marker: str) -> PageRules:
    """A film's page: a few reviews of each kind, in one list as they are shown and in three by score."""
    return PageRules(
        marker=marker,
        movie=(
            Block(f"{part('critic-score-summary')}.item", CRITIC_SUMMARY),
            Block(f"{part('user-score-summary')}.item", USER_SUMMARY),
            Block(f"{part('user-reviews')}", {"user_review_count": TOTAL}),
            Block(f"{part('product')}.item", PRODUCT),
        ),
        lists=people(f"{part('product')}.item"),
        critic_reviews=reviews(part("critic-reviews"), "item.default", CRITIC_REVIEW),
        user_reviews=reviews(part("user-reviews"), "item.default", USER_REVIEW),
    )


# At the head of a list of reviews: the film, and its scores.
HEAD = (
    Block(f"{part('critic-score-summary')}.item", CRITIC_SUMMARY),
    Block(f"{part('user-score-summary')}.item", USER_SUMMARY),
    Block(f"{part('product')}.item", {**HEADING, **CRITIC_SCORE}),
)


def critic_reviews_page(marker: str) -> PageRules:
    return PageRules(
        marker=marker,
        movie=HEAD,
        critic_reviews=reviews(part("critic-reviews"), "items", CRITIC_REVIEW),
        total=f"{part('critic-reviews')} | {TOTAL}",
    )


def user_reviews_page(marker: str) -> PageRules:
    return PageRules(
        marker=marker,
        movie=(*HEAD, Block(part("user-reviews"), {"user_review_count": TOTAL})),
        user_reviews=reviews(part("user-reviews"), "items", USER_REVIEW),
        total=f"{part('user-reviews')} | {TOTAL}",
    )


def site_pages() -> dict[PageKind, PageRules]:
    """The pages of the site itself, by the name that their state gives them."""
    return {
        PageKind.MOVIE: movie_page("[@][?page=='movies']"),
        PageKind.CRITIC_REVIEWS: critic_reviews_page("[@][?page=='movies-critic-reviews']"),
        PageKind.USER_REVIEWS: user_reviews_page("[@][?page=='movies-user-reviews']"),
    }
