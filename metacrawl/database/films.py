"""One film, several pages: the parts that its pages give become one record."""

from metacrawl.database.rows import PROVENANCE, Row, to_row
from metacrawl.items import Movie, iso_timestamp
from metacrawl.urls import PageKind, parse

# What the details page knows better than the film's page.
DETAILS_FIRST = frozenset(
    {
        *("directors", "writers", "cast", "distributors", "production_companies"),
        *("countries", "languages", "release_date", "home_release_date"),
    }
)


def rank(page: PageKind, field: str) -> int:
    """Order the pages of one run by how well they know a field; between equals the newer page wins."""
    if page is PageKind.DETAILS and field in DETAILS_FIRST:
        return 2
    return 1 if page is PageKind.MOVIE else 0


def merge(old: Row | None, movie: Movie, run: int) -> Row:
    """Lay what a page gives of a film over what is stored of it.

    A value beats none, a later run an earlier one, and within a run the better page. A page that cannot say is no
    news. `origins` remembers where each value came from: field → `[run, rank, captured_at]`.
    """
    given = to_row(movie)
    page = parse(movie.source_url).kind
    row: Row = dict(old) if old else given | {"origins": {}}
    origins = dict(row["origins"])

    def wins(field: str) -> bool:
        origin = [run, rank(page, field), iso_timestamp(movie.captured_at)]
        if field in origins and origin < origins[field]:
            return False
        origins[field] = origin
        return True

    for field in given.keys() - PROVENANCE:
        if given[field] not in (None, []) and wins(field):
            row[field] = given[field]
    if wins("source_url"):
        row |= {field: given[field] for field in PROVENANCE}
    return row | {"origins": origins}
