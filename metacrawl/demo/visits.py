"""Invents when the demo's web archive has come by, and what it met: the captures from 2011 to 2026."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from urllib.parse import quote

from metacrawl.demo.history import design_of, film_as_of
from metacrawl.demo.pages import list_page
from metacrawl.demo.snapshots import Capture, Kind, Shows, Snapshots
from metacrawl.demo.world import Film, World

BEGINNING, END = dt.date(2011, 2, 1), dt.date(2026, 7, 15)
HTTPS_SINCE = dt.date(2018, 10, 16)
NEVER, ENDED, APART, OUT_OF_REACH, HOLE, EARLY = (
    "dear-miss-ravenscar",
    "crooked-little-opera",
    "kettle-song",
    "borrowed-snow",
    "star-courier-part-ii---the-long-orbit",
    "vinegar-hill-express",
)
TRAPS = {
    NEVER: "no capture at all",
    ENDED: "captures before 2014 only",
    APART: "user reviews captured 20 to 90 days after the film's page",
    OUT_OF_REACH: "critic reviews captured further than 180 days from any capture of the film's page",
    HOLE: "page 1 of 3 of the user reviews never captured",
    EARLY: "captured before its release, with no review and no score",
    "the-cartographers-daughter": "captures under earlier slugs, which redirect",
}


def snapshots(world: World) -> Snapshots:
    """Invent the archive of a world; the same world has the same archive. `TRAPS` names what single films have."""
    return Snapshots(world, [capture for film in world.films for capture in captures_of(film)])


def captures_of(film: Film) -> Iterator[Capture]:
    """Invent a film's captures. At each visit there are its own page and the other ones of the design of the day."""
    rng = Random(f"captures {film.slug}")  # noqa: S311 - a story, no secret
    for time in visits(film, rng) if film.slug != NEVER else ():
        page = capture(film.slug, "movie", 0, time, rng)
        yield page
        yield from again(page, rng)
        yield from failures(page, rng)
        yield from earlier_slugs(film, page)
        for kind, number in sub_pages(film, time.date()):
            yield from sub_page(film, kind, number, time, rng)


def visits(film: Film, rng: Random) -> Iterator[dt.datetime]:
    """Invent when a film's page is captured: before noon, so that the other pages can follow on the same day."""
    day = first_day(film, rng)
    end = dt.date(2013, 9, 15) if film.slug == ENDED else END
    while day <= end:
        yield dt.datetime.combine(day, dt.time(rng.randrange(12), rng.randrange(60), rng.randrange(60)), dt.UTC)
        # far enough from each other that the pages of one visit are not in reach of the next
        day += dt.timedelta(rng.randint(400, 500) if film.slug == OUT_OF_REACH else rng.randint(220, 460))


def first_day(film: Film, rng: Random) -> dt.date:
    if film.release_date is None or film.release_date < BEGINNING:
        return BEGINNING + dt.timedelta(rng.randrange(200))
    # where pages are apart in time, there must be scores on all of them
    wait = {APART: 200, OUT_OF_REACH: 200, EARLY: -40}.get(film.slug, rng.randrange(25))
    return film.release_date + dt.timedelta(wait)


def sub_pages(film: Film, day: dt.date) -> Iterator[tuple[Kind, int]]:
    """List a film's pages beside its own on a day."""
    design = design_of(day)
    if design == "2016":
        yield "details", 0
    yield "critic-reviews", 0
    pages = list_page(film_as_of(film, day), 0, "")
    # the designs since 2023 load the rest of the list from the back end, which the archive does not keep
    for number in range(pages.pages if pages and design in {"2010", "2016"} else 1):
        if (film.slug, number) != (HOLE, 1):
            yield "user-reviews", number


