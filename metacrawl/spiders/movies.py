"""The film, its details and all its reviews."""

from collections.abc import Iterator

from metacrawl.extract import Page
from metacrawl.spiders.arguments import Arguments
from metacrawl.spiders.base import FilmSpider
from metacrawl.urls import PageKind, PageRef


class MoviesSpider(FilmSpider):
    """Reads a film's page, then its details page and the pages of its reviews."""

    name = "movies"
    takes = (*FilmSpider.takes, "reviews")
    first_page = PageKind.MOVIE

    @classmethod
    def beside(cls, arguments: Arguments) -> frozenset[PageKind]:
        """Add the page that knows more of the film."""
        return super().beside(arguments) | {PageKind.DETAILS}

    def leads_to(self, page: Page) -> Iterator[PageRef]:
        """Go from the film's page to all others."""
        if page.ref.kind is PageKind.MOVIE and page.layout.details:
            yield PageRef(page.layout.details, page.ref.slug)
        yield from super().leads_to(page)
