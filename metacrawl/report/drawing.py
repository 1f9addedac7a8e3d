"""Vega-Lite specifications as SVG that stands in a page and takes its colours from there."""

from collections.abc import Mapping
from typing import Any

import vl_convert
from lxml import etree
from markupsafe import Markup

from metacrawl.outcome import printable

Spec = Mapping[str, Any]

VEGA_LITE = "6.4"
SVG = "{http://www.w3.org/2000/svg}"
# The page's style sheet says what colour each is.
INK, MUTED, LINE, FIRST, SECOND = (f"var(--{name})" for name in ("ink", "muted", "line", "first", "second"))

CONFIG = {
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": MUTED,
        "tickColor": MUTED,
    },
    "bar": {"color": FIRST},
    "text": {"color": INK, "fontSize": 12},
}


def draw(spec: Spec, label: str) -> Markup:
    """Draw a picture that is called by a label; a mark that the specification describes shows that under a pointer.

    To who listens, it is a picture with a name, and not its hundred parts: the numbers stand in a table.
    """
    drawn = vl_convert.vegalite_to_svg({**spec, "config": CONFIG}, vl_version=VEGA_LITE)
    root = etree.fromstring(drawn)
    for element in root.iter(f"{SVG}*"):
        if title := described(element):
            etree.SubElement(element, f"{SVG}title").text = title
        for name in [name for name in element.attrib if name == "role" or str(name).startswith("aria-")]:
            del element.attrib[name]
    for name in ("width", "height"):
        del root.attrib[name]
    root.set("role", "img")
    root.set("aria-label", printable(label))
    return Markup(etree.tostring(root, encoding="unicode"))  # noqa: S704 - made by a library, which escapes texts


def described(element: etree._Element) -> str | None:
    """Give what the specification says of a mark; axes describe themselves."""
    return element.get("aria-label") if element.get("aria-roledescription") == "point" else None
