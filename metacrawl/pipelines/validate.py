"""Every value of the right type and in its range, or none."""

import datetime as dt
import logging
from dataclasses import MISSING, Field, fields
from typing import Any, Self, get_origin, get_type_hints

import msgspec
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from metacrawl.items import Record

logger = logging.getLogger(__name__)

# In bytes: some databases index no more. The longest on the site are below a hundred.
LONGEST_KEY = 2000


class UnusableError(DropItem):
    """A record that nobody can use, so that the page is not complete without it."""


class ValidatePipeline:
    """Empties the fields that hold what they cannot hold, and counts them: `metacrawl/<record>/<field>/invalid`.

    A record is dropped only if it has no usable key.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline."""
        return cls(crawler)

    def process_item(self, item: Record) -> Record:
        """Clean a record. Raises `UnusableError` for one without a key."""
        try:
            check(item, type(item))
        except msgspec.ValidationError:
            self.empty_invalid_fields(item)
        lacking = not item.key or item.key.startswith("/")
        if lacking or len(item.key.encode()) > LONGEST_KEY:
            # No more of it: the line is printed, logged and stored.
            what = "without what its key is made of" if lacking else "with too long a key"
            message = f"{item.source_url}: a {type(item).__name__} {what}"
            raise UnusableError(message, log_level="DEBUG")
        return item

    def empty_invalid_fields(self, item: Record) -> None:
        """Replace each value that cannot stand by none; of a list drop only the entries that cannot."""
        hints = get_type_hints(type(item), include_extras=True)
        for field in fields(item):
            value, expected = getattr(item, field.name), hints[field.name]
            name = f"{type(item).__name__}/{field.name}"
            if get_origin(expected) is list and isinstance(value, list):
                setattr(item, field.name, [entry for entry in value if self.holds([entry], expected, name, item)])
            elif not self.holds(value, expected, name, item):
                setattr(item, field.name, default(field))

    def holds(self, value: Any, expected: Any, name: str, item: Record) -> bool:
        """Tell whether a value can stand in a field; one that cannot is counted and logged."""
        try:
            check(value, expected)
        except msgspec.ValidationError as error:
            logger.warning("%s: %s=%r is invalid: %s", item.source_url, name, value, error)
            self.crawler.stats.inc_value(f"metacrawl/{name}/invalid")
            return False
        return True


def check(value: Any, expected: Any) -> None:
    """Raise `msgspec.ValidationError` if a value, down to its parts, is not of the expected type or range."""
    # Dates stay dates; dataclasses become dictionaries, for msgspec does not look into finished ones.
    parts = msgspec.to_builtins(value, builtin_types=(dt.date, dt.datetime))
    msgspec.convert(parts, expected)


def default(field: Field[Any]) -> Any:
    """Give the value that a field has on a page without it."""
    return field.default_factory() if field.default_factory is not MISSING else field.default
