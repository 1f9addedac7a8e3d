"""What the JSON back end says of a film and of its reviews: the parts that its answers are made of."""

import zlib
from typing import Any

from metacrawl.demo.world import Company, CriticPiece, Film, Tally, UserPost
from metacrawl.items import Credit

Json = dict[str, Any]

CREW = {"Directed By": 1, "Written By": 2, "Produced By": 5}
PROFESSIONS = {"Directed By": "Director", "Written By": "Writer", "Produced By": "Producer"}
# A cast line that gives the group's name gives no part.
NO_PART = frozenset({None, "Cast", "Principal Cast", "Director"})
CAST_SHOWN = 20
NO_IMAGE: Json = dict.fromkeys(
    ("id", "filename", "dateCreated", "alt", "credits", "path", "cropGravity", "crop", "caption", "typeName",
     "imageUrl", "width", "height", "sType", "bucketType", "bucketPath", "mediaType", "provider"),
) | {"dateCreated": {"date": None, "timezone": None}}  # fmt: skip


def number_of(text: str, start: int) -> int:
    """Give a thing the same number on each page, whatever the process."""
    return start + zlib.crc32(text.encode()) % 1_000_000


def product(film: Film) -> Json:
    """Describe a film in full."""
    badge = {"mustSee": True} if film.must_see else {}
    day = film.release_date.isoformat() if film.release_date else None
    return {
        "id": film.product_id,
        "type": "movie",
        "typeId": 2,
        "title": film.title,
        "description": film.summary,
        "slug": film.slug,
        **badge,
        "premiereYear": film.premiere_year or film.year,
        "releaseDate": day,
        "releaseDateText": "Unknown" if film.premiere_year else day,
        "images": [image(film, "mainImage"), image(film, "cardImage")],
        "image": image(film, "poster art"),
        "showTimesLink": None,
        "production": production(film),
        "criticScoreSummary": {
            **score_summary(film, "critic", short=True),
            "normalizedScore": None if film.metascore is None else round(film.metascore + 0.3691, 4),
        },
        "tags": film.slug.replace("%", "").split("-"),
        "genres": [{"id": number_of(genre, 2_300_000_000), "name": genre} for genre in film.genres],
        "rating": film.content_rating,
        "duration": film.runtime,
        "awards": [
            {"awardEvent": award.event, "wins": award.wins, "nominations": award.nominations} for award in film.awards
        ],
        "inTheaters": False,
        "tagline": film.tagline,
        "networks": [{"id": None, "name": None, "type": None, "url": None}],
        "imdbLink": None,
        "imdbId": film.imdb_id,
        "video": video(film) if film.trailer_id else None,
    }


def image(film: Film, use: str) -> Json:
    """Describe one of the film's two pictures."""
    folder, width, height = ("2", 387, 580) if use == "cardImage" else ("13", 1280, 720)
    name = f"2-{film.picture[2:]}"
    return NO_IMAGE | {
        "id": name,
        "filename": f"{name}.jpg",
        "typeName": use,
        "width": width,
        "height": height,
        "bucketType": "catalog",
        "bucketPath": f"/provider/2/{folder}/{name}.jpg",
        "provider": "2",
    }


def video(film: Film) -> Json:
    """Describe the trailer, whose title and dates are its own."""
    player, day = f"demo{film.trailer_id}", "2024-07-16T23:17:14.000+00:00"
    slug = f"{film.slug.replace('%', '')}-trailer"
    return {
        "videoId": film.trailer_id,
        "title": slug,
        "slug": slug,
        "type": "Trailer",
        "contentType": "Trailer",
        "videoTitle": f"{film.title} (Trailer)",
        "duration": 101,
        "originalAirDate": day,
        "displayDatePublished": {"date": day, "timezone": None},
        "jwPlayerId": player,
        "manifestUrl": f"https://cdn.player.example/manifests/{player}.m3u8",
        "embedUrl": f"https://cdn.player.example/players/{player}.html",
        **dict.fromkeys(("providerId", "url", "description", "seasonNumber", "episodeNumber")),
        "images": [NO_IMAGE | {"imageUrl": f"https://cdn.player.example/thumbs/{player}-640.jpg"}],
        "contentTypeId": -1,
    }


def production(film: Film) -> Json:
    crew = [
        *(person(credit, "Directed By") for credit in film.directors),
        *(person(credit, "Written By") for credit in film.writers),
        *(person(credit, "Produced By") for credit in film.producers),
    ]
    return {
        "companies": [company(row) for row in film.companies],
        "officialSite": film.official_site,
        "filmingLocations": film.locations,
        "cast": [person(credit, "Cast") for credit in [*film.principal_cast, *film.cast][:CAST_SHOWN]],
        "crew": crew,
    }


def company(row: Company) -> Json:
    made = row.kind == "production"
    return {
        "id": number_of(row.name, 4_020_000_000),
        "typeId": 3 if made else 4,
        "typeName": "Production Company" if made else "Distribution Company",
        "name": row.name,
        "url": f"/company/{row.slug}/" if row.slug else None,
    }


