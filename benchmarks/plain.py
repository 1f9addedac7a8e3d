"""What the frontier is measured against: Scrapy's own scheduler, in memory, and a store of batches of records."""

from typing import Self

from scrapy.crawler import Crawler

from metacrawl.database import records, runs
from metacrawl.database.connection import connect
from metacrawl.items import Record

BATCH = 200
SETTINGS = {
    "SCHEDULER": "scrapy.core.scheduler.Scheduler",
    "SPIDER_MIDDLEWARES": {},
    "EXTENSIONS": {},
    "ITEM_PIPELINES": {
        "metacrawl.pipelines.validate.ValidatePipeline": 100,
        "metacrawl.pipelines.deduplicate.DeduplicatePipeline": 200,
        "benchmarks.plain.BatchPipeline": 300,
    },
}


class BatchPipeline:
    """Stores the same records in the same tables, whatever page they are of."""

    def __init__(self, url: str) -> None:
        self.engine = connect(url)
        self.batch: list[Record] = []
        with self.engine.begin() as connection:
            self.run = runs.enter(connection, "benchmark", "movies", {})

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings["METACRAWL_DATABASE_URL"])

    def process_item(self, item: Record) -> Record:
        self.batch.append(item)
        if len(self.batch) >= BATCH:
            self.flush()
        return item

    def close_spider(self) -> None:
        self.flush()
        self.engine.dispose()

    def flush(self) -> None:
        batch, self.batch = self.batch, []
        with self.engine.begin() as connection:
            records.save(connection, self.run, batch)
