"""Requests ↔ JSON: what a request is made of and nothing that could run.

Every answer goes to the spider's `parse`; requests with callbacks of their own are refused.
"""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from scrapy import Request

# What asks whether a page is still the same: that is of its own URL, and of this time.
NOT_KEPT_HEADERS = frozenset({b"If-None-Match", b"If-Modified-Since"})
# What Scrapy notes about the transfer, and who it belongs to.
NOT_KEPT = frozenset({"page", "download_latency"})


class Payload(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A request, as it is kept."""

    url: str
    method: str = "GET"
    headers: dict[str, list[str]] = {}
    body: bytes = b""
    meta: dict[str, Any] = {}
    cb_kwargs: dict[str, Any] = {}
    flags: list[str] = []
    priority: int = 0
    dont_filter: bool = False


DECODER = msgspec.json.Decoder(Payload)


def meta_of(request: Request) -> dict[str, Any]:
    """Give what is kept of a request's meta; a slot of its own, too, but not that of a host, which Scrapy notes."""
    meta = {name: value for name, value in request.meta.items() if name not in NOT_KEPT}
    hosts = {urlsplit(url).hostname or "" for url in (request.url, *meta.get("redirect_urls", ()))}
    if meta.get("download_slot") in hosts:
        del meta["download_slot"]
    return meta


def encode(request: Request) -> str:
    """Write a request as JSON.

    Raises `ValueError` for one that would not come back as it is: with a callback, or with objects in its `meta`.
    """
    payload = Payload(
        url=request.url,
        method=request.method,
        headers={
            name.decode("latin-1"): [value.decode("latin-1") for value in values]
            for name, values in request.headers.items()
            if name not in NOT_KEPT_HEADERS
        },
        body=request.body,
        meta=meta_of(request),
        cb_kwargs=request.cb_kwargs,
        flags=request.flags,
        priority=request.priority,
        dont_filter=request.dont_filter,
    )
    try:
        text = msgspec.json.encode(payload)
        kept = DECODER.decode(text)
    except (TypeError, RecursionError, msgspec.MsgspecError) as error:
        raise ValueError(f"{request.url} cannot be kept: {error}") from None
    if kept != payload or request.callback or request.cookies:
        raise ValueError(f"{request.url} cannot be kept: it has a callback, cookies, or more than JSON in its meta")
    return text.decode()


def decode(text: str) -> Request:
    """Make the request again. Raises `msgspec.MsgspecError`, `TypeError` or `ValueError` for what is none."""
    payload = DECODER.decode(text)
    return Request(
        payload.url,
        method=payload.method,
        headers={name: [value.encode("latin-1") for value in values] for name, values in payload.headers.items()},
        body=payload.body,
        meta=payload.meta,
        cb_kwargs=payload.cb_kwargs,
        flags=payload.flags,
        priority=payload.priority,
        dont_filter=payload.dont_filter,
    )