def person(credit: Credit, group: str) -> Json:
    """Describe a line of the cast or the crew; roles are written small for the crew, as printed for the cast."""
    ident = number_of(credit.name, 3_000_000_000)
    roles = [] if credit.role in NO_PART else [credit.role if group == "Cast" else str(credit.role).lower()]
    profession = PROFESSIONS.get(group)
    group_id = CREW.get(group, 3)
    return {
        "id": ident,
        "name": credit.name,
        "roles": roles,
        "roleTypeGroupId": group_id,
        "roleTypeGroupName": group,
        "entertainmentProduct": {
            "id": ident,
            "name": credit.name,
            "slug": credit.slug,
            "typeId": group_id,
            "url": f"/person/{credit.slug}/" if credit.slug else None,
            "profession": [profession],
        },
        "image": NO_IMAGE,
    }


def score_summary(film: Film, kind: str, *, short: bool = False) -> Json:
    """Sum up the scores of critics, or the ratings of users; the short form is that of products and rows."""
    critics = kind == "critic"
    score = film.metascore if critics else film.user_score
    scores = film.critic_tally if critics else film.ratings
    item: Json = {"max": 100, "score": score} if critics else {"max": 10, "score": score}
    item |= counts(scores) | {"sentiment": None if score is None else sentiment(score if critics else score * 10)}
    if score is None and film.no_score == "zero":
        item["score"] = 0
    if score is None and film.no_score == "nothing":
        item |= dict.fromkeys(("reviewCount", "positiveCount", "neutralCount", "negativeCount"))
    url = {"url": f"{movie_path(film)}{kind}-reviews/"}
    return url | item if short else {"id": None if critics else str(film.product_id)} | item | url


def counts(scores: Tally) -> Json:
    return {
        "reviewCount": scores.total,
        "positiveCount": scores.positive,
        "neutralCount": scores.mixed,
        "negativeCount": scores.negative,
    }


def sentiment(score: float) -> str:
    """Put a score of 0 to 100 into words."""
    words = {81: "Universal acclaim", 61: "Generally favorable", 40: "Mixed or average", 20: "Generally unfavorable"}
    return next((text for least, text in words.items() if score >= least), "Overwhelming dislike")


def movie_path(film: Film) -> str:
    return f"/movie/{film.slug.replace('%', '%25')}/"


def critic_item(film: Film, piece: CriticPiece) -> Json:
    """Describe a critic's review; for print, the address is ``None`` or empty, as the film's number is."""
    path = movie_path(film)
    return {
        "quote": piece.excerpt,
        "score": piece.score,
        "url": piece.link or (None if film.site_id % 2 else ""),
        "date": piece.date.isoformat() if piece.date else None,
        "author": piece.critic or "",
        "authorSlug": piece.critic_slug,
        "image": None,
        "publicationName": piece.publication,
        "publicationSlug": piece.publication_slug,
        "reviewedProduct": {
            **reviewed(film),
            "criticScoreSummary": {"url": f"{path}critic-reviews/", "score": film.metascore},
        },
    }


def user_item(film: Film, post: UserPost) -> Json:
    """Describe a user's review; breaks are written in two ways, as the post's number is."""
    return {
        "id": post.uuid,
        "quote": post.text.replace("\n", "\r\n") if int(post.review_id) % 2 else post.text,
        "score": post.score,
        "thumbsUp": None,
        "thumbsDown": None,
        "date": post.date.isoformat(),
        "author": post.author,
        "version": int(post.saved_at.timestamp() * 1000),
        "spoiler": post.spoiler,
        "reviewedProduct": reviewed(film),
    }


def reviewed(film: Film) -> Json:
    return {"id": film.product_id, "type": "movies", "title": film.title, "url": movie_path(film)}


def row(film: Film) -> Json:
    """Describe a film in a list of films, where 0 stands for no score and the year is that of the release."""
    summary = score_summary(film, "critic", short=True)
    day = film.release_date
    picture = image(film, "cardImage") | {"id": None, "typeName": None, "provider": None}
    return {
        "id": film.product_id,
        "type": "movie",
        "typeId": 2,
        "title": film.title,
        "slug": film.slug,
        "premiereYear": film.year,
        "releaseDate": day.isoformat() if day else None,
        "rating": film.content_rating,
        "seoUrl": None,
        "image": picture,
        "criticScoreSummary": {**summary, "score": film.metascore or 0},
        "genres": [{"id": None, "name": genre} for genre in film.genres],
        "numberOfSeasons": 0,
        "network": None,
        "description": film.summary,
        "duration": film.runtime,
        "streamingDates": streaming_dates(film),
        "userScore": {"score": film.user_score or 0},
    }


def streaming_dates(film: Film) -> Json:
    """Tell since when and until when a film can be streamed; no date of the film's own."""
    kinds = [f"videoClosest{way}{end}" for end in ("Available", "Expiry") for way in ("Past", "Future")]
    dates = dict.fromkeys(f"{kind}Date" for kind in kinds) | dict.fromkeys((f"{kind}NetworkId" for kind in kinds), 0)
    since = {"videoClosestPastAvailableDate": f"{2018 + film.site_id % 7}-09-24T00:00:00Z"}
    return dates | since | {"networkStreamingDates": None}
