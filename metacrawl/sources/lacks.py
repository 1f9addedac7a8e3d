"""What the archive lacks of a film's pages near a moment. Pure."""

from collections.abc import Collection, Iterable
from itertools import islice

from metacrawl.urls import PageKind, PageRef

# The parameters with which a list shows some of its reviews only.
CHOOSING = frozenset({"dist", "filter"})
# How many page numbers are told.
TOLD = 10


def lack_of(kind: PageKind, pages: Iterable[PageRef]) -> str:
    """Tell what is not among the pages of a kind, as `no …`; nothing if all are that there must have been.

    >>> lack_of(PageKind.CRITIC_REVIEWS, [])
    'page of its critic reviews'
    >>> lack_of(PageKind.USER_REVIEWS, [PageRef(PageKind.USER_REVIEWS, "her", (("page", "2"),))])
    'page 0, 1 (from 0) of its user reviews'
    """
    name = f"its {kind.replace('-', ' ')}"
    found = [page for page in pages if page.kind is kind]
    if not found:
        return "page of it" if kind is PageKind.MOVIE else f"page of {name}"
    numbers = ", ".join(map(str, missing(found)))
    return f"page {numbers} (from 0) of {name}" if numbers else ""


def missing(pages: Collection[PageRef]) -> list[int]:
    """Tell the first numbers, up to the highest there is in any order, that the order with the most pages lacks."""
    orders: dict[tuple[tuple[str, str], ...], set[int]] = {(): set()}
    for page in pages:
        if not CHOOSING & dict(page.query).keys():
            order = tuple(part for part in page.query if part[0] != "page")
            orders.setdefault(order, set()).add(page.number)
    # Of two with as many, the site's own order.
    fullest = max(orders.values(), key=len)
    highest = max(page.number for page in pages)
    return list(islice((number for number in range(highest + 1) if number not in fullest), TOLD))
