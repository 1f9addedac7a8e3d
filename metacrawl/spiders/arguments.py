"""What a person may ask a spider for. Everything is checked before the first request."""

import datetime as dt
import difflib
import glob
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metacrawl.outcome import ConfigError
from metacrawl.sources.cdx import Span
from metacrawl.sources.saved import is_page, is_resources, time_of
from metacrawl.urls import PageKind, PageRef, UrlError, film_slug

REVIEWS = {
    "all": frozenset({PageKind.CRITIC_REVIEWS, PageKind.USER_REVIEWS}),
    "critics": frozenset({PageKind.CRITIC_REVIEWS}),
    "users": frozenset({PageKind.USER_REVIEWS}),
    "none": frozenset[PageKind](),
}
# The orders of the site's lists of films, as its finder names them.
BROWSE = {
    "metascore": "-metaScore",
    "userscore": "-userScore",
    "new": "-releaseDate",
    "popular": "-popularityCount",
}
# Before it there were no films.
EARLIEST = 1870
# How many films the site's own pages ask the finder for at a time, and the number by which it knows films.
FINDER = {"mcoTypeId": "2", "limit": "24"}
# Who starts a crawl says something of the crawl itself in these: Scrapyd the job's id, and the egg's version where that
# was asked for, `scrapy work` the run that is to be joined.
INTERNAL = frozenset({"_job", "_version", "_join"})


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """A spider's arguments, read."""

    movie: tuple[str, ...] = ()
    """The films' slugs, each once."""

    browse: str = ""
    """The order of the list to take films from, as the finder names it."""

    year: tuple[int, int] | None = None
    """The first and the last year of release of the films to take from the list."""

    genre: tuple[str, ...] = ()
    """The genres of the films to take from the list."""

    at: Span | None = None
    """What time to read the archive of."""

    reviews: frozenset[PageKind] = REVIEWS["all"]
    source: str = "site"
    path: tuple[Path, ...] = ()
    """The saved pages, for `source=files`."""

    limit: int | None = None
    """How many films at most."""

    captured_at: dt.datetime | None = None
    """When the site showed the saved pages, if not when their files were written."""

    update: str = "changed"
    """Whether films are read as far as they have changed, or in `full`."""

    fresh: bool = False
    """Start anew where an earlier run could be resumed."""

    @property
    def listing(self) -> PageRef:
        """The finder's list of the films that are asked for by what they have in common."""
        query = FINDER | {"sortBy": self.browse or BROWSE["metascore"]}
        if self.year:
            query |= {"releaseYearMin": str(self.year[0]), "releaseYearMax": str(self.year[1])}
        if self.genre:
            query["genres"] = ",".join(self.genre)
        return PageRef(PageKind.API_FINDER).asked(query)


def read_arguments(given: Mapping[str, str], takes: Collection[str]) -> Arguments:
    """Read a spider's arguments, of those that it `takes`.

    Raises `ConfigError` that names the argument and its value.
    """
    given = {name: value for name, value in given.items() if name not in INTERNAL}
    for name, value in given.items():
        if name not in takes:
            raise ConfigError(f"unknown argument {name}={value}{hint(name, takes)}")
    arguments = Arguments(**{name: READERS[name](value) for name, value in given.items()})
    for name, sources in GOES_WITH.items():
        if name in given and arguments.source not in sources:
            raise ConfigError(
                f"{name}={given[name]} goes with source={' or '.join(sources)}, not with source={arguments.source}"
            )
    listed = [name for name in ("browse", "year", "genre") if name in given]
    if arguments.source == "files" and not arguments.path:
        raise ConfigError("source=files needs saved pages: -a path='saved/*.html'")
    if arguments.source == "archive" and not (arguments.movie and arguments.at):
        raise ConfigError("source=archive needs films and a time: -a movie=her -a at=2014, or a range at=2014-2017")
    if arguments.movie and listed:
        raise ConfigError(f"{listed[0]}={given[listed[0]]} asks for a list of films: it does not go with movie=")
    if arguments.source == "site" and not arguments.movie and not listed:
        raise ConfigError(
            "no film asked for: -a movie=her, -a movie=@films.txt with one a line, or -a browse=metascore"
        )
    return arguments


GOES_WITH = {
    "path": ("files",),
    "captured_at": ("files",),
    "movie": ("site", "archive"),
    "at": ("archive",),
    "browse": ("site",),
    "year": ("site",),
    "genre": ("site",),
    "update": ("site",),
}


