"""The robots.txt of a server."""

from urllib.parse import urljoin

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

# It is asked for whatever it says; whoever asks knows how often to ask again.
META = {"dont_obey_robotstxt": True, "dont_retry": True}


def robots_url(request: Request) -> str:
    """Tell where the server that a request is for says what it wants of robots."""
    return urljoin(request.url, "/robots.txt")


def robots_request(url: str) -> Request:
    """Ask for a robots.txt."""
    return Request(url, callback=NO_CALLBACK, meta=META)
