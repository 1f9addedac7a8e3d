"""The invented films and reviews. The same seed gives the same world in each process."""

import datetime as dt
from dataclasses import dataclass
from itertools import islice
from random import Random

from metacrawl.demo import names, prose, reviews
from metacrawl.demo.later import add_later_facts
from metacrawl.demo.traps import TRAPS
from metacrawl.demo.world import Film, World, tally
from metacrawl.items import Credit, Ranking


@dataclass(frozen=True)
class Plan:
    """What is fixed about a film, whatever the seed."""

    title: str
    critics: int
    users: int
    slug: str = ""
    """Only where it is not made from the title."""

    year: int | None = None

    @property
    def site_slug(self) -> str:
        return self.slug or names.site_slug(self.title)


# the carriers of traps, then the others
PLANS = (
    Plan("The Salt Orchard", critics=52, users=341),
    Plan("Glass Meridian", critics=38, users=230),
    Plan("Paper Tides", critics=24, users=100),
    Plan("Winter Ferry", critics=30, users=200),
    Plan("A Quiet Ledger", critics=9, users=0),
    Plan("Unfinished Weather", critics=0, users=0),
    Plan("Three Small Bells", critics=3, users=12),
    Plan("Nightjar", critics=12, users=18, year=2004),
    Plan("Nightjar", critics=40, users=130, slug="nightjar-2015", year=2015),
    Plan("Who the % Is Ada Marrow?", critics=15, users=44, slug="who-the-%-is-ada-marrow"),
    Plan("Star Courier: Part II - The Long Orbit", critics=46, users=257),
    Plan("The Cartographer's Daughter", critics=28, users=120),
    Plan("Tin Orchestra", critics=36, users=60),
    Plan("Harbour of Strangers", critics=25, users=101),
    Plan("Brass & Ivory", critics=31, users=75),
    Plan("Low Road to Velmont", critics=14, users=30),
    Plan("Morning, Twice", critics=20, users=55),
    Plan("Kettle Song", critics=22, users=160),
)
TITLES = (
    "Amber Static", "Beneath the Tin Moon", "Calling Halden", "Dust on the Piano", "Eleven Umbrellas", "Fathom Street",
    "Gravel and Honey", "House of Postmen", "Inland Sea Radio", "Juniper County Line", "Kites over Northmere",
    "Last Train to Orrin Bay", "Marzipan Summer", "No Ferry on Sundays", "Ottoline Leaves Town", "Pocketful of Thunder",
    "Quarry Boys", "Rooms by the Weir", "Slow Applause", "The Beekeeper's Alibi", "The Clockmaker of Velmont",
    "The Dahlia Committee", "The Eel Catchers", "The Fog Auction", "The Goose and the Admiral", "The Hollow Fiddle",
    "The Inkwell Conspiracy", "The Long Way to Marlow Hill", "The Map Room", "The Night Baker", "The Other Chandler",
    "The Paper Regatta", "The Quiet Trombone", "The Rust Garden", "The Second Lamplighter", "The Tollkeeper's Wife",
    "Underneath the Bandstand", "Vinegar Hill Express", "We Were Cartwheels", "Xylophone Weather", "Yesterday's Gulls",
    "Zinc Roof Serenade", "A Handful of Harbours", "Borrowed Snow", "Crooked Little Opera", "Dear Miss Ravenscar",
)  # fmt: skip
GENRES = ("Drama", "Comedy", "Thriller", "Sci-Fi", "Romance", "Action", "History", "Mystery", "Music", "Family")
COUNTRIES = ("USA", "UK", "France", "Canada", "Japan", "Ireland")
LANGUAGES = ("French", "Spanish", "Japanese", "Gaelic")
RATINGS = ("R", "PG-13", "PG", "G", "Not Rated", "NC-17")
REASONS = ("some stormy weather and mild language", "brief perilous sailing", "thematic elements and a loud brass band")
PRODUCING = ("Producer", "Executive Producer", "Line Producer", "Associate Producer")
WRITING = ("Written By", "Screenplay", "Novel")
PARTS = ("The Ferryman", "Aunt Wilhelmina", "Second Violin", "Young Tobias", "Postmaster", "Dr. Ames", "The Widow")
DAY = dt.timedelta(days=1)


