"""What the templates of the designs since 2023 and of 2010 share."""

import datetime as dt
import json

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from metacrawl.demo.backend.parts import movie_path, sentiment
from metacrawl.demo.designs.devalue import ESCAPES
from metacrawl.demo.pages import MONTHS
from metacrawl.demo.world import Film, score_word
from metacrawl.items import Credit

SITE = "https://www.metacritic.com"
SPOILER = "[SPOILER ALERT: This review contains spoilers.]"
COLOURS = {"positive": "green", "mixed": "yellow", "negative": "red"}


def environment(folder: str) -> Environment:
    """Load a design's templates."""
    made = Environment(
        loader=PackageLoader("metacrawl.demo", f"templates/{folder}"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"site": SITE, "spoiler": SPOILER, "json_ld": json_ld}
    made.filters |= {
        "path": movie_path,
        "short_date": short_date,
        "iso_date": lambda text: short_date(dt.date.fromisoformat(text)),
        "padded_date": padded_date,
        "sentiment": sentiment,
        "word": score_word,
        "colour": lambda score: COLOURS[score_word(score)],
        "percent": lambda part, whole: round(100 * part / whole) if whole else 0,
        "hours": lambda minutes: f"{minutes // 60} h {minutes % 60} m" if minutes >= 60 else f"{minutes} m",
        "number": lambda score: f"{score:g}",
        "one_line": lambda text: text.replace("\r", "").replace("\n", " "),
        "unique": lambda values: list(dict.fromkeys(values)),
    }
    return made


def json_ld(film: Film) -> Markup:
    """Describe a film for search engines, as the designs since 2023 do: with lists of people and real numbers."""
    url = f"{SITE}{movie_path(film)}"
    described: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "Movie",
        "name": film.title,
        "description": film.summary,
        "image": f"{SITE}/a/img/resize/demo/catalog/provider/2/13/2-{film.picture[2:]}.jpg?width=1200",
        "datePublished": film.release_date.isoformat() if film.release_date else None,
        "contentRating": film.content_rating,
        "url": url,
        "genre": film.genres,
        "director": people(film.directors),
        "actor": people([*film.principal_cast, *film.cast][:20]),
    }
    if film.metascore is not None:
        described["aggregateRating"] = {
            "@type": "AggregateRating",
            "name": "Metascore",
            "bestRating": 100,
            "worstRating": 0,
            "ratingValue": film.metascore,
            # all of them, also those without a score
            "reviewCount": len(film.critic_reviews),
            "url": f"{url}critic-reviews/",
        }
    return Markup(json.dumps(described, ensure_ascii=False).translate(ESCAPES))  # noqa: S704 - escaped


def people(credits_: list[Credit]) -> list[dict[str, str | None]]:
    return [{"@type": "Person", "name": one.name, "url": f"{SITE}/person/{one.slug}/"} for one in credits_]


def short_date(day: dt.date) -> str:
    return f"{MONTHS[day.month - 1][:3]} {day.day}, {day.year}"


def padded_date(day: dt.date) -> str:
    return f"{MONTHS[day.month - 1][:3]} {day.day:2}, {day.year}"
