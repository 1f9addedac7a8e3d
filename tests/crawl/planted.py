"""A defect to plant in a crawl."""

from metacrawl.items import UserReview


class TooBigPipeline:
    """Puts a number into reviews, behind their validation, that no database holds."""

    def process_item(self, item):
        if isinstance(item, UserReview):
            item.total_votes = 2**70
        return item


class FailingPipeline:
    """Fails on every record, with a message as long as a page and fit to forge a line of log."""

    def process_item(self, _item):
        raise RuntimeError("no\nsuch thing" + " at all" * 10_000)