def build_world(seed: int = 2016) -> World:
    """Invent the whole world; how many films and reviews there are, and which film carries which trap, is fixed."""
    people = names.people()
    dice(seed, "people").shuffle(people)
    plans = [*PLANS, *(Plan(title, 14 + n * 7 % 27, 24 + n * 17 % 61) for n, title in enumerate(TITLES))]
    # each film has dice of its own, so that changing one leaves the others as they are
    world = World(films=[make_film(n, plan, people, dice(seed, plan.site_slug)) for n, plan in enumerate(plans)])
    for film in world.films:
        add_later_facts(film, dice(seed, f"{film.slug} later"))
    for trap in TRAPS:
        trap.set_up(world.film(trap.slug))
    return world


def make_film(number: int, plan: Plan, people: list[str], rng: Random) -> Film:
    """Invent a film and its reviews. The same people work on all films, and others write about them."""
    quality = 92 - number * 23 % 63
    released = dt.date(plan.year or rng.randint(1998, 2015), 1, 1) + DAY * rng.randrange(365)
    critics = reviews.critic_pieces(plan.critics, released, quality, people[400:], rng)
    users = reviews.user_posts(plan.users, released, quality, 3_000_000 + number * 10_000, rng)
    metascore = round(sum(piece.score or 0 for piece in critics) / len(critics)) if len(critics) > 3 else None
    crew = iter(rng.sample(people[:400], 100))
    distributor = rng.choice(names.companies())
    return Film(
        slug=plan.site_slug,
        title=plan.title,
        site_id=530_001 + number * 37,
        year=released.year,
        release_date=released,
        home_release_date=released + DAY * rng.randint(80, 200) if rng.random() < 0.8 else None,
        metascore=metascore,
        must_see=metascore is not None and metascore > 80 and len(critics) >= 15,
        user_score=reviews.clamped(rng.gauss(quality, 6), 4, 98) / 10 if users else None,
        ratings=tally(reviews.clamped(rng.gauss(quality, 22)) for _ in range(plan.users * rng.randint(3, 7))),
        content_rating=rng.choice(RATINGS),
        rating_reason=rng.choice(REASONS),
        runtime=rng.randint(71, 189),
        summary=f"{prose.summary_text(rng, rng.randint(1, 6))} [{distributor.name}]",
        genres=rng.sample(GENRES, rng.randint(1, 4)),
        countries=rng.sample(COUNTRIES, rng.choice((1, 1, 2, 3))),
        languages=["English", *rng.sample(LANGUAGES, rng.choice((0, 0, 1)))],
        distributors=[distributor],
        production_company=rng.choice(names.STUDIOS),
        directors=[credit(next(crew), "Director")],
        writers=[credit(name, rng.choice(WRITING)) for name in islice(crew, rng.randint(1, 3))],
        principal_cast=[part(name, "Principal Cast", rng) for name in sorted(islice(crew, rng.randint(4, 8)))],
        cast=[part(name, "Cast", rng) for name in sorted(islice(crew, rng.randint(22, 42)))],
        producers=[credit(name, rng.choice(PRODUCING)) for name in islice(crew, rng.randint(6, 14))],
        rankings=rankings(metascore, released.year, rng),
        official_site=f"http://www.{plan.site_slug}.example/" if rng.random() < 0.7 else None,
        picture=f"{rng.randrange(10)}/{rng.getrandbits(128):032x}",
        trailer_id=1_000_003 + number * 613,
        critic_reviews=critics,
        user_reviews=users,
        markup=2017 if number % 2 else 2019,
    )


def credit(name: str, role: str) -> Credit:
    return Credit(name=name, slug=names.site_slug(name), role=role)


def part(name: str, group: str, rng: Random) -> Credit:
    """Cast somebody; the site prints the group's name where it knows no part."""
    return credit(name, rng.choice((group, rng.choice(PARTS))))


def rankings(metascore: int | None, year: int, rng: Random) -> list[Ranking]:
    if metascore is None or metascore < 65:
        return []
    lists = ("Best Movie of", "Most Discussed Movie of", "Most Shared Movie of")
    return [Ranking(rank=rng.randint(1, 40), title=f"{name} {year}") for name in lists[: rng.randint(1, 3)]]


def dice(seed: int, purpose: str) -> Random:
    """Make random numbers that depend on nothing but the two words; text seeds do not use `hash`."""
    return Random(f"{seed} {purpose}")  # noqa: S311 - a story, no secret
