"""The keys of records: made only of parts that do not change when a record is edited."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from metacrawl.items import CriticReview, Record, UserReview

# The site's name for all who gave none.
NO_ACCOUNT = "AnonymousMC"


def critic_review_key(review: CriticReview) -> str:
    """Make the key of a critic review."""
    publication = review.publication_slug or made_slug(review.publication)
    critic = review.critic_slug or made_slug(review.critic)
    return f"{review.movie_slug}/{publication}/{critic}"


def user_review_key(review: UserReview, *, account: bool) -> str:
    """Make the key of a user review, `""` where it has no author or, without an account, no id.

    `account` tells whether the author has an account on the site.
    """
    parts = [review.movie_slug, review.author, *([] if account else [review.review_id])]
    return "/".join(part for part in parts if part) if all(parts) else ""


def names_account(author: str | None) -> bool:
    """Tell whether an author has an account, where the design never says so.

    >>> names_account("strangebrew123"), names_account("ChrisA."), names_account("AnonymousMC"), names_account(None)
    (True, False, False, False)
    """
    return bool(author) and author != NO_ACCOUNT and re.fullmatch(r"[\w-]+", author or "") is not None


def made_slug(name: str | None) -> str:
    """Make the slug that stands in a key where the site gives none; `-` where there is no name either.

    >>> made_slug("V.A. Musetto"), made_slug("Gamesradar+"), made_slug(None)
    ('v-a-musetto', 'gamesradar', '-')
    """
    return re.sub(r"[\W_]+", "-", (name or "").lower()).strip("-") or "-"


def identity(record: Record) -> tuple[str | None, str | None]:
    """Tell what sets a review apart from another one under the same key (films have nothing but their key)."""
    return told_apart(type(record), vars(record))


def told_apart(kind: type[Record], fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Give the `identity` of a record whose fields are at hand."""
    if kind is UserReview:
        return fields["review_id"], None
    if kind is CriticReview:
        return fields["full_review_url"], fields["excerpt"]
    return None, None


def same_review(one: tuple[str | None, str | None], other: tuple[str | None, str | None]) -> bool:
    """Tell whether two records under one key, given by their `identity`, are the same review.

    Ids of different kinds (digits until 2023, a UUID since) say nothing against it.
    """
    (id_one, text_one), (id_other, text_other) = one, other
    if id_one and id_other and id_one.isdigit() == id_other.isdigit():
        return id_one == id_other
    return text_one == text_other


def plain_key(record: Record) -> str:
    """Tell the key of a record without what `clash_key` may have put behind it."""
    return record.key.removesuffix(clash_suffix(record))


def clash_key(record: Record) -> str:
    """Make the key of the later one of two different reviews under one key."""
    return plain_key(record) + clash_suffix(record)


def clash_suffix(record: Record) -> str:
    first = next(filter(None, identity(record)), "")
    return f"/{hashlib.sha256(first.encode()).hexdigest()[:8]}"