def hint(name: str, known: Collection[str], otherwise: str = ": this spider takes") -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f": did you mean {close[0]}?" if close else f"{otherwise} {', '.join(known)}"


def choice(name: str, choices: Mapping[str, Any]) -> Callable[[str], Any]:
    def read(value: str) -> Any:
        if value not in choices:
            raise ConfigError(f"{name}={value} is none of {', '.join(choices)}")
        return choices[value]

    return read


def read_movie(value: str) -> tuple[str, ...]:
    """Read a slug, any URL of a film's, or `@file` with one a line (`#` starts a comment)."""
    if not value.startswith("@"):
        return (read_film(value, "movie"),)
    try:
        lines = Path(value[1:]).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"movie={value} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    films = {number: line.split("#", 1)[0].strip() for number, line in enumerate(lines, 1)}
    slugs = [read_film(film, f"{value[1:]} line {number}: movie") for number, film in films.items() if film]
    if not slugs:
        raise ConfigError(f"movie={value} names no film")
    return tuple(dict.fromkeys(slugs))


def read_film(text: str, name: str) -> str:
    try:
        return film_slug(text)
    except UrlError as error:
        raise ConfigError(f"{name}={text}: {error}") from None


def read_path(value: str) -> tuple[Path, ...]:
    """Read a file, a folder (every page below it) or a glob pattern (`**` crosses folders)."""
    try:
        found = find_files(value)
    except OSError as error:
        raise ConfigError(f"path={value}: {error.strerror}") from None
    if not found:
        raise ConfigError(f"path={value}: {'matches no file' if glob.has_magic(value) else 'no such file'}")
    return tuple(sorted(file.absolute() for file in found))


def find_files(value: str) -> list[Path]:
    path = Path(value)
    if not value:
        return []
    if path.is_dir():
        found = [file for file in path.rglob("*") if is_page(file.relative_to(path))]
    elif glob.has_magic(value) and not path.exists():
        found = [Path(name) for name in glob.glob(value, recursive=True)]  # noqa: PTH207 - pathlib cannot glob from any root
    else:
        return [path] if path.is_file() else []
    folders = {folder for file in found for folder in file.parents if folder.name not in path.parts}
    resources = {folder for folder in folders if is_resources(folder)}
    return [file for file in found if file.is_file() and resources.isdisjoint(file.parents)]


def read_year(value: str) -> tuple[int, int]:
    """Read a year, or the first and the last of several: `2010-2019`."""
    first, _, last = value.partition("-")
    years = [int(year) for year in (first, last or first) if re.fullmatch(r"[0-9]{4}", year)]
    if len(years) != 2 or value.endswith("-") or not EARLIEST <= years[0] <= years[1]:
        raise ConfigError(f"year={value} is no year such as 2014, and no range such as 2010-2019")
    return years[0], years[1]


def read_at(value: str) -> Span:
    """Read a year, month or day, or the first and the last of several."""
    try:
        return Span.read(value)
    except ValueError as error:
        raise ConfigError(f"at={value} {error}") from None


def read_genre(value: str) -> tuple[str, ...]:
    """Read genres in any case, several with commas between: the site writes them as titles (`Sci-Fi`)."""
    genres = [genre.strip() for genre in value.split(",")]
    if not all(re.fullmatch(r"[A-Za-z][A-Za-z &-]*", genre) for genre in genres):
        raise ConfigError(f"genre={value} is no genre such as drama, and no list such as drama,sci-fi")
    return tuple(dict.fromkeys(genre.title() for genre in genres))


def read_limit(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) > 0):
        raise ConfigError(f"limit={value} is no number of films, 1 or more")
    return int(value)


def read_captured_at(value: str) -> dt.datetime:
    """Read a time stamp; one without a zone is UTC."""
    if (time := time_of(value)) is None:
        raise ConfigError(f"captured_at={value} is no time stamp such as 2017-07-16T12:00:00Z")
    return time


READERS: Mapping[str, Callable[[str], Any]] = {
    "movie": read_movie,
    "browse": choice("browse", BROWSE),
    "year": read_year,
    "genre": read_genre,
    "at": read_at,
    "reviews": choice("reviews", REVIEWS),
    "source": choice("source", {"site": "site", "archive": "archive", "files": "files"}),
    "path": read_path,
    "limit": read_limit,
    "captured_at": read_captured_at,
    "update": choice("update", {"changed": "changed", "full": "full"}),
    "fresh": choice("fresh", {"1": True, "0": False}),
}
