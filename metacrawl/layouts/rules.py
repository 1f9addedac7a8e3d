"""What a layout is made of: rules, and the few words to write them with.

A rule is one XPath expression, or several of which the first that gives a value counts, relative to a scope node that
is found once per page or block. What an expression selects is read as clean text (`metacrawl.loaders.TextSelector`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from metacrawl.urls import PageKind

# How a page of any design names itself.
CANONICAL = '//link[@rel="canonical"]/@href'

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

    account: str = ""
    """For user reviews, relative to the block: true if the author has an account."""


@dataclass(frozen=True)
class PageRules:
    """How one kind of page is laid out in one design."""

    marker: str
    """True on this kind of page of this design and on no other."""

    movie: tuple[Block, ...]
    """The film's single values, by the part of the page that they stand in."""

    lists: Mapping[str, Block] = field(default_factory=dict)
    """The film's lists of people and rankings: an entry per node."""

    critic_reviews: ReviewList | None = None
    user_reviews: ReviewList | None = None

    next_page: str = ""
    """The link to the next page of a list that is read in pages."""

    required: tuple[str, ...] = ("title",)
    """Fields of the film that such a page always has."""


@dataclass(frozen=True)
class Layout:
    """One page design of the site."""

    name: str
    """As it stands in the records."""

    pages: Mapping[PageKind, PageRules]

    end: str = "</html>"
    """What the last bytes of a whole page hold."""


def has(*names: str) -> str:
    """Make an XPath test for classes, whatever others the element has."""
    return " and ".join(f'contains(concat(" ", normalize-space(@class), " "), " {name} ")' for name in names)


def whether(expression: str) -> str:
    """Make a rule that tells true from false."""
    return f"boolean({expression})"


def only_if(expression: str) -> str:
    """Make a rule that tells true from unknown: the absence says nothing."""
    return f'substring("1", 1, number(boolean({expression})))'
