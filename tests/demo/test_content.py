import hashlib
import os
import subprocess
import sys
import unicodedata

import pytest

from metacrawl.demo.content import build_world
from metacrawl.demo.pages import Pages
from metacrawl.demo.traps import TRAPS

DIGEST_OF_ALL_PAGES = """
import hashlib
from metacrawl.demo.content import build_world
from metacrawl.demo.pages import Pages
world = build_world()
pages, digest = Pages(world), hashlib.sha256()
for film in world.films:
    for page in pages.movie(film), pages.details(film), pages.critic_reviews(film), pages.user_reviews(film):
        digest.update(page.encode())
print(digest.hexdigest())
"""


def test_world_is_as_large_as_promised(world):
    assert len(world.films) >= 62
    assert world.critic_review_count + world.user_review_count >= 5_500
    sizes = sorted(len(film.user_reviews) for film in world.films)
    assert sizes[-1] > 300
    assert sum(size > 100 for size in sizes) >= 5


def test_same_seed_gives_the_same_world_and_another_seed_another_one(world):
    assert build_world(2016) == world
    other = build_world(2017)
    assert [film.slug for film in other.films] == [film.slug for film in world.films]
    assert all(one.summary != two.summary for one, two in zip(world.films, other.films, strict=True) if one.summary)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_pages_are_the_same_bytes_in_another_process(world, hash_seed):
    pages, digest = Pages(world), hashlib.sha256()
    for film in world.films:
        for page in pages.movie(film), pages.details(film), pages.critic_reviews(film), pages.user_reviews(film):
            digest.update(page.encode())
    command = [sys.executable, "-c", DIGEST_OF_ALL_PAGES]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == digest.hexdigest()


@pytest.mark.parametrize("seed", [1, 2016])
def test_what_must_be_unique_is_unique(seed):
    world = build_world(seed)
    slugs = [slug for film in world.films for slug in (film.slug, *film.old_slugs)]
    assert len(set(slugs)) == len(slugs)
    assert len({film.site_id for film in world.films}) == len(world.films)
    ids = [post.review_id for film in world.films for post in film.user_reviews]
    assert len(set(ids)) == len(ids)
    for film in world.films:
        # names that differ in nothing but case would be one file on some machines
        accounts = [post.author.casefold() for post in film.user_reviews if post.account]
        assert len(set(accounts)) == len(accounts)


def test_texts_are_of_all_lengths_and_languages(world):
    texts = [post.text for film in world.films for post in film.user_reviews]
    lengths = [len(text.split()) for text in texts]
    assert 600 in lengths
    assert 5 in lengths
    assert len(set(texts)) > 0.9 * len(texts)
    scripts = {unicodedata.name(letter, "").split()[0] for letter in set("".join(texts)) if letter.isalpha()}
    assert scripts >= {
        "LATIN",
        "CYRILLIC",
        "GREEK",
        "CJK",
        "HIRAGANA",
        "HANGUL",
        "ARABIC",
        "HEBREW",
        "DEVANAGARI",
        "THAI",
    }


def test_each_trap_names_a_film_and_what_it_is(world):
    assert {trap.slug for trap in TRAPS} <= {film.slug for film in world.films}
    assert all(trap.what for trap in TRAPS)


def test_weights_are_those_of_the_real_pages(world):
    pages = Pages(world)
    for film in world.films:
        assert 110_000 <= len(pages.movie(film).encode()) <= 165_000, film.slug
        if not film.bare_details and film.cast:
            assert 95_000 <= len(pages.details(film).encode()) <= 130_000, film.slug
        if len(film.user_reviews) >= 100:
            assert len(pages.user_reviews(film).encode()) >= 300_000, film.slug
