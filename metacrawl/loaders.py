"""Item loaders: which processor reads which field, whatever the layout. No XPath and no JMESPath here."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from itemloaders import ItemLoader
from itemloaders.processors import TakeFirst

from metacrawl import items
from metacrawl.layouts.rules import Rules
from metacrawl.processors import (
    absolute,
    count,
    date,
    decimal,
    flag,
    last_segment,
    minutes,
    moment,
    present,
    rank,
    ranking,
    rating,
    unique,
    whole,
)
from metacrawl.selectors import JsonSelector

# By record, field and expression: how often it was applied, and how often it gave something.
Tried = dict[tuple[str, str, str], list[int]]


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

    def add(self, name: str, expression: str) -> None:
        """Add what a rule selects, in the language of what it is applied to."""
        in_json = isinstance(self.selector, JsonSelector)
        (self.add_jmes if in_json else self.add_xpath)(name, expression)

    def apply(self, rules: Rules, tried: Tried) -> Self:
        """Add what each rule selects, and count it; of several expressions the first that gives a value."""
        record = self.default_item_class.__name__
        for name, expressions in rules.items():
            # Another part of the page may have given some.
            before = len(self.get_collected_values(name))
            for expression in (expressions,) if isinstance(expressions, str) else expressions:
                self.add(name, expression)
                values = self.get_collected_values(name)
                times = tried.setdefault((record, name, expression), [0, 0])
                times[0] += 1
                times[1] += any(values[before:])
                if any(values):
                    break
        return self


class CreditLoader(RecordLoader):
    default_item_class = items.Credit

    slug_out = Parsed(last_segment)


class RankingLoader(RecordLoader):
    default_item_class = items.Ranking

    rank_out = Parsed(rank)
    title_out = Parsed(ranking)


class AwardLoader(RecordLoader):
    default_item_class = items.Award

    wins_out = Parsed(count)
    nominations_out = Parsed(count)


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
    awards_out = every
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
    edited_at_out = Parsed(moment)
    spoiler_out = Parsed(flag)
    helpful_votes_out = Parsed(count)
    total_votes_out = Parsed(count)
