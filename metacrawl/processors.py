"""Text → value. Every function is total: what it cannot read gives ``None``, nothing raises."""

import datetime as dt
import re
from collections.abc import Hashable, Iterable
from typing import TypeVar
from urllib.parse import unquote, urljoin, urlsplit

from metacrawl.urls import unarchived

T = TypeVar("T", bound=Hashable)

# What Unicode calls white space. Python's \s also takes U+001C to U+001F, which are control characters and stay.
SPACES = re.compile("[\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")

BREAK = re.compile("\r\n|\r|\n")

# What the site prints where it has no value.
ABSENT = frozenset({"", "-", "n/a", "tba", "tbd"})

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAY = re.compile(r"([A-Za-z]{3})[a-z]* (\d{1,2}), (\d{4})", re.ASCII)
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+", re.ASCII)


def one_line(text: str) -> str:
    r"""Make any run of white space one space, with none at the ends; zero-width marks stay.

    >>> one_line(" a \n\t b\u2028c\u200b ")
    'a b c\u200b'
    """
    return SPACES.sub(" ", text).strip(" ")


def lines(text: str) -> str:
    r"""Keep the line breaks of text that is no HTML, and make any other run of white space one space.

    >>> lines(" a  b \r\n\r c\n")
    'a b\n\nc'
    """
    return "\n".join(map(one_line, BREAK.split(text))).strip("\n")


def present(text: str) -> str | None:
    """Drop what the site prints where it has no value.

    >>> present("tbd"), present("TBA"), present("0")
    (None, None, '0')
    """
    return None if text.lower() in ABSENT else text


def whole(text: str) -> int | None:
    """Read a whole number that stands alone.

    >>> whole("90"), whole("0"), whole("1,233"), whole("8.6"), whole("tbd"), whole("٣")
    (90, 0, 1233, None, None, None)
    """
    return int(text.replace(",", "")) if len(text) < 20 and NUMBER.fullmatch(text) else None


def count(text: str) -> int | None:
    """Read the first number of a phrase.

    >>> count("based on 1,376 Ratings"), count("SEE ALL 46 REVIEWS"), count("See All Trailers")
    (1376, 46, None)
    """
    found = NUMBER.search(text)
    return whole(found[0]) if found else None


def decimal(text: str) -> float | None:
    """Read a score with at most one decimal.

    >>> decimal("8.6"), decimal("8"), decimal("0.0"), decimal("tbd"), decimal("8.6.1"), decimal("1e3")
    (8.6, 8.0, 0.0, None, None, None)
    """
    return float(text) if re.fullmatch(r"[0-9]{1,3}(\.[0-9])?", text) else None


def date(text: str) -> dt.date | None:
    """Read a day; white space must have been made single before.

    >>> date("December 18, 2013"), date("Jan 9, 2014"), date("2026-04-24")
    (datetime.date(2013, 12, 18), datetime.date(2014, 1, 9), datetime.date(2026, 4, 24))
    >>> date("2013"), date("December 2013"), date("Feb 30, 2013"), date("Foo 1, 2013"), date("tbd")
    (None, None, None, None, None)
    """
    try:
        if found := DAY.fullmatch(text):
            return dt.date(int(found[3]), MONTHS.index(found[1].lower()) + 1, int(found[2]))
        return dt.date.fromisoformat(text) if ISO_DAY.fullmatch(text) else None
    except ValueError:
        return None


def moment(text: str) -> dt.datetime | None:
    """Read a time given in milliseconds since 1970; what is left of a second goes, as records hold whole ones.

    >>> moment("1772748790300"), moment("tbd"), moment("9" * 18)
    (datetime.datetime(2026, 3, 5, 22, 13, 10, tzinfo=datetime.timezone.utc), None, None)
    """
    try:
        return dt.datetime.fromtimestamp(int(text) // 1000, dt.UTC) if re.fullmatch(r"[0-9]{1,18}", text) else None
    except (ValueError, OverflowError, OSError):
        return None


def minutes(text: str) -> int | None:
    """Read a running time.

    >>> minutes("126 min"), minutes("2 h 6 m"), minutes("2 hr 6 min"), minutes("PT126M"), minutes("long"), minutes("")
    (126, 126, 126, 126, None, None)
    """
    found = re.fullmatch(r"(?:PT)?(?:(\d{1,4}) ?h(?:r|rs)?)? ?(?:(\d{1,5}) ?m(?:in)?)?", text, re.IGNORECASE | re.ASCII)
    return int(found[1] or 0) * 60 + int(found[2] or 0) if found and (found[1] or found[2]) else None


def rating(text: str) -> str:
    """Read a content rating, with or without the reason for it.

    >>> rating("Rated R for strong violence"), rating("PG-13"), rating("Not Rated")
    ('R', 'PG-13', 'Not Rated')
    """
    found = re.match(r"Rated ([^\s:;,]+)", text)
    return found[1] if found else text


def rank(text: str) -> int | None:
    """Read the place of a ranking.

    >>> rank("#7 Best Movie of 2013"), rank("#1,204 Best Movie of All Time"), rank("Best Movie of 2013")
    (7, 1204, None)
    """
    return count(text) if text.startswith("#") else None


def ranking(text: str) -> str:
    """Read the list of a ranking.

    >>> ranking("#7 Best Movie of 2013")
    'Best Movie of 2013'
    """
    return re.sub(r"^#[\d,]+ ", "", text)


def last_segment(url: str) -> str | None:
    """Read the slug that a link ends in.

    >>> last_segment("/publication/gamesradar+?filter=movies"), last_segment("/person/dgar-ramirez/"), last_segment("/")
    ('gamesradar+', 'dgar-ramirez', None)
    """
    path = url.split("?", 1)[0].split("#", 1)[0]
    # No database takes NUL, and HTML has none but this way.
    return unquote(path.rstrip("/").rsplit("/", 1)[-1]).replace("\0", "\ufffd") or None


def absolute(url: str, base: str) -> str | None:
    """Resolve a link to a web page; scripts, mail and the like are none, and an empty one is not the page itself.

    What the web archive makes of the links in its pages leads to where they led.

    >>> absolute("/movie/her", "https://www.metacritic.com"), absolute("javascript:void(0)", "https://example.com")
    ('https://www.metacritic.com/movie/her', None)
    >>> absolute(" ", "https://www.metacritic.com")
    >>> absolute("/web/20140716083000/https://gazette.example.org/1", "https://www.metacritic.com")
    'https://gazette.example.org/1'
    """
    if not url.strip():
        return None
    try:
        joined = urljoin(base, unarchived(url.strip()))
        parts = urlsplit(joined)
    except ValueError:
        return None
    return joined if parts.scheme in {"http", "https"} and parts.netloc else None


def flag(text: str) -> bool | None:
    """Read the result of an XPath test.

    >>> flag("1"), flag("0"), flag("")
    (True, False, None)
    """
    return {"1": True, "0": False}.get(text)


def unique(values: Iterable[T]) -> list[T]:
    """Keep the first of each.

    >>> unique(["b", "a", "b"])
    ['b', 'a']
    """
    return list(dict.fromkeys(values))
