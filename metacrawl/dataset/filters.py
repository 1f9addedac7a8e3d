"""Which part of the database a dataset is made of."""

import datetime as dt
from dataclasses import dataclass

from metacrawl.items import iso_timestamp
from metacrawl.outcome import ConfigError
from metacrawl.sources.saved import time_of
from metacrawl.spiders.arguments import read_movie, read_year


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What was asked for; nothing asks for everything."""

    movie: tuple[str, ...] = ()
    """The slugs of films."""

    year: tuple[int, int] | None = None
    """The first and the last year of release."""

    since: dt.datetime | None = None
    """Only what is new, changed or gone since then, and the films of it."""

    @property
    def given(self) -> dict[str, str]:
        """Write them as `read_filters` reads them."""
        years = dict.fromkeys(map(str, self.year or ()))
        told = {"movie": ",".join(self.movie), "year": "-".join(years), "since": iso_timestamp(self.since) or ""}
        return {name: value for name, value in told.items() if value}

    def __str__(self) -> str:
        """Write them as options."""
        return " ".join(f"--{name} {value}" for name, value in self.given.items())


def read_filters(movie: str | None = None, year: str | None = None, since: str | None = None) -> Filters:
    """Read filters as a person gives them. Raises `ConfigError` that names what is wrong."""
    return Filters(
        movie=read_movies(movie) if movie is not None else (),
        year=read_year(year) if year is not None else None,
        since=read_since(since) if since is not None else None,
    )


def read_movies(value: str) -> tuple[str, ...]:
    """Read slugs or URLs with commas between, or `@file` with one a line."""
    parts = [value] if value.startswith("@") else [part.strip() for part in value.split(",")]
    return tuple(dict.fromkeys(slug for part in parts for slug in read_movie(part)))


def read_since(value: str) -> dt.datetime:
    """Read a day or a time stamp; one without a zone is UTC."""
    if (time := time_of(value)) is None:
        raise ConfigError(f"since={value} is no day such as 2026-09-01, and no time stamp such as 2026-09-01T12:00:00Z")
    return time
