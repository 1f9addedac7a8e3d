"""The back end's lists of reviews: pages of one list, their four selections in short, and their statistics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from metacrawl.demo.backend.links import KINDS, SORTS, address, component_meta, options, paging
from metacrawl.demo.backend.parts import Json, critic_item, score_summary, user_item
from metacrawl.demo.world import CriticPiece, Film, UserPost, score_word

Kind = Literal["critic", "user"]
DEFAULT_LIMIT = 10
BUCKET = 7
WORDS = {"positive": "positive", "neutral": "mixed", "negative": "negative"}


class RefusedError(Exception):
    """A request that the back end does not answer: a status and its reason in words."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass(kw_only=True)
class PageSizes:
    """How many reviews a page of a list has, whatever `limit` says; tests change it."""

    most_users: int = 50
    most_critics: int = 10
    critics_fixed: bool = True
    """Whether lists of critics' reviews pay no heed to a smaller `limit` either."""

    def given(self, kind: Kind, asked: int) -> int:
        """Tell how many reviews are given where so many were asked for."""
        if kind == "critic":
            return self.most_critics if self.critics_fixed else min(asked, self.most_critics)
        return min(asked, self.most_users)


def review_list(film: Film, kind: Kind, query: Mapping[str, str], sizes: PageSizes) -> Json:
    """Answer with a page of a list. Raises `RefusedError`."""
    offset, limit = whole(query, "offset", 0, least=0), whole(query, "limit", DEFAULT_LIMIT, least=1)
    chosen, order = query.get("filterBySentiment", "all"), query.get("sort", "date")
    if chosen not in KINDS:
        raise RefusedError(400, "querystring.filterBySentiment must be equal to one of the allowed values")
    if order not in SORTS[kind]:
        raise RefusedError(400, "querystring.sort must be equal to one of the allowed values")
    items = [item for item in ordered_items(film, kind, order) if chosen == "all" or word(item, kind) == WORDS[chosen]]
    size = sizes.given(kind, limit)
    path = f"/reviews/metacritic/{kind}/movies/{film.slug}/web"
    # Told in full, so that each link gives what it says.
    full = {**query, "offset": str(offset), "limit": str(limit), "filterBySentiment": chosen, "sort": order}
    links = paging(path, full, limit if film.long_strides else size, len(items))
    return {
        "data": {
            "id": (film.product_id if kind == "critic" else str(film.product_id)) if items else None,
            "totalResults": len(items),
            "items": items[offset : offset + size],
        },
        "links": {**links, **options(path, full, kind)},
        "meta": component_meta(query),
    }


def whole(query: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    """Read a whole number out of a query. Raises `RefusedError`."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and int(text) >= least):
        raise RefusedError(400, f"querystring.{name} must be integer")
    return int(text)


def ordered_items(film: Film, kind: Kind, order: str) -> list[Json]:
    """List all reviews of a kind in an order."""
    if kind == "critic":
        critic_orders: dict[str, Callable[[CriticPiece], tuple[object, ...]]] = {
            "score": lambda piece: (-1 if piece.score is None else piece.score,),
            "date": lambda piece: (piece.date.toordinal() if piece.date else 0,),
            "publication": lambda piece: tuple(-ord(letter) for letter in piece.publication),
        }
        pieces = sorted(film.critic_reviews, key=critic_orders[order], reverse=True)
        return [critic_item(film, piece) for piece in pieces]
    user_orders: dict[str, Callable[[UserPost], tuple[object, ...]]] = {
        "score": lambda post: (post.score, post.review_id),
        "date": lambda post: (post.saved_at, post.review_id),
    }
    return [user_item(film, post) for post in sorted(film.user_reviews, key=user_orders[order], reverse=True)]


def word(item: Json, kind: Kind) -> str | None:
    """Tell the word for an item's score."""
    score = item["score"]
    return None if score is None else score_word(score * (1 if kind == "critic" else 10))


def summary(film: Film, kind: Kind, query: Mapping[str, str]) -> Json:
    """Answer with up to seven reviews of each selection."""
    items = ordered_items(film, kind, "score" if kind == "critic" else "date")
    chosen = {name: [item for item in items if word(item, kind) == its][:BUCKET] for name, its in WORDS.items()}
    return {
        "data": {
            "id": film.product_id if kind == "critic" else str(film.product_id),
            "totalResults": len(items),
            "item": {"default": items[:BUCKET], **chosen},
        },
        "links": {
            "self": {"href": address(f"/reviews/metacritic/{kind}/movies/{film.slug}/summary/web", query)},
            "tabs": [{"label": label, "href": ""} for label in KINDS.values()],
        },
        "meta": component_meta(query),
    }


def stats(film: Film, kind: Kind, query: Mapping[str, str]) -> Json:
    """Answer with the score and the numbers behind it."""
    href = address(f"/reviews/metacritic/{kind}/movies/{film.slug}/stats/web", query)
    item = score_summary(film, kind)
    return {"data": {"item": item}, "links": {"self": {"href": href}}, "meta": component_meta(query)}
