"""The demo site as it was on a day in the past.

Reviews come with their dates. Ratings come with the reviews and go on coming, in steps of half a year, until `GROWN`;
from then on the site is what the world says.
"""

import datetime as dt
from dataclasses import replace
from math import ceil
from random import Random

from metacrawl.demo.world import CriticPiece, Film, Tally, World

GROWN = dt.date(2026, 1, 1)
ANNOUNCED = dt.timedelta(days=300)
"""How long before its release a film gets its page."""

HOME_ANNOUNCED = dt.timedelta(days=90)
LATE_SHARE = 0.25
"""The part of the ratings that comes after all reviews, little by little."""

DRIFT = 2.5
LEAST_CRITICS = 4
REDESIGNS = {"2026": dt.date(2026, 2, 20), "2023": dt.date(2023, 9, 14), "2016": dt.date(2016, 11, 20)}
"""The days on which the designs came, the newest first."""


def design_of(day: dt.date) -> str:
    """Tell the design that the site had on a day."""
    return next((design for design, since in REDESIGNS.items() if day >= since), "2010")


def as_of(world: World, day: dt.date) -> World:
    """Give the site as it was on a day; films and lists are new, the reviews in them are the given world's own.

    What does not change: titles and other facts, present slugs (a renamed film has its last slug all the time).
    """
    return replace(world, films=[film_as_of(film, day) for film in world.films if is_announced(film, day)])


def is_announced(film: Film, day: dt.date) -> bool:
    return film.release_date is None or day >= film.release_date - ANNOUNCED


def film_as_of(film: Film, day: dt.date) -> Film:
    released = film.release_date or dt.date.min
    pieces = [piece for piece in film.critic_reviews if day >= (piece.date or released)]
    posts = [post for post in film.user_reviews if day >= post.date]
    progress = growth(film, len(posts), day)
    metascore = metascore_of(film, pieces)
    ratings = grown(film.ratings, progress)
    home = film.home_release_date
    return replace(
        film,
        metascore=metascore,
        must_see=film.must_see and metascore is not None and (metascore == film.metascore or metascore > 80),
        rankings=film.rankings if day.year > released.year else [],
        home_release_date=home if home and day >= home - HOME_ANNOUNCED else None,
        critic_reviews=pieces,
        user_reviews=posts,
        ratings=ratings,
        user_score=user_score_of(film, ratings, progress),
    )


def metascore_of(film: Film, pieces: list[CriticPiece]) -> int | None:
    """Tell the Metascore of some of a film's reviews: its own, moved by what the missing ones change of the mean."""
    if film.metascore is None or len(pieces) == len(film.critic_reviews):
        return film.metascore
    there = scores(pieces)
    if len(there) < LEAST_CRITICS:
        return None
    everyone = scores(film.critic_reviews)
    moved = film.metascore + sum(there) / len(there) - sum(everyone) / len(everyone)
    return min(100, max(0, round(moved)))


def scores(pieces: list[CriticPiece]) -> list[int]:
    return [piece.score for piece in pieces if piece.score is not None]


def growth(film: Film, posts: int, day: dt.date) -> float:
    """Tell how much of the ratings is there on a day, 0 to 1, when so many user reviews are."""
    if film.release_date is None:
        return 1
    released, now, end = (half_years(point) for point in (film.release_date, day, GROWN))
    late = min(1, max(0, now - released) / max(1, end - released))
    written = posts / len(film.user_reviews) if film.user_reviews else float(day >= film.release_date)
    return written * (1 - LATE_SHARE + LATE_SHARE * late)


def half_years(day: dt.date) -> int:
    return 2 * day.year + (day.month > 6)


def grown(ratings: Tally, progress: float) -> Tally:
    """Take a part of the ratings, alike of each kind."""
    parts = (ceil(count * progress) for count in (ratings.positive, ratings.mixed, ratings.negative))
    return Tally(**dict(zip(("positive", "mixed", "negative"), parts, strict=True)))


def user_score_of(film: Film, ratings: Tally, progress: float) -> float | None:
    """Tell the user score of a part of the ratings: it starts beside the film's own and ends there."""
    if film.user_score is None or progress >= 1:
        return film.user_score
    if not ratings.total:
        return None
    swing = Random(f"drift {film.slug}").uniform(-DRIFT, DRIFT)  # noqa: S311 - a story, no secret
    return min(10.0, max(0.0, round(film.user_score + swing * (1 - progress), 1)))
