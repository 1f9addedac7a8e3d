"""What a layout is made of: rules, and the few words to write them with.

A rule is one expression, or several of which the first that gives a value counts, relative to a scope node that is
found once per page or block: XPath where the layout's pages are HTML, JMESPath where they hold JSON. What an expression
selects is read as clean text (`metacrawl.selectors`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from parsel import Selector

from metacrawl.selectors import Document
from metacrawl.urls import PageKind

# How a page of any design names itself.
CANONICAL = '//link[@rel="canonical"]/@href'

# In the order of dates a new review moves a classic list by one, so one is met twice; in that of votes any could slip
# past.
STEADY = (("sort-by", "date"), ("num_items", "100"))

Rules = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Block:
    """The fields that stand below each node that `at` selects."""

    at: str
    rules: Rules


@dataclass(frozen=True)
class ReviewList:
    """One kind of review on a page: a record per block, none for an advertisement."""

    container: str
    """The node that holds the blocks."""

    block: Block
    """A review, relative to the container."""

    empty: str
    """What the page shows where the film has no review of this kind; a page with neither is broken."""

    total: str = ""
    """How many reviews of the kind there are, where the page says so beside the first of them."""

    account: str = ""
    """For user reviews, relative to the block: true if the author has an account; empty where no page tells."""


@dataclass(frozen=True)
class PageRules:
    """How one kind of page is laid out in one design."""

    marker: str
    """Selects something on this kind of page of this design, and nothing on any other."""

    movie: tuple[Block, ...] = ()
    """The film's single values, by the part of the page that they stand in."""

    lists: Mapping[str, Block] = field(default_factory=dict)
    """The film's lists of people and rankings: an entry per node."""

    films: Block | None = None
    """A listing's films: a record per node, with its `slug`."""

    critic_reviews: ReviewList | None = None
    user_reviews: ReviewList | None = None

    next_page: str = ""
    """The link to the next page of a list that is read in pages."""

    total: str = ""
    """How many entries the whole list has, of which this page shows some."""

    last_page: str = ""
    """The number of the last page of a list, from 1; nothing where there is but one."""

    required: tuple[str, ...] = ("title",)
    """Fields of the film that such a page always has."""

    @property
    def film_blocks(self) -> tuple[Block, ...]:
        """The blocks of films' single values, of one film or of a listing's."""
        return (*self.movie, *filter(None, [self.films]))


@dataclass(frozen=True)
class ListPage:
    """Where a design has all reviews of one kind."""

    kind: PageKind
    query: tuple[tuple[str, str], ...] = ()
    """The order in which to ask for them, and how many at a time."""

    again: tuple[tuple[str, str], ...] = ()
    """The same in another order, for what has slipped past in the first."""


def html(document: Document) -> Selector | None:
    """See a page as HTML."""
    return None if document.is_json else document.html


@dataclass(frozen=True)
class Layout:
    """One page design of the site."""

    name: str
    """As it stands in the records."""

    pages: Mapping[PageKind, PageRules]

    lists: Mapping[PageKind, ListPage] = field(default_factory=dict)
    """Where the lists of critic reviews and of user reviews are to be had whole."""

    details: PageKind | None = None
    """The page that knows more of a film than the film's page."""

    document: Callable[[Document], Selector | None] = html
    """Gives what the rules are applied to, none for a page of another design; raises `ValueError` for a broken one."""

    itself: str = CANONICAL
    """How a page names itself."""

    end: tuple[str, ...] = ("</html>",)
    """What the last bytes of a whole page of HTML hold: one of these."""


def has(*names: str) -> str:
    """Make an XPath test for classes, whatever others the element has."""
    return " and ".join(f'contains(concat(" ", normalize-space(@class), " "), " {name} ")' for name in names)


def whether(expression: str) -> str:
    """Make a rule that tells true from false."""
    return f"boolean({expression})"


def only_if(expression: str) -> str:
    """Make a rule that tells true from unknown: the absence says nothing."""
    return f'substring("1", 1, number(boolean({expression})))'
