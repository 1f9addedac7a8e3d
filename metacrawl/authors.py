"""What is kept of those who wrote user reviews: their names, pseudonyms or nothing; and nothing at all of some."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field, replace

from scrapy.settings import BaseSettings

from metacrawl.extract import Page
from metacrawl.items import UserReview
from metacrawl.outcome import ConfigError

KEEP, PSEUDONYM, DROP = POLICIES = ("keep", "pseudonym", "drop")
# Characters of a key that nobody guesses.
LEAST_KEY = 16
# Hexadecimal digits of a digest: of a million million authors no two have the same.
DIGITS = 24
IS_ALIAS = re.compile(rf"author-[0-9a-f]{{{DIGITS}}}")


@dataclass(frozen=True)
class LeftOut:
    """A review that the site has and that must not be stored."""

    film: str
    review: str
    """Tells it from the author's others, and cannot be read."""


@dataclass(frozen=True)
class Forgotten:
    """The authors of whom nothing is stored, as digests that are a database's own."""

    salt: str = ""
    authors: frozenset[str] = frozenset()

    def has(self, author: str | None) -> bool:
        """Tell whether an author, by the alias, is one of them."""
        return bool(self.authors) and author is not None and author_digest(self.salt, author) in self.authors

    def left_out(self, review: UserReview) -> LeftOut:
        """Give what stands for a review of one of them."""
        digest = review_digest(self.salt, review.movie_slug, review.author or "", review.review_id)
        return LeftOut(review.movie_slug, digest)


@dataclass(frozen=True)
class Authors:
    """What is done with the names of authors: `policy` is one of `POLICIES`."""

    policy: str = KEEP
    key: str = field(default="", repr=False)

    @property
    def hidden(self) -> bool:
        """Whether no name may be written anywhere."""
        return self.policy != KEEP

    @property
    def key_check(self) -> str | None:
        """What tells another key from this one; None where none is needed."""
        return digest(self.key, "check") if self.hidden else None

    def alias(self, name: str) -> str:
        """Give what an author is known by in this process: where names are hidden a pseudonym."""
        return f"author-{digest(self.key, 'author', name)}" if self.hidden else name

    def alias_given(self, given: str) -> str:
        """Give the same for a name or an alias that a person gives."""
        return given if self.hidden and IS_ALIAS.fullmatch(given) else self.alias(given)

    def key_part(self, film: str, alias: str) -> str:
        """Give what stands for an author in the key of a review of a film."""
        return f"review-{digest(self.key, 'review', film, alias)}" if self.policy == DROP else alias

    def hide(self, page: Page) -> None:
        """Replace the authors of a page by their aliases, also in the keys."""
        if not self.hidden:
            return
        for review in page.user_reviews:
            if review.author is None:
                continue
            alias = self.alias(review.author)
            if review.key:
                rest = review.key.removeprefix(f"{review.movie_slug}/{review.author}")
                review.key = f"{review.movie_slug}/{self.key_part(review.movie_slug, alias)}{rest}"
            review.author = alias

    def published(self, review: UserReview) -> UserReview:
        """Give a review as it may be stored."""
        return replace(review, author=None) if self.policy == DROP else review


def read_authors(settings: BaseSettings) -> Authors:
    """Read what is to be done with authors. Raises `ConfigError`."""
    policy, key = settings["METACRAWL_AUTHORS"], settings["METACRAWL_AUTHORS_KEY"]
    if policy not in POLICIES:
        raise ConfigError(f"METACRAWL_AUTHORS={policy} is none of {', '.join(POLICIES)}")
    if policy == KEEP:
        return Authors()
    if len(key) < LEAST_KEY:
        raise ConfigError(
            f"METACRAWL_AUTHORS={policy} needs METACRAWL_AUTHORS_KEY in the environment: "
            f"a secret of {LEAST_KEY} characters or more, to be kept as long as the database"
        )
    if settings.getbool("HTTPCACHE_ENABLED"):
        raise ConfigError(f"METACRAWL_AUTHORS={policy} and HTTPCACHE_ENABLED: the cache would keep pages, with names")
    return Authors(policy, key)


def author_digest(salt: str, alias: str) -> str:
    """Give what a forgotten author is known by."""
    return digest(salt, "author", alias)


def review_digest(salt: str, film: str, alias: str, review_id: str | None) -> str:
    """Give what a review of a forgotten author is known by."""
    return digest(salt, "review", film, alias, review_id or "")


def digest(key: str, *parts: str) -> str:
    """Make a digest that nobody can make without the key."""
    # A name may hold half a character, as JSON can write it.
    message = "\0".join(parts).encode(errors="surrogatepass")
    return hmac.new(key.encode(errors="surrogatepass"), message, hashlib.sha256).hexdigest()[:DIGITS]
