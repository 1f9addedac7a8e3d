"""Invented people, publications, companies and user names."""

import re
from itertools import product
from random import Random

from metacrawl.demo.world import Company

GIVEN = (
    "Alda", "Bertil", "Cosima", "Davor", "Edlyn", "Fenno", "Galina", "Hollis", "Ione", "Jorun", "Kester", "Linnea",
    "Marek", "Nuala", "Ottmar", "Perpetua", "Quill", "Rosamund", "Sorrel", "Tamsin", "Ulrik", "Verity", "Wendel",
    "Xanthe", "Yorick", "Zelda", "Éloise", "Íñigo", "Søren", "A.J.",
)  # fmt: skip
FAMILY = (
    "Abernott", "Brackwell", "Calloweth", "Dunmarsh", "Eldergrove", "Fairwick", "Garroway", "Hallbeck", "Ingersby",
    "Jessamine", "Kirkhollow", "Lorimond", "Merrivane", "Nettlefold", "Ostrander-Vale", "Pellworth", "Quennell",
    "Ravenscar", "Stillwater", "Thornquist", "Umberland", "Vanterpoole", "Whitlocke", "Yarrowby", "Zellhammer",
    "O'Farrant", "Güldenstern", "Núñez-Alba",
)  # fmt: skip
PLACES = (
    "Orrin Bay", "Velmont", "Saint Corin", "Castle Wray", "Northmere", "Halden", "Port Ansel", "Tidewater",
    "Marlow Hill", "Eastbrook", "Lake Verrin", "Quarry Town", "Redfield", "Silverpoint", "Old Harbour", "Westmarch",
)  # fmt: skip
PAPERS = ("Ledger", "Courier", "Evening Post", "Film Weekly", "Reel+")
STUDIOS = (
    "Lanternlight Pictures", "Gannet & Sons Releasing", "Blue Anvil Films", "Northmere Film Company", "Paper Moth",
    "Velmont Classics", "Tall Ship Entertainment", "Copperplate Cinema", "Seventh Landing", "Kettle House",
)  # fmt: skip
HANDLES = (
    "moth", "reel", "popcorn", "quiet", "velvet", "turbo", "grumpy", "midnight", "lazy", "cosmic", "pixel", "sunday",
    "iron", "sour", "honest", "matinee", "usher", "balcony", "row", "projector",
)  # fmt: skip
HANDLE_ENDS = (
    "Fan", "watcher", "Queen", "_critic", "owl", "77", "Guy", "-seat", "Knight", "2000", "er", "Tales", "dog", "XL",
    "_says", "Box", "99", "bird", "Lover", "Judge",
)  # fmt: skip


def site_slug(name: str) -> str:
    """Make a slug as the site does: letters outside ASCII are dropped, so that Éloise becomes `loise`."""
    return re.sub(r"\s+", "-", re.sub(r"[^a-z0-9 -]", "", name.lower()).strip())


def people() -> list[str]:
    return [f"{given} {family}" for given, family in product(GIVEN, FAMILY)]


def publications() -> list[str]:
    return [f"{place} {paper}" for place, paper in product(PLACES, PAPERS)]


def companies() -> list[Company]:
    return [Company(name=name, slug=site_slug(name)) for name in STUDIOS]


def user_names(rng: Random) -> list[str]:
    """Make user names that differ in more than their case, in random order."""
    names = [f"{handle}{end}" for handle, end in product(HANDLES, HANDLE_ENDS)]
    names += [f"{handle.title()}{number}" for handle, number in product(HANDLES, range(3, 33))]
    return rng.sample(names, len(names))
