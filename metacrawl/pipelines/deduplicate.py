"""The same record met again is one record; two different reviews under one key are two."""

from collections import OrderedDict
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from metacrawl.database.rows import content, to_row
from metacrawl.items import Movie, Record
from metacrawl.keys import clash_key, identity, same_review
from metacrawl.urls import FILM_PAGES, parse

# A film's pages are read close together, and what repeats repeats there; the database knows all the rest.
REMEMBERED = 20_000


class DeduplicatePipeline:
    """Drops what was met before and says the same; gives the later of two reviews under one key a key of its own."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.met: OrderedDict[tuple[type[Record], str], tuple[tuple[str | None, str | None], int]] = OrderedDict()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline."""
        return cls(crawler)

    def process_item(self, item: Record) -> Record:
        """Pass a record on, or raise `DropItem` if it brings nothing new."""
        name = type(item).__name__
        says = hash(repr(sorted(content(to_row(item)).items())))
        known = self.met.get((type(item), item.key))
        if known and not same_review(known[0], identity(item)):
            item.key = clash_key(item)
            known = self.met.get((type(item), item.key))
            self.crawler.stats.inc_value(f"metacrawl/{name}/same_key")
        if known and known[1] == says and not is_capture(item):
            self.crawler.stats.inc_value(f"metacrawl/{name}/duplicate")
            raise DropItem(f"met before: {name} {item.key}", log_level="DEBUG")
        self.met[type(item), item.key] = identity(item), says
        if len(self.met) > REMEMBERED:
            self.met.popitem(last=False)
        return item

    def forget(self) -> None:
        """Take every record for new: some that were met are not stored, for what became of their pages."""
        self.met.clear()


def is_capture(item: Record) -> bool:
    """Tell whether a record is what a film's page said at a time: that it was the same at another time is news, too."""
    return isinstance(item, Movie) and parse(item.source_url).kind in FILM_PAGES