def sub_page(film: Film, kind: Kind, number: int, visit: dt.datetime, rng: Random) -> Iterator[Capture]:
    """Invent the captures of a page at a visit: one, at times another in another order, at times one more days away."""
    wait = dt.timedelta(minutes=rng.randint(5, 600))
    if (film.slug, kind) == (APART, "user-reviews"):
        wait = dt.timedelta(rng.randint(20, 90))
    if (film.slug, kind) == (OUT_OF_REACH, "critic-reviews"):
        wait = dt.timedelta(rng.randint(190, 200))
    page = capture(film.slug, kind, number, visit + wait, rng)
    if not is_page_of(page, design_of(visit.date())):
        return
    yield page
    if kind == "user-reviews" and rng.random() < 0.3:
        yield with_query(page, "sort-by=date", page.time + dt.timedelta(minutes=7))
    if film.slug != OUT_OF_REACH and rng.random() < 0.3:
        # a list does not shrink, so that a later page of it is there for sure
        days = rng.randint(1, 100) * (rng.choice((-1, 1)) if number == 0 else 1)
        other = capture(film.slug, kind, number, page.time + dt.timedelta(days), rng)
        if is_page_of(other, page.design):
            yield other


def is_page_of(page: Capture, design: str) -> bool:
    """Tell whether a page of a design is still one on the day of a capture: details and further pages come and go."""
    return page.design == design or (page.kind != "details" and page.page == 0)


def capture(slug: str, kind: Kind, number: int, time: dt.datetime, rng: Random) -> Capture:
    """Capture a page under one of the spellings of its URL."""
    modern = design_of(time.date()) in {"2023", "2026"}
    path = f"/movie/{quote(slug)}" + ("" if kind == "movie" else f"/{kind}")
    # the site serves its classic pages with and without a slash at the end
    slash = "/" if modern or rng.random() < 0.15 else ""
    host = rng.choice(("www.metacritic.com",) * 4 + ("metacritic.com",))
    origin = f"https://{host}" if time.date() >= HTTPS_SINCE else f"http://{host}{rng.choice(('', '', '', ':80'))}"
    query = f"?page={number}" if number or (kind == "user-reviews" and not modern and rng.random() < 0.3) else ""
    return Capture(time=time, original=f"{origin}{path}{slash}{query}", slug=slug, kind=kind, page=number)


def with_query(page: Capture, query: str, time: dt.datetime) -> Capture:
    """Capture a page with one more parameter, which makes it another page to the archive."""
    mark = "&" if "?" in page.original else "?"
    return replace(page, original=f"{page.original}{mark}{query}", time=time, plain=False)


def again(page: Capture, rng: Random) -> Iterator[Capture]:
    """Capture a page once more on the same day, when nothing has changed yet."""
    later = page.time + dt.timedelta(minutes=rng.randint(601, 719))
    if rng.random() < 0.4:
        yield replace(page, time=later, shows=rng.choice(("page", "again")))
    if rng.random() < 0.2:
        yield with_query(page, "ref=hp", later)


def failures(page: Capture, rng: Random) -> Iterator[Capture]:
    """Capture what is no page: redirects before the page itself, errors on other days."""
    if rng.random() < 0.3:
        target = page.original.replace(":80/", "/")
        wrong = rng.choice(misspelled(target))
        if wrong != target:
            yield moved(page, wrong, target)
    kinds: tuple[Shows, ...] = ("missing", "unavailable", "apology")
    if rng.random() < 0.25:
        yield replace(page, time=page.time + dt.timedelta(rng.randint(5, 60)), shows=rng.choice(kinds))


def misspelled(url: str) -> tuple[str, ...]:
    """Spell a URL in the ways that the site redirects from."""
    if url.startswith("http:"):
        return (url.replace("://www.", "://"),)
    return url.replace("https:", "http:"), url.rstrip("/")


def moved(page: Capture, original: str, location: str) -> Capture:
    time = page.time - dt.timedelta(seconds=9)
    return replace(page, time=time, original=original, location=location, shows="moved")


def earlier_slugs(film: Film, page: Capture) -> Iterator[Capture]:
    """Capture a film's page under the slugs that it had."""
    for number, old in enumerate(film.old_slugs):
        original = page.original.replace(quote(film.slug), quote(old))
        time = page.time + dt.timedelta(minutes=number + 1)
        yield replace(page, time=time, original=original, slug=old, shows="moved", location=page.original)
