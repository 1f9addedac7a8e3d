"""How often a field is there at the least, where a page's rules read it: below that, the rule does not work any more.

A floor is the share of records in lists that have it most rarely. What whole lists of films or reviews may lack (dates
of old reviews, trailers, awards, days of release on disc) has none.
"""

from collections.abc import Collection, Mapping

from metacrawl.items import CriticReview, Movie, Record, UserReview
from metacrawl.layouts import LAYOUTS
from metacrawl.layouts.rules import PageRules
from metacrawl.urls import PageKind

# Of films that critics have reviewed: pages of others may hold nothing but a title.
MOVIE = {
    **dict.fromkeys(("title", "site_id"), 0.95),
    **dict.fromkeys(("release_year", "release_date", "summary", "genres", "directors"), 0.9),
    **dict.fromkeys(("image_url", "runtime_minutes", "countries"), 0.8),
    **dict.fromkeys(("cast", "writers", "distributors", "production_companies", "languages"), 0.7),
    "content_rating": 0.6,
}
# Of films that must have a score: the page shows so many reviews of the kind, or says that there are, or has the score.
ENOUGH = 7
SCORES = {
    "metascore": ("critic_reviews", "critic_review_count"),
    **dict.fromkeys(
        ("critic_review_count", "critic_positive", "critic_mixed", "critic_negative"), ("critic_reviews", "metascore")
    ),
    "user_score": ("user_reviews", "user_rating_count"),
    "user_rating_count": ("user_reviews", "user_score"),
}
SCORE = 0.8
CRITIC_REVIEW = {
    "publication": 0.95,
    "excerpt": 0.9,
    "score": 0.8,
    **dict.fromkeys(("critic", "publication_slug", "full_review_url"), 0.5),
}
USER_REVIEW = dict.fromkeys(("review_id", "author", "score", "date", "text"), 0.95)

# Rules that several kinds of page share, on one that does not have the field.
LACKS = {("2016", PageKind.DETAILS): {"release_year"}}

# What is never the same of film after film, or of review after review.
VARIES: Mapping[type[Record], tuple[str, ...]] = {
    Movie: ("title", "site_id", "summary"),
    CriticReview: ("publication", "excerpt"),
    UserReview: ("author", "text"),
}


def floors(rules: PageRules, lacks: Collection[str]) -> dict[type[Record], dict[str, float]]:
    """Give the floors of the fields that a kind of page has."""
    read: dict[type[Record], set[str]] = {
        Movie: {*rules.lists, *(name for block in rules.film_blocks for name in block.rules)},
        CriticReview: set(rules.critic_reviews.block.rules) if rules.critic_reviews else set(),
        UserReview: set(rules.user_reviews.block.rules) if rules.user_reviews else set(),
    }
    # The head of a list of reviews has more or less of the film.
    movie = MOVIE if rules.lists or rules.films else {}
    scores = [name for name, (shown, basis) in SCORES.items() if getattr(rules, shown) or basis in read[Movie]]
    least = {Movie: movie | dict.fromkeys(scores, SCORE), CriticReview: CRITIC_REVIEW, UserReview: USER_REVIEW}
    return {
        record: {name: floor for name, floor in fields.items() if name in read[record] and name not in lacks}
        for record, fields in least.items()
    }


FLOORS: Mapping[tuple[str, PageKind], Mapping[type[Record], Mapping[str, float]]] = {
    (layout.name, kind): floors(rules, LACKS.get((layout.name, kind), ()))
    for layout in LAYOUTS
    for kind, rules in layout.pages.items()
}
