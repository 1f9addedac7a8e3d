"""Item loaders: which processor reads which field, whatever the layout. No XPath here."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from itemloaders import ItemLoader
from itemloaders.processors import TakeFirst
from lxml import etree
from parsel import Selector

from metacrawl import items
from metacrawl.processors import (
    absolute,
    count,
    date,
    decimal,
    flag,
    last_segment,
    minutes,
    one_line,
    present,
    rank,
    ranking,
    rating,
    unique,
    whole,
)

# Not a union of two paths: libxml2 takes quadratic time to merge them, and a page may hold 100,000 breaks.
TEXT_AND_BREAKS = etree.XPath("descendant::node()[self::text() or self::br]", smart_strings=False)


class TextSelector(Selector):
    """A selector whose `get()` is clean text instead of source.

    Each `<br>` is a line break, any other run of white space one space; attributes are one line.
    """

    def get(self) -> Any:
        """Give the text of the selected element, attribute or text node."""
        if not isinstance(self.root, etree._Element):  # noqa: SLF001 - lxml has no public name for its element type
            return one_line(str(super().get()))
        # A NUL cannot stand in a parsed document, so it can mark the line breaks.
        text = "".join(
            part if isinstance(part, str) else "\0" for part in cast("list[Any]", TEXT_AND_BREAKS(self.root))
        )
        return "\n".join(map(one_line, text.split("\0"))).strip("\n")


class Parsed:
    """An output processor that reads the first value that the page gives.

    What `parse` cannot read stays as it is, so that validation counts and names it.
    """

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self.parse = parse

    def __call__(self, values: list[str]) -> Any:
        text = next(filter(present, values), None)
        value = None if text is None else self.parse(text)
        return text if value is None else value


def link(values: list[str], loader_context: Mapping[str, Any]) -> str | None:
    """Resolve the first link against the page's own URL, `base_url` in the loader's context."""
    return next((url for value in values if (url := absolute(value, loader_context["base_url"]))), None)


def every(values: list[Any]) -> list[Any]:
    """Keep every value once, in page order."""
    return unique(filter(None, values))


class RecordLoader(ItemLoader):
    """What the loaders of all records share."""

    default_output_processor = TakeFirst()


class CreditLoader(RecordLoader):
    default_item_class = items.Credit

    slug_out = Parsed(last_segment)


class RankingLoader(RecordLoader):
    default_item_class = items.Ranking

    rank_out = Parsed(rank)
    title_out = Parsed(ranking)


class MovieLoader(RecordLoader):
    default_item_class = items.Movie

    site_id_out = Parsed(whole)
    release_year_out = Parsed(whole)
    release_date_out = Parsed(date)
    home_release_date_out = Parsed(date)
    metascore_out = Parsed(whole)
    critic_review_count_out = Parsed(count)
    critic_positive_out = Parsed(count)
    critic_mixed_out = Parsed(count)
    critic_negative_out = Parsed(count)
    user_score_out = Parsed(decimal)
    user_rating_count_out = Parsed(count)
    user_positive_out = Parsed(count)
    user_mixed_out = Parsed(count)
    user_negative_out = Parsed(count)
    user_review_count_out = Parsed(count)
    must_see_out = Parsed(flag)
    content_rating_out = Parsed(rating)
    runtime_minutes_out = Parsed(minutes)
    genres_out = every
    countries_out = every
    languages_out = every
    distributors_out = every
    production_companies_out = every
    directors_out = every
    writers_out = every
    cast_out = every
    rankings_out = every
    official_site_out = link
    image_url_out = link
    trailer_url_out = link


class CriticReviewLoader(RecordLoader):
    default_item_class = items.CriticReview

    publication_slug_out = Parsed(last_segment)
    critic_slug_out = Parsed(last_segment)
    score_out = Parsed(whole)
    date_out = Parsed(date)
    full_review_url_out = link


class UserReviewLoader(RecordLoader):
    default_item_class = items.UserReview

    score_out = Parsed(whole)
    date_out = Parsed(date)
    spoiler_out = Parsed(flag)
    helpful_votes_out = Parsed(count)
    total_votes_out = Parsed(count)
