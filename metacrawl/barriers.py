"""The pages that stand in the way of others, by their URLs."""

import re
from contextlib import suppress
from urllib.parse import urlsplit

from metacrawl.urls import FILM_KINDS, UrlError, parse_path

WORDS = (
    "log-?in|log-?on|sign-?in|sign-?on|sign-?up|auth|authorize|authenticate|sso|consent|gdpr|captcha|challenge|"
    "cdn-cgi|blocked|denied|access-?denied|verify|verification|human|robot"
)
# A part of a host's name, or of a path: whole, whatever its ending is (`login.php`).
BARRIER = re.compile(rf"[/.](?:{WORDS})(?=[/.:]|$)", re.IGNORECASE)


def is_barrier(url: str) -> bool:
    """Tell whether a URL is that of a page to log in, to consent or to prove something at.

    >>> is_barrier("https://www.metacritic.com/login?next=/movie/her"), is_barrier("https://consent.example.org/")
    (True, True)
    >>> is_barrier("https://www.metacritic.com/movie/the-captcha"), is_barrier("https://www.metacritic.com/movie/login")
    (False, False)
    """
    parts = urlsplit(url)
    if "://" in parts.path:
        # An archived page of the site's, which nobody stands before any more.
        return False
    with suppress(UrlError):
        if parse_path(parts.path, parts.query, api=False, url=url).kind in FILM_KINDS:
            return False
    return BARRIER.search(f"/{parts.netloc}{parts.path}") is not None
