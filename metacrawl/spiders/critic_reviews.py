"""The critic reviews of a film."""

from metacrawl.spiders.base import FilmSpider
from metacrawl.urls import PageKind


class CriticReviewsSpider(FilmSpider):
    """Reads the page of a film's critic reviews."""

    name = "critic_reviews"
    first_page = PageKind.CRITIC_REVIEWS
    lists = frozenset({PageKind.CRITIC_REVIEWS})
