"""The waits of the middlewares, short enough for a test."""

import json

from metacrawl import settings
from metacrawl.middlewares.retry_after import RetryAfterMiddleware
from metacrawl.middlewares.robots import RobotsMiddleware


class QuickRetryAfter(RetryAfterMiddleware):
    """Waits for a quarter of a second, then half a one, then one, where a server does not say how long."""

    UNIT = 0.25


class QuickRobots(RobotsMiddleware):
    """Asks again for robots.txt without much delay."""

    WAITS = (0.1, 0.1, 0.1)


OURS = {RetryAfterMiddleware: QuickRetryAfter, RobotsMiddleware: QuickRobots}


def path_of(middleware: type) -> str:
    """Give the path by which the settings name a class."""
    return f"{middleware.__module__}.{middleware.__qualname__}"


def middlewares(*without: type) -> str:
    """Give the setting with the quick middlewares in place of ours, and `without` some of ours."""
    kept = dict(settings.DOWNLOADER_MIDDLEWARES)
    for ours, quick in OURS.items():
        place = kept.pop(path_of(ours))
        if ours not in without:
            kept[path_of(quick)] = place
        elif ours is RobotsMiddleware:
            del kept["scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware"]
    return json.dumps(kept)
