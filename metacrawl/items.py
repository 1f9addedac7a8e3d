"""The three records that metacrawl publishes, whatever the site's layout of the day.

The docstring under each field is its documentation: `DATA_FORMAT.md` is generated from it.
A page that lacks a value gives ``None`` (lists: ``[]``), never ``0``, ``""`` or ``"tbd"``.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

# What a database holds as a whole number.
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Metascore = Annotated[int, Meta(ge=0, le=100)]
UserScore = Annotated[float, Meta(ge=0, le=10)]
UserGrade = Annotated[int, Meta(ge=0, le=10)]
Year = Annotated[int, Meta(ge=1870, le=2100)]
ImdbId = Annotated[str, Meta(pattern=r"^tt\d+$")]


def iso_timestamp(value: dt.datetime | None) -> str | None:
    """Write a timestamp as the record contract wants it: UTC, `YYYY-MM-DDTHH:MM:SSZ`."""
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


# Scrapy's feed exporters would write a timestamp without its zone.
TIMESTAMP = {"serializer": iso_timestamp}


# Hashed to drop repeated lines; never changed once loaded.
@dataclass(kw_only=True, unsafe_hash=True)
class Credit:
    """A person's part in a film."""

    name: str = ""
    """As printed."""

    slug: str | None = None
    """The person's path segment on the site; null where the name is no link."""

    role: str | None = None
    """As printed ("Director", "Principal Cast", "Dan"), several joined with ", "; null where none is shown."""


@dataclass(kw_only=True, unsafe_hash=True)
class Ranking:
    """A place in one of the site's lists: "#7 Best Movie of 2013"."""

    rank: Annotated[int, Meta(ge=1)] | None = None
    """The place, from 1."""

    title: str = ""
    """The list: "Best Movie of 2013"."""


@dataclass(kw_only=True, unsafe_hash=True)
class Award:
    """A film's wins and nominations at one event."""

    event: str = ""
    """As printed."""

    wins: Count | None = None
    """Awards won."""

    nominations: Count | None = None
    """Nominations, wins included or not as the site counts them."""


@dataclass(kw_only=True)
class Record:
    """What every record has."""

    key: str = ""
    """Stable identity, made only of parts that do not change when the record is edited."""

    layout: str = ""
    """The page design that the record was read from: `2010`, `2016`, `2023`, `2026` or `api`."""

    source_url: str = ""
    """The page asked for, as the site's own URL (also for an archived, saved or mirrored page)."""

    captured_at: dt.datetime | None = field(default=None, metadata=TIMESTAMP)
    """When the site showed this, in UTC: fetch time; for an archived page the snapshot's time; for a saved file
    its `captured_at` argument, else what the file says (a WARC's record, an archive's address), else the file's
    modification time."""


