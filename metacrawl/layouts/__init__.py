"""Where values are: one module per page design, each nothing but markers and rules."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from parsel import Selector

from metacrawl.layouts import api, era_2010, era_2016, era_2023, era_2026
from metacrawl.layouts.rules import Layout, PageRules
from metacrawl.selectors import Document, JsonSelector, select
from metacrawl.urls import PageKind

# Asked in this order.
LAYOUTS: tuple[Layout, ...] = (api.LAYOUT, era_2026.LAYOUT, era_2023.LAYOUT, era_2016.LAYOUT, era_2010.LAYOUT)


class View(NamedTuple):
    """A page as one design sees it."""

    layout: Layout
    page: Selector
    """What the design's rules are applied to."""


class Known(NamedTuple):
    """A page whose design and kind are known."""

    layout: Layout
    page: Selector
    kind: PageKind
    rules: PageRules


def views(document: Document) -> Iterator[View]:
    """See a page as each design sees it that it may be of. Raises `ValueError` for a page that is broken."""
    for layout in LAYOUTS:
        page = layout.document(document)
        if page is not None:
            yield View(layout, page)
            if isinstance(page, JsonSelector):
                # What brings its data along is of no older design.
                return


def identify(seen: Iterable[View]) -> Known | None:
    """Find the design and the kind of a page by its markers; none if no design knows it."""
    for layout, page in seen:
        for kind, rules in layout.pages.items():
            if select(page, rules.marker):
                return Known(layout, page, kind, rules)
    return None
