"""The charts, as Vega-Lite specifications."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from metacrawl.items import iso_timestamp
from metacrawl.outcome import printable
from metacrawl.report.drawing import FIRST, INK, LINE, MUTED, SECOND, Spec
from metacrawl.report.numbers import Bin, short, signed

# As wide as a phone is, with its axes.
WIDTH, HEIGHT = 360, 250
# Browsers' letters may be wider than those that the place for long names was measured with.
LONG_NAMES = {"left": 16, "top": 5, "right": 5, "bottom": 5}
WHOLE = {"tickMinStep": 1, "format": ",d"}
Row = Mapping[str, Any]


def picture(layers: Sequence[Spec], rows: Sequence[Row], height: int = HEIGHT) -> Spec:
    """Lay marks over each other, all about the same rows."""
    fit = {"type": "fit-x", "contains": "padding"}
    return {"width": WIDTH, "height": height, "autosize": fit, "data": {"values": rows}, "layer": layers}


def once(mark: Row, **where: Row) -> Spec:
    """Draw a mark that is no row's."""
    return {"data": {"values": [{}]}, "mark": mark, "encoding": where}


def histogram(bins: Sequence[Bin], title: str, axis: Row, median: float | None = None) -> Spec:
    """Draw bars over a scale."""
    rows = [{"start": one.start, "end": one.end, "number": one.number} for one in bins]
    x = {
        "field": "start",
        "bin": "binned",
        "type": "quantitative",
        "title": title,
        "scale": {"domain": [bins[0].start, bins[-1].end], "nice": False},
        "axis": {"grid": False, "labelFlush": False, **axis},
    }
    y = {"field": "number", "type": "quantitative", "title": "films", "axis": {"domain": False, **WHOLE}}
    bars = {"mark": {"type": "bar", "binSpacing": 1}, "encoding": {"x": x, "x2": {"field": "end"}, "y": y}}
    return picture([bars, *([] if median is None else marked(median))], rows)


def marked(median: float) -> list[Spec]:
    """Mark a place on the scale."""
    text = {"type": "text", "text": f"median {short(median)}", "align": "left", "baseline": "bottom", "y": 0, "dy": -4}
    where = {"datum": median, "type": "quantitative"}
    return [once({"type": "rule", "color": INK, "strokeDash": [4, 3]}, x=where), once(text, x=where)]


def scatter(points: Sequence[Row]) -> Spec:
    """Draw critics against users; on the line they are of one mind."""
    rows = [
        {**point, "name": printable(point["title"]) + and_others(point["films"] - 1) + scores_of(point)}
        for point in points
    ]
    line = {
        "data": {"values": [{"x": 0, "y": 0}, {"x": 100, "y": 10}]},
        "mark": {"type": "line", "color": MUTED, "strokeDash": [4, 3], "strokeWidth": 1},
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
    }
    dots = {
        "mark": {"type": "point", "filled": True, "color": FIRST, "opacity": 0.75},
        "encoding": {
            "x": {"field": "metascore", "title": "Metascore", **scale_to(100)},
            "y": {"field": "user_score", "title": "user score", **scale_to(10)},
            "size": {
                "field": "films",
                "type": "quantitative",
                "legend": None,
                "scale": {"domain": [1, 10], "range": [40, 200], "clamp": True},
            },
            "description": {"field": "name"},
        },
    }
    corners = corner("users kinder", 3, 96, "left"), corner("critics kinder", 97, 4, "right")
    return picture([line, dots, *corners], rows)


def scale_to(top: int) -> Spec:
    """Show a whole scale of scores."""
    axis = {"values": [share * top / 5 for share in range(6)], "labelFlush": False}
    return {"type": "quantitative", "scale": {"domain": [0, top]}, "axis": axis}


def corner(text: str, x: int, y: int, align: str) -> Spec:
    """Say what a corner of a picture means; places are of 100."""
    mark = {"type": "text", "text": text, "align": align, "color": MUTED, "fontStyle": "italic"}
    places = {name: {"datum": place, "type": "quantitative"} for name, place in (("x", x), ("y", y / 10))}
    return once(mark, **places)


def and_others(number: int) -> str:
    return f" and {number:,} more" if number else ""


