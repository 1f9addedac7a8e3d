"""The design since February 2026 (Nuxt 3): the page's data stands in an array, `__NUXT_DATA__`."""

from metacrawl.layouts.composer import LISTS, site_pages
from metacrawl.layouts.rules import Layout
from metacrawl.layouts.state import document

LAYOUT = Layout(name="2026", pages=site_pages(), lists=LISTS, document=document, itself="path")
