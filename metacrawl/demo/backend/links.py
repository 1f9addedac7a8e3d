"""The addresses that the answers of the JSON back end give for themselves and for each other."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from metacrawl.demo.backend.parts import Json

HOST = "https://backend.metacritic.com"
KINDS = {
    "all": "All Reviews",
    "positive": "Positive Reviews",
    "neutral": "Mixed Reviews",
    "negative": "Negative Reviews",
}
SORTS = {
    "critic": {"score": "Metascore", "date": "Recently Added", "publication": "Publication (A-Z)"},
    "user": {"date": "Recently Added", "score": "Score"},
}


def address(path: str, query: Mapping[str, object]) -> str:
    """Write a full address, in the back end's own way of quoting."""
    return f"{HOST}{quote(path)}" + (f"?{urlencode(query)}" if query else "")


def named(name: str, display: str, kind: str) -> dict[str, str]:
    """Write the part of a query that gives a component its name."""
    return {"componentName": name, "componentDisplayName": display, "componentType": kind}


def component_meta(query: Mapping[str, str]) -> Json:
    """Echo the component's name out of a query."""
    return {key: query.get(key) for key in ("componentName", "componentDisplayName", "componentType")}


def paging(path: str, query: Mapping[str, str], step: int, total: int) -> Json:
    """Link the neighbours of the page that a query asks for; `step` is how far it is to the next one."""
    offset = int(query["offset"])

    def at(place: int | None) -> Json:
        return {"href": None if place is None else address(path, {**query, "offset": place})}

    return {
        "self": at(offset),
        "prev": at(max(0, offset - step) if offset > 0 else None),
        "next": at(offset + step if offset + step < total else None),
        "first": at(0),
        "last": at(max(0, (total - 1) // step * step)),
    }


def options(path: str, query: Mapping[str, str], kind: str) -> Json:
    """Link a list's other orders and selections."""
    first = {**query, "offset": "0"}
    return {
        "filterOptions": [
            {"label": label, "value": value, "href": address(path, {**first, "filterBySentiment": value})}
            for value, label in KINDS.items()
        ],
        "sortOptions": [
            {"label": label, "value": value, "href": address(path, {**first, "sort": value})}
            for value, label in SORTS[kind].items()
        ],
    }
