"""The design of September 2023 to February 2026 (Nuxt 2): the page's data stands in a script, `window.__NUXT__`."""

from metacrawl.layouts.composer import LISTS, site_pages
from metacrawl.layouts.rules import Layout
from metacrawl.layouts.script import document

LAYOUT = Layout(name="2023", pages=site_pages(), lists=LISTS, document=document, itself="path")
