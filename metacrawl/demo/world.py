"""The demo site's world: what its films, critic reviews and user reviews are, free of any page.

Everything can be changed in place between two crawls; the pages and the truth both follow.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from metacrawl.items import Award, Credit, Ranking

Markup = Literal[2017, 2019]
CompanyKind = Literal["production", "distribution"]
NoScore = Literal["null", "zero", "nothing"]


@dataclass(kw_only=True)
class CriticPiece:
    """A critic's review; a slug of ``None`` means that the page shows the name without a link."""

    publication: str
    publication_slug: str | None
    logo: bool = False
    """Whether the publication is shown as a picture instead of its name."""

    critic: str | None
    critic_slug: str | None
    score: int | None
    date: dt.date | None
    excerpt: str
    link: str | None
    """The review at the publication; ``None`` for print."""


@dataclass(kw_only=True)
class UserPost:
    r"""A user's review as it was typed: ``\n`` is the page's `<br>`, other white space stands as it is."""

    review_id: str
    author: str
    account: bool = True
    score: int
    date: dt.date
    text: str
    spoiler: bool = False
    helpful_votes: int
    total_votes: int
    saved_after: dt.timedelta = dt.timedelta(hours=12)
    """From the start of the day of posting to the last time that it was saved: days later where it was edited."""

    @property
    def uuid(self) -> str:
        """The review's id in the designs since 2023."""
        return str(uuid5(NAMESPACE_URL, f"review {self.review_id}"))

    @property
    def saved_at(self) -> dt.datetime:
        return dt.datetime.combine(self.date, dt.time(), dt.UTC) + self.saved_after


@dataclass(kw_only=True)
class Company:
    """A company; it distributes the film where nothing else is said."""

    name: str
    slug: str | None
    kind: CompanyKind = "distribution"


@dataclass(kw_only=True)
class Tally:
    """How many scores are positive (61 and more of 100), mixed and negative (39 and less)."""

    positive: int
    mixed: int
    negative: int

    @property
    def total(self) -> int:
        return self.positive + self.mixed + self.negative


@dataclass(kw_only=True)
class Film:
    """A film with its reviews, both in the order in which the site lists them by default."""

    slug: str
    old_slugs: list[str] = field(default_factory=list)
    """Earlier slugs, which redirect to this one."""

    title: str
    site_id: int
    year: int
    release_date: dt.date | None
    home_release_date: dt.date | None
    metascore: int | None
    must_see: bool
    user_score: float | None
    ratings: Tally
    content_rating: str | None
    rating_reason: str
    runtime: int
    summary: str | None
    genres: list[str]
    countries: list[str]
    languages: list[str]
    distributors: list[Company]
    production_company: str | None
    directors: list[Credit]
    writers: list[Credit]
    principal_cast: list[Credit]
    cast: list[Credit]
    producers: list[Credit]
    rankings: list[Ranking]
    official_site: str | None
    picture: str
    """The name of the poster's file, without its ending."""

    trailer_id: int | None
    critic_reviews: list[CriticPiece] = field(default_factory=list)
    user_reviews: list[UserPost] = field(default_factory=list)
    markup: Markup = 2019
    """The year whose habits the review texts follow: how breaks, accents, spoilers and links are written."""

    moving_list: bool = False
    """Whether the list of user reviews grows by one at its top between its first and its second page."""

    bare_details: bool = False
    """Whether the details page has nothing but the running time."""

    imdb_id: str | None = None
    tagline: str | None = None
    awards: list[Award] = field(default_factory=list)
    further_companies: list[Company] = field(default_factory=list)
    """Of all countries, with repeated names; shown since 2023."""

    locations: list[str] = field(default_factory=list)
    """Where it was filmed; shown since 2023."""

    premiere_year: int | None = None
    """The year of the first showing, where this is a later release; shown since 2023."""

    no_score: NoScore = "null"
    """How the JSON says that there is no score: `null`, 0, or `null` for the counts too."""

    broken_lists: bool = False
    """Whether the back end fails to list its reviews."""

    long_strides: bool = False
    """Whether the next link of a list goes on by the limit asked for, and not by the number of reviews given."""

    scripted: bool = False
    """Whether the page of user reviews of 2026 arrives empty and a script fetches them."""

    @property
    def critic_tally(self) -> Tally:
        """The scored critic reviews, as the Metascore's bars count them."""
        return tally(piece.score for piece in self.critic_reviews if piece.score is not None)

    @property
    def companies(self) -> list[Company]:
        """All companies, in the order of the designs since 2023."""
        names = filter(None, [self.production_company])
        producers = [Company(name=name, slug=None, kind="production") for name in names]
        return [*producers, *self.distributors, *self.further_companies]

    @property
    def product_id(self) -> int:
        """The film's number in the designs since 2023."""
        return 2_000_000_000 + self.site_id


@dataclass(kw_only=True)
class World:
    """All films, in the order of the site's index."""

    films: list[Film]

    def film(self, slug: str) -> Film:
        """Find a film by its present slug, else ``KeyError``."""
        return {film.slug: film for film in self.films}[slug]

    def renamed(self) -> dict[str, str]:
        """Map each earlier slug to the present one."""
        return {old: film.slug for film in self.films for old in film.old_slugs}

    @property
    def critic_review_count(self) -> int:
        return sum(len(film.critic_reviews) for film in self.films)

    @property
    def user_review_count(self) -> int:
        return sum(len(film.user_reviews) for film in self.films)


def score_word(score: float) -> str:
    """Tell the site's word for a score of 0 to 100: it is the class of the score's box."""
    if score > 60:
        return "positive"
    return "mixed" if score >= 40 else "negative"


def tally(scores: Iterable[int]) -> Tally:
    """Count scores of 0 to 100 by their word."""
    words = [score_word(score) for score in scores]
    return Tally(positive=words.count("positive"), mixed=words.count("mixed"), negative=words.count("negative"))
