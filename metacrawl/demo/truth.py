"""The records that a correct crawl of the demo site ends with.

It follows from the world alone, never from a page, so that a page and its reader cannot be wrong together.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import astuple, replace
from urllib.parse import quote

from metacrawl.demo.world import Company, CompanyKind, CriticPiece, Film, Tally, UserPost, World
from metacrawl.items import Credit, CriticReview, Movie, Record, UserReview

SITE = "https://www.metacritic.com"
PICTURES = "static.metacritic.com/images/products/movies"
SINCE_2023 = frozenset({"2023", "2026", "api"})
# Their pages show the first reviews of a list and the back end has them all, so a record may be of either.
OF_TWO_SOURCES = frozenset({"2023", "2026"})
GROUPS = frozenset({"Cast", "Principal Cast", "Director"})
CAST_SINCE_2023 = 20


def expected_records(world: World, layout: str = "2016") -> list[Record]:
    """List each film with its critic and user reviews, in the site's order, each record once, as a layout gives them.

    Layouts are the four designs by their names, and `api`.

    `source_url` and `captured_at` are left empty: they tell of a crawl, not of the site. So is the `layout` of
    reviews where it does not follow from the design.
    """
    return [record for film in world.films for record in film_records(film, layout)]


def film_records(film: Film, layout: str = "2016") -> Iterator[Record]:
    """Give a film's records, its own first."""
    yield movie(film, layout)
    reviews_layout = "" if layout in OF_TWO_SOURCES else layout
    keys = set()
    for piece in film.critic_reviews:
        review = replace(critic_review(film, piece), layout=reviews_layout)
        if review.key in keys:
            review.key += f"/{hashlib.sha256((piece.link or piece.excerpt).encode()).hexdigest()[:8]}"
        keys.add(review.key)
        yield review
    for post in film.user_reviews:
        made = user_review_since_2023(film, post) if layout in SINCE_2023 else user_review(film, post)
        yield replace(made, layout=reviews_layout)


def movie(film: Film, layout: str = "2016") -> Movie:
    """Merge what all pages of the film say in a design."""
    if layout == "2010":
        return movie_of_2010(film)
    return movie_of_2016(film) if layout == "2016" else movie_since_2023(film, layout)


def common(film: Film) -> Movie:
    """Give what each design says of a film."""
    return Movie(
        key=film.slug,
        slug=film.slug,
        title=film.title,
        url=f"{SITE}/movie/{quote(film.slug)}",
        release_date=film.release_date,
        metascore=film.metascore,
        user_score=film.user_score,
        content_rating=film.content_rating,
        runtime_minutes=film.runtime,
        summary=film.summary,
        genres=film.genres,
    )


def movie_of_2010(film: Film) -> Movie:
    """Give the movie page with the bars of the page of user reviews; its own count reviews, not ratings."""
    record = replace(
        common(film),
        layout="2010",
        site_id=film.site_id,
        user_review_count=len(film.user_reviews) or None,
        distributors=names("distribution", film.distributors),
        directors=[replace(credit, role=None) for credit in film.directors],
        cast=once_each([replace(credit, role=None) for credit in film.principal_cast]),
        image_url=f"http://{PICTURES}/{film.picture}-98.jpg",
    )
    record.trailer_url = f"{record.url}/trailers" if film.trailer_id else None
    return with_shown_counts(record, film)


def movie_of_2016(film: Film) -> Movie:
    """Merge what the movie page and the details page say; the details page has the credits' roles."""
    record = replace(
        common(film),
        layout="2016",
        site_id=film.site_id,
        release_year=film.year,
        home_release_date=film.home_release_date,
        user_review_count=len(film.user_reviews) or None,
        must_see=film.must_see or None,
        countries=film.countries,
        languages=film.languages,
        distributors=names("distribution", film.distributors),
        production_companies=[film.production_company] if film.production_company else [],
        directors=film.directors,
        writers=film.writers,
        cast=once_each([*film.principal_cast, *film.cast]),
        rankings=film.rankings,
        official_site=film.official_site,
        image_url=f"https://{PICTURES}/{film.picture}-98.jpg",
    )
    record.trailer_url = f"{record.url}/trailers/{film.trailer_id}" if film.trailer_id else None
    return with_shown_counts(record, film)


def with_shown_counts(record: Movie, film: Film) -> Movie:
    """Add what the old designs count; they show no bars where there is nothing to count."""
    if film.critic_reviews:
        put_critic_counts(record, film.critic_tally)
    if film.user_score is not None:
        put_user_counts(record, film.ratings)
    return record


def movie_since_2023(film: Film, layout: str) -> Movie:
    """Give what the film's JSON says, where an explicit 0 is a count."""
    cast = [*film.principal_cast, *film.cast][:CAST_SINCE_2023]
    record = replace(
        common(film),
        layout=layout,
        site_id=2_000_000_000 + film.site_id,
        imdb_id=film.imdb_id,
        release_year=film.premiere_year or film.year,
        user_review_count=len(film.user_reviews),
        # the state of 2023 says for each film whether it has the badge
        must_see=film.must_see if layout == "2023" else film.must_see or None,
        tagline=film.tagline,
        distributors=names("distribution", [*film.distributors, *film.further_companies]),
        production_companies=names("production", film.companies),
        directors=[replace(credit, role=part(credit.role, small=True)) for credit in film.directors],
        writers=[replace(credit, role=part(credit.role, small=True)) for credit in film.writers],
        cast=once_each([replace(credit, role=part(credit.role)) for credit in cast]),
        awards=film.awards,
        official_site=film.official_site,
        image_url=f"{SITE}/a/img/catalog/provider/2/13/2-{film.picture[2:]}.jpg",
        trailer_url=f"https://cdn.player.example/players/demo{film.trailer_id}.html" if film.trailer_id else None,
    )
    if film.metascore is not None or film.no_score != "nothing":
        put_critic_counts(record, film.critic_tally)
    if film.user_score is not None or film.no_score != "nothing":
        put_user_counts(record, film.ratings)
    return record


def put_critic_counts(record: Movie, scores: Tally) -> None:
    record.critic_review_count = scores.total
    record.critic_positive, record.critic_mixed, record.critic_negative = astuple(scores)


def put_user_counts(record: Movie, scores: Tally) -> None:
    record.user_rating_count = scores.total
    record.user_positive, record.user_mixed, record.user_negative = astuple(scores)


def names(kind: CompanyKind, rows: list[Company]) -> list[str]:
    return list(dict.fromkeys(row.name for row in rows if row.kind == kind))


def part(role: str | None, *, small: bool = False) -> str | None:
    """Tell the role that the JSON has: none where only the group is known, and small letters for the crew."""
    if role is None or role in GROUPS:
        return None
    return role.lower() if small else role


def critic_review(film: Film, piece: CriticPiece) -> CriticReview:
    review = CriticReview(
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


def user_review_since_2023(film: Film, post: UserPost) -> UserReview:
    """Give a review with its new id; the name alone tells whether its author has an account."""
    review = replace(
        user_review(film, post),
        review_id=post.uuid,
        edited_at=post.saved_at.replace(microsecond=0),
        helpful_votes=None,
        total_votes=None,
    )
    account = re.fullmatch(r"[A-Za-z0-9_-]+", review.author or "") and review.author != "AnonymousMC"
    review.key = f"{film.slug}/{review.author}" + ("" if account else f"/{post.uuid}")
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
