"""The records that a correct crawl of the demo site ends with.

It follows from the world alone, never from a page, so that a page and its reader cannot be wrong together.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import astuple
from urllib.parse import quote

from metacrawl.demo.world import CriticPiece, Film, UserPost, World
from metacrawl.items import Credit, CriticReview, Movie, Record, UserReview

SITE = "https://www.metacritic.com"
LAYOUT = "2016"


def expected_records(world: World) -> list[Record]:
    """List each film with its critic and user reviews, in the site's order, each record once.

    `source_url` and `captured_at` are left empty: they tell of a crawl, not of the site.
    """
    return [record for film in world.films for record in film_records(film)]


def film_records(film: Film) -> Iterator[Record]:
    yield movie(film)
    keys = set()
    for piece in film.critic_reviews:
        review = critic_review(film, piece)
        if review.key in keys:
            review.key += f"/{hashlib.sha256((piece.link or piece.excerpt).encode()).hexdigest()[:8]}"
        keys.add(review.key)
        yield review
    for post in film.user_reviews:
        yield user_review(film, post)


def movie(film: Film) -> Movie:
    """Merge what the movie page and the details page say; the details page has the credits' roles."""
    url = f"{SITE}/movie/{quote(film.slug)}"
    record = Movie(
        key=film.slug,
        layout=LAYOUT,
        slug=film.slug,
        title=film.title,
        url=url,
        site_id=film.site_id,
        release_year=film.year,
        release_date=film.release_date,
        home_release_date=film.home_release_date,
        metascore=film.metascore,
        user_score=film.user_score,
        user_review_count=len(film.user_reviews) or None,
        must_see=film.must_see or None,
        content_rating=film.content_rating,
        runtime_minutes=film.runtime,
        summary=film.summary,
        genres=film.genres,
        countries=film.countries,
        languages=film.languages,
        distributors=[company.name for company in film.distributors],
        production_companies=[film.production_company] if film.production_company else [],
        directors=film.directors,
        writers=film.writers,
        cast=once_each([*film.principal_cast, *film.cast]),
        rankings=film.rankings,
        official_site=film.official_site,
        image_url=f"https://static.metacritic.com/images/products/movies/{film.picture}-98.jpg",
        trailer_url=f"{url}/trailers/{film.trailer_id}" if film.trailer_id else None,
    )
    if film.critic_reviews:
        critics = film.critic_tally
        record.critic_review_count = critics.total
        record.critic_positive, record.critic_mixed, record.critic_negative = astuple(critics)
    if film.user_score is not None:
        record.user_rating_count = film.ratings.total
        record.user_positive, record.user_mixed, record.user_negative = astuple(film.ratings)
    return record


def critic_review(film: Film, piece: CriticPiece) -> CriticReview:
    review = CriticReview(
        layout=LAYOUT,
        movie_slug=film.slug,
        publication=piece.publication,
        publication_slug=piece.publication_slug,
        critic=piece.critic,
        critic_slug=piece.critic_slug,
        score=piece.score,
        date=piece.date,
        excerpt=plain_text(piece.excerpt),
        full_review_url=piece.link,
    )
    publication = piece.publication_slug or slug_of(piece.publication)
    review.key = f"{film.slug}/{publication}/{piece.critic_slug or slug_of(piece.critic or '')}"
    return review


def user_review(film: Film, post: UserPost) -> UserReview:
    review = UserReview(
        layout=LAYOUT,
        movie_slug=film.slug,
        review_id=post.review_id,
        author=plain_text(post.author),
        score=post.score,
        date=post.date,
        text=plain_text(post.text),
        spoiler=post.spoiler,
        helpful_votes=post.helpful_votes,
        total_votes=post.total_votes,
    )
    review.key = f"{film.slug}/{review.author}" if post.account else f"{film.slug}/{review.author}/{post.review_id}"
    return review


def slug_of(name: str) -> str:
    """Make a slug as the record contract says, here once more: the truth shares no code with what it tests."""
    return "-".join(re.findall(r"[^\W_]+", name.lower())) or "-"


def once_each(credits_: list[Credit]) -> list[Credit]:
    """Drop repeated lines."""
    return [credit for number, credit in enumerate(credits_) if credit not in credits_[:number]]


def plain_text(typed: str) -> str | None:
    r"""Tidy white space as the record contract says; ``None`` where nothing is left.

    >>> plain_text("  Two  blanks\tand\n\n two breaks.\n ")
    'Two blanks and\n\ntwo breaks.'
    """
    return "\n".join(re.sub(r"\s+", " ", line).strip() for line in typed.split("\n")).strip() or None