def scores_of(point: Row) -> str:
    return f": Metascore {point['metascore']}, users {point['user_score']:g}"


def course(entries: Sequence[Row], ends: tuple[dt.datetime, dt.datetime], scale: tuple[int, int]) -> Spec:
    """Draw the two scores of a film over time; where it had none, the line is broken."""
    rows = [
        {"when": iso_timestamp(when), "whose": whose, "score": score}
        for entry in entries
        for when in dict.fromkeys((entry["captured_at"], entry["last_captured_at"]))
        for whose, score in (("critics", entry["metascore"]), ("users", times_ten(entry["user_score"])))
    ]
    time = {"type": "utc", "domain": [iso_timestamp(end) for end in ends]}
    encoding = {
        "x": {
            "field": "when",
            "type": "temporal",
            "title": None,
            "scale": time,
            "axis": {"grid": False, "format": "%Y", "tickCount": 5, "labelOverlap": True},
        },
        "y": {
            "field": "score",
            "type": "quantitative",
            "title": None,
            "scale": {"domain": scale},
            "axis": {"tickCount": 4},
        },
        "color": {
            "field": "whose",
            "scale": {"domain": ["critics", "users"], "range": [FIRST, SECOND]},
            "legend": None,
        },
        "strokeDash": {
            "field": "whose",
            "scale": {"domain": ["critics", "users"], "range": [[1, 0], [5, 3]]},
            "legend": None,
        },
    }
    lines = {
        "mark": {"type": "line", "interpolate": "step-after", "invalid": "break-paths-show-domains", "strokeWidth": 2},
        "encoding": encoding,
    }
    return picture([lines], rows, 130)


def times_ten(score: float | None) -> int | None:
    """Give users' scores on the critics' scale."""
    return None if score is None else round(10 * score)


def generosity(publications: Sequence[Row]) -> Spec:
    """Draw how far above or below the Metascores publications are."""
    rows = [
        {**one, "publication": printable(one["publication"]), "shown": signed(one["above"])} for one in publications
    ]
    reach = max(5.0, *(abs(one["above"]) for one in publications)) * 1.9
    names = {
        "field": "publication",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 150, "labelColor": INK, "domain": False, "ticks": False},
    }
    above = {
        "field": "above",
        "type": "quantitative",
        "title": "points against the Metascore",
        "scale": {"domain": [-reach, reach], "nice": False},
        "axis": {"tickCount": 5, "format": "d"},
    }
    sign = {"condition": {"test": "datum.above < 0", "value": SECOND}, "value": FIRST}
    bars = {"mark": {"type": "bar", "height": 12}, "encoding": {"y": names, "x": above, "color": sign}}
    side = {"type": "text", "align": {"expr": "datum.above < 0 ? 'right' : 'left'"},
            "dx": {"expr": "datum.above < 0 ? -4 : 4"}}  # fmt: skip
    texts = {"mark": side, "encoding": {"y": names, "x": above, "text": {"field": "shown"}}}
    zero = once({"type": "rule", "color": MUTED}, x={"datum": 0})
    return {**picture([bars, texts, zero], rows, 22 * len(rows)), "padding": LONG_NAMES}


def shares(fields: Sequence[tuple[str, float, str]]) -> Spec:
    """Draw which share of records has each field: name, share, and the share in words."""
    rows = [{"field": name, "share": share, "shown": shown} for name, share, shown in fields]
    names = {
        "field": "field",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 170, "labelColor": INK, "domain": False, "ticks": False, "labelPadding": 6},
    }
    # Behind the bars there is room for words.
    along = {"type": "quantitative", "scale": {"domain": [0, 1.35]}, "axis": None}
    bar = {"type": "bar", "height": 9}
    layers: list[Spec] = [
        {"mark": {**bar, "color": LINE}, "encoding": {"y": names, "x": {"datum": 1, **along}}},
        {"mark": bar, "encoding": {"y": names, "x": {"field": "share", **along}}},
        {
            "mark": {"type": "text", "align": "right"},
            "encoding": {"y": names, "x": {"datum": 1.35, **along}, "text": {"field": "shown"}},
        },
    ]
    return {**picture(layers, rows, 20 * len(rows)), "padding": LONG_NAMES}
