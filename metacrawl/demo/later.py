"""Invents what only the designs since 2023 show of a film."""

import datetime as dt
from random import Random

from metacrawl.demo import names
from metacrawl.demo.world import Company, Film
from metacrawl.items import Award

TAGLINES = (
    "Some doors are better left to the wind.",
    "The tide keeps its own books.",
    "Everybody has a map. Nobody has a boat.",
    "She came for the bell. She stayed for the silence.",
    "Bring a coat.",
    "This winter, take the long way round.",
    "Two brothers. One umbrella.",
    "Listen closer.",
)
EVENTS = (
    "Velmont Film Festival", "Golden Lanterns, Northmere", "Halden Critics Circle", "The Tidewater Awards",
    "Marlow Hill Independent Film Prize",
)  # fmt: skip
ENDINGS = ("International", "Home Video", "of Canada", "Film-Verleih", "(II)", "Distribuição")


def add_later_facts(film: Film, rng: Random) -> None:
    """Add them, with dice that nothing else of the film depends on."""
    film.imdb_id = f"tt{rng.randrange(10**7):07}"
    film.tagline = rng.choice((None, *TAGLINES))
    film.awards = [award(event, rng) for event in rng.sample(EVENTS, rng.choice((0, 0, 1, 2, 3)))]
    film.further_companies = further_companies(rng)
    film.locations = [f"{place}, Halden" for place in rng.sample(names.PLACES, rng.randint(0, 3))]
    for post in film.user_reviews:
        day = dt.timedelta(days=rng.randint(1, 900) if rng.random() < 0.1 else 0)
        post.saved_after = day + dt.timedelta(milliseconds=rng.randrange(86_400_000))


def award(event: str, rng: Random) -> Award:
    wins = rng.randint(0, 4)
    return Award(event=event, wins=wins, nominations=wins + rng.randint(0, 6))


def further_companies(rng: Random) -> list[Company]:
    """Invent companies, most of them without a page; one may be there more than once, for several countries."""
    studios = rng.sample(names.STUDIOS, rng.randint(0, 4))
    made = [Company(name=studio, slug=None, kind="production") for studio in studios[:1]]
    sold = [Company(name=f"{studio} {rng.choice(ENDINGS)}", slug=None) for studio in studios[1:]]
    return [*made, *sold, *(rng.choice(sold) for _ in range(rng.randint(0, 3)) if sold)]
