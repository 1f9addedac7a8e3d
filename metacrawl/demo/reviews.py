"""Invents the reviews of a film."""

import datetime as dt
from random import Random

from metacrawl.demo import names, prose
from metacrawl.demo.world import CriticPiece, UserPost

DAY = dt.timedelta(days=1)


def critic_pieces(count: int, released: dt.date, quality: int, people: list[str], rng: Random) -> list[CriticPiece]:
    """Invent critic reviews, the best first. Each publication has two critics of its own and writes once."""
    pieces = []
    for number in rng.sample(range(len(names.publications())), count):
        publication = names.publications()[number]
        critic = people[2 * number + rng.randrange(2)]
        day = released + DAY * rng.randint(-12, 30)
        slug = names.site_slug(publication)
        pieces.append(
            CriticPiece(
                publication=publication,
                publication_slug=slug,
                logo=publication.endswith("Film Weekly"),
                critic=critic,
                critic_slug=names.site_slug(critic),
                score=clamped(rng.gauss(quality, 13)),
                date=day,
                excerpt=excerpt(rng),
                link=f"http://www.{slug}.example/film/{day:%Y/%m}/{rng.randrange(10_000, 99_999)}.html?ref=film&page=1",
            )
        )
    return sorted(pieces, key=lambda piece: piece.score or 0, reverse=True)


def user_posts(count: int, released: dt.date, quality: int, first_id: int, rng: Random) -> list[UserPost]:
    """Invent user reviews of all lengths, the most helpful first."""
    posts = []
    for author, number in zip(names.user_names(rng), rng.sample(range(10_000), count), strict=False):
        total = int(rng.expovariate(0.15))
        posts.append(
            UserPost(
                review_id=str(first_id + number),
                author=author,
                score=round(clamped(rng.gauss(quality, 24)) / 10),
                date=released + DAY * int(rng.expovariate(0.008)),
                text=user_text(rng),
                spoiler=rng.random() < 0.12,
                helpful_votes=rng.randint(0, total),
                total_votes=total,
            )
        )
    return sorted(posts, key=lambda post: post.helpful_votes, reverse=True)


def user_text(rng: Random) -> str:
    if rng.random() < 0.08:
        return prose.foreign_text(rng)
    return prose.review_text(rng, int(clamped(rng.lognormvariate(4.05, 0.85), 5, 350)))


def excerpt(rng: Random) -> str:
    """Write what a critic is quoted with: one paragraph in the typography of a newspaper."""
    text = " ".join(prose.review_text(rng, rng.choice((10, 25, 40, 60))).split())
    return text.replace("'", "’").replace(" - ", " — ")  # noqa: RUF001


def clamped(value: float, low: int = 0, high: int = 100) -> int:
    return min(high, max(low, round(value)))
