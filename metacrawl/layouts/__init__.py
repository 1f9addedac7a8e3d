"""Where values are: one module per page design, each nothing but markers and rules."""

from parsel import Selector

from metacrawl.layouts import era_2016
from metacrawl.layouts.rules import Layout, PageRules
from metacrawl.urls import PageKind

# Asked in this order.
LAYOUTS: tuple[Layout, ...] = (era_2016.LAYOUT,)


def identify(page: Selector) -> tuple[Layout, PageKind, PageRules] | None:
    """Find the design and the kind of a page by its markers; none if no design knows it."""
    for layout in LAYOUTS:
        for kind, rules in layout.pages.items():
            if page.xpath(rules.marker):
                return layout, kind, rules
    return None