@dataclass(kw_only=True)
class Movie(Record):
    """A film. Key: `slug`."""

    slug: str = ""
    """The film's path segment on the site, percent-decoded, lower case: `her`."""

    title: str | None = None
    """As printed."""

    url: str = ""
    """Canonical: `https://www.metacritic.com/movie/<slug>`."""

    site_id: Count | None = None
    """The site's product id as on the page (541335 for Her; since 2023 the numbers of films start at 2000000000)."""

    imdb_id: ImdbId | None = None
    """`tt…`, where the page has it."""

    release_year: Year | None = None
    """The year shown beside the title."""

    release_date: dt.date | None = None
    """First release; null where the page gives less than a day."""

    home_release_date: dt.date | None = None
    """Release on disc or on line, from the details page."""

    metascore: Metascore | None = None
    """0–100; null when there is none: "tbd", or 0 with no reviews behind it."""

    critic_review_count: Count | None = None
    """Critic reviews behind the Metascore, as the page's score summary shows them ("based on 46 Critics")."""

    critic_positive: Count | None = None
    """Critic reviews of 61–100."""

    critic_mixed: Count | None = None
    """Critic reviews of 40–60."""

    critic_negative: Count | None = None
    """Critic reviews of 0–39."""

    user_score: UserScore | None = None
    """0–10, one decimal; null when there are no ratings, also where the site's data says 0."""

    user_rating_count: Count | None = None
    """Users' ratings, with or without a written review ("based on 1376 Ratings")."""

    user_positive: Count | None = None
    """Ratings of 7–10; null where the page's bars count reviews instead (2010 design)."""

    user_mixed: Count | None = None
    """Ratings of 4–6; null as for `user_positive`."""

    user_negative: Count | None = None
    """Ratings of 0–3; null as for `user_positive`."""

    user_review_count: Count | None = None
    """Written user reviews ("SEE ALL 234 REVIEWS", `totalResults`); fewer than ratings."""

    must_see: bool | None = None
    """The site's badge; null where the page cannot show it."""

    content_rating: str | None = None
    """`R`, `PG-13`, `Not Rated`; null where the film has none."""

    runtime_minutes: Count | None = None
    """Running time in minutes."""

    summary: str | None = None
    """The site's summary in full, never the collapsed one."""

    tagline: str | None = None
    """The film's own line, where the page has it."""

    genres: list[str] = field(default_factory=list)
    """As printed, in page order."""

    countries: list[str] = field(default_factory=list)
    """Countries of production, from the details page."""

    languages: list[str] = field(default_factory=list)
    """Spoken languages, from the details page."""

    distributors: list[str] = field(default_factory=list)
    """Names once each, in page order."""

    production_companies: list[str] = field(default_factory=list)
    """Names once each, in page order."""

    directors: list[Credit] = field(default_factory=list)
    """In page order."""

    writers: list[Credit] = field(default_factory=list)
    """In page order."""

    cast: list[Credit] = field(default_factory=list)
    """Principal cast, then cast, in page order; a repeated line once."""

    rankings: list[Ranking] = field(default_factory=list)
    """Places in the site's lists, in page order."""

    awards: list[Award] = field(default_factory=list)
    """Awards by event, in page order."""

    official_site: str | None = None
    """The film's own site, an absolute URL."""

    image_url: str | None = None
    """The picture beside the summary, an absolute URL."""

    trailer_url: str | None = None
    """The site's trailer page (2010, 2016 designs) or the video itself (2026, api), an absolute URL."""


@dataclass(kw_only=True)
class CriticReview(Record):
    """A critic's review of a film. Key: `<movie_slug>/<publication_slug>/<critic_slug>`.

    A slug that the site does not give is made from the name (lower case, runs of anything but letters and digits as
    `-`), and is `-` where there is no name either.
    """

    movie_slug: str = ""
    """The film's `slug`."""

    publication: str | None = None
    """The publication's name (of a logo, its alternative text)."""

    publication_slug: str | None = None
    """The publication's path segment on the site; null where it is no link."""

    critic: str | None = None
    """The critic's name; null where the review is unsigned."""

    critic_slug: str | None = None
    """The critic's path segment on the site; null where the name is no link."""

    score: Metascore | None = None
    """0–100, as converted by the site; null when the review is unscored."""

    date: dt.date | None = None
    """Publication day; null where the page has none."""

    excerpt: str | None = None
    """The passage that the site quotes."""

    full_review_url: str | None = None
    """The review at the publication, an absolute URL; null for print."""


@dataclass(kw_only=True)
class UserReview(Record):
    """A user's written review of a film. Key: `<movie_slug>/<author>`.

    For an author without an account it is `<movie_slug>/<author>/<review_id>`: such names may repeat. Where
    `METACRAWL_AUTHORS` is not `keep`, digests stand for the author, here and in the key.
    """

    movie_slug: str = ""
    """The film's `slug`."""

    review_id: str | None = None
    """The site's id: digits until 2023, a UUID since."""

    author: str | None = None
    """The user's name, case kept; with `METACRAWL_AUTHORS=pseudonym` a pseudonym, with `drop` null."""

    score: UserGrade | None = None
    """0–10."""

    date: dt.date | None = None
    """Day first posted."""

    edited_at: dt.datetime | None = field(default=None, metadata=TIMESTAMP)
    """Last edit, in UTC, where the design tells it (since 2023)."""

    text: str | None = None
    """In full, expanded; each line break of the page is one `\\n`."""

    spoiler: bool | None = None
    """Whether the site hides the text as a spoiler; null where the design cannot tell."""

    helpful_votes: Count | None = None
    """"1 of 4 users found this helpful" → 1; null where the design shows no votes."""

    total_votes: Count | None = None
    """"1 of 4 users found this helpful" → 4; null where the design shows no votes."""


RECORDS: tuple[type[Record], ...] = (Movie, CriticReview, UserReview)
