"""Signs of the site: what a page of its own bears whatever its design, and a page that stands in its way does not."""

from contextlib import suppress

from metacrawl.layouts.rules import CANONICAL
from metacrawl.selectors import Document, select
from metacrawl.urls import PageRef, UrlError, parse

NAMES_ITSELF = f'{CANONICAL} | //meta[@property="og:url"]/@content'
# What Nuxt draws a page on, and what it leaves in one, 3 and 2.
NUXT = '//*[@id="__nuxt"] | //script[@id="__NUXT_DATA__" or contains(., "window.__NUXT__")]'
LOGIN = '//input[@type="password"]'
LINKS = "//a/@href"
# To how many different pages of the site a page of its own leads at least.
FEW = 3
# What every answer of the back end has two of.
ENVELOPE = frozenset({"data", "links", "meta", "components"})


def is_the_sites(document: Document) -> bool:
    """Tell whether a page that no design knows is the site's own.

    It names itself so, or is made as the site's pages are, or leads to several of them; but a form to log in among the
    site's menus is what stands in the way. Raises `ValueError` for broken JSON.
    """
    if document.is_json:
        return isinstance(document.json, dict) and len(ENVELOPE & document.json.keys()) > 1
    page = document.html
    if pages_of_the_site(select(page, NAMES_ITSELF).getall()) or select(page, NUXT):
        return True
    return len(pages_of_the_site(select(page, LINKS).getall())) >= FEW and not select(page, LOGIN)


def pages_of_the_site(urls: list[str]) -> set[PageRef]:
    """Read those URLs that lead to pages of the site."""
    found = set()
    for url in urls:
        with suppress(UrlError):
            found.add(parse(url))
    return found
