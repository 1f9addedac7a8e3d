"""The user reviews of a film."""

from metacrawl.layouts.rules import STEADY
from metacrawl.spiders.base import FilmSpider
from metacrawl.urls import PageKind


class UserReviewsSpider(FilmSpider):
    """Reads the pages of a film's user reviews, newest first."""

    name = "user_reviews"
    first_page = PageKind.USER_REVIEWS
    first_query = STEADY
    lists = frozenset({PageKind.USER_REVIEWS})
