"""Records into the database."""

from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from metacrawl.extensions.run import Run
from metacrawl.items import Record
from metacrawl.spiders.base import FilmSpider

# A transaction costs as much as some hundred rows.
BATCH = 200


class StorePipeline:
    """Stores records in batches, the last one when the spider closes."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.batch: list[Record] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline; raises `NotConfigured` for a spider of another make, whose run has no record."""
        if not issubclass(crawler.spidercls, FilmSpider):
            raise NotConfigured
        return cls(crawler)

    def process_item(self, item: Record) -> Record:
        """Take a record for the next batch."""
        self.batch.append(item)
        if len(self.batch) >= BATCH:
            self.flush()
        return item

    def close_spider(self) -> None:
        """Store what is left."""
        self.flush()

    def flush(self) -> None:
        """Store the batch."""
        batch, self.batch = self.batch, []
        run = self.crawler.get_extension(Run)
        if run is None:
            raise RuntimeError("StorePipeline needs the extension metacrawl.extensions.run.Run")
        run.save(batch)
