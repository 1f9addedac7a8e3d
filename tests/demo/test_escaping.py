"""What people wrote is text on every page of the demo site, whatever it looks like."""

from copy import deepcopy

import pytest
from jinja2 import Environment
from parsel import Selector

from metacrawl.demo.designs import designs
from metacrawl.demo.world import World

# Out of an attribute, out of a script, out of a comment; and then an element that no page has.
BAIT = """"' onload=x ]]>--></script></title></textarea><canary>"""
TEXTS = {"title", "summary", "tagline", "rating_reason", "content_rating", "name", "role", "event", "excerpt", "text"}
TEXTS |= {"author", "critic", "publication", "official_site", "link", "production_company"}
PAGES = ("", "/details", "/critic-reviews", "/user-reviews")


def baited(found):
    """Put the bait behind every text, in all that a film is made of."""
    for name, value in vars(found).items():
        if isinstance(value, list):
            setattr(found, name, [part + BAIT if isinstance(part, str) else baited(part) for part in value])
        elif name in TEXTS and value:
            setattr(found, name, value + BAIT)
    return found


def pages_of(world, design):
    film = baited(deepcopy(world.film("nightjar")))
    film.old_slugs = []
    made = designs(World(films=[film]))[design]
    return [page for end in PAGES if (page := made.answer(f"/movie/{film.slug}{end}", {}))]


@pytest.mark.parametrize("design", ["2010", "2016", "2023", "2026"])
def test_no_text_becomes_an_element(world, design):
    pages = pages_of(world, design)
    assert len(pages) >= 3
    for page in pages:
        shown = Selector(text=page)
        assert not shown.css("canary")
        assert not shown.css("[onload]")
        assert "<canary>" in "".join(shown.css("body ::text").getall())


@pytest.mark.parametrize("design", ["2010", "2016", "2023", "2026"])
def test_without_escaping_it_would(world, design, monkeypatch):
    made = Environment.__init__
    monkeypatch.setattr(Environment, "__init__", lambda *args, **given: made(*args, **given | {"autoescape": False}))
    assert any(Selector(text=page).css("canary") for page in pages_of(world, design))
