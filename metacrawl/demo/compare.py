"""Holds what a crawl has found against what the demo site has."""

from collections.abc import Iterable, Iterator

import msgspec

from metacrawl.items import Record

# Not of the site, but of the crawl.
OWN = frozenset({"source_url", "captured_at"})


def differences(expected: Iterable[Record], found: Iterable[Record]) -> Iterator[str]:
    """Tell in a line each record that is missing, not the site's, or different in a field.

    A `layout` that the expected record leaves empty may be any.
    """
    missing = {(type(record).__name__, record.key): msgspec.to_builtins(record) for record in expected}
    for record in found:
        name = type(record).__name__
        truth = missing.pop((name, record.key), None)
        if truth is None:
            yield f"{name} {record.key}: found, but the site has no such record"
            continue
        for field, value in msgspec.to_builtins(record).items():
            any_layout = field == "layout" and not truth[field]
            if field not in OWN and not any_layout and value != truth[field]:
                yield f"{name} {record.key}: {field} is {value!r}, not {truth[field]!r}"
    for name, key in missing:
        yield f"{name} {key}: not found"
