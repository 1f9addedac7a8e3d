"""The state that a page of 2023 carries: the back end's components in the front end's own form of that time.

There a text that is missing is `""`, a number 0 and a list `[]`.
"""

from metacrawl.demo.backend.parts import Json
from metacrawl.demo.designs.devalue import UNDEFINED
from metacrawl.demo.designs.nuxt_script import Shared, nuxt_script

WORDS = (
    "About", "Add My Rating", "Advertisement", "All Details", "Awards", "Browse All {label}", "Cancel", "Cast & Crew",
    "Contains spoiler", "Critic Reviews", "Directed By", "Free", "Full Review", "Less/More", "Metascore", "Must-See",
    "No Results Found", "Password", "Read More", "Release Type", "Score: {score}", "User Reviews", "Website",
    "Written By",
)  # fmt: skip
META_NOTHING = (
    "brand", "contentType", "datePublished", "dateUpdated", "seoMetaDescription", "seoOgTitle", "site", "titleTag",
    "type", "tv", "game",
)  # fmt: skip


def page_script(kind: str, slug: str, path: str, page: Json) -> str:
    """Write the whole state of a page of a kind (`movies`, `movies-user-reviews`)."""
    content = Shared(
        {
            "pageType": kind,
            "id": slug,
            "queryParams": {},
            "meta": dict.fromkeys(META_NOTHING) | {"collections": [], "noIndex": False} | page["meta"],
            "components": [component(part) for part in page["components"]],
            "debug": None,
        }
    )
    root = {
        "layout": "default",
        "data": [{"content": content}],
        "fetch": {},
        "error": None,
        "state": site_state(path),
        "serverRendered": True,
        "routePath": path,
        "config": {"performanceMetricsSamplingRate": 10, "_app": {"basePath": "/", "assetsPath": "/"}},
        "__i18n": {"langs": {"en": {word.lower().replace(" ", "_"): word for word in WORDS}}},
    }
    return nuxt_script(content, root)


def site_state(path: str) -> Json:
    return {
        "brand": "metacritic",
        "edition": "us",
        "modals": {},
        "userReview": {"review": None, "istate": {}},
        "routeHistory": {"currentPath": path},
        "reviews": {"filter": None, "list": [], "component": None, "istate": {}},
        "finder": {"sort": "metascore", "type": ["movie"], "page": 1, "total": 0, "limit": 24, "items": None},
        "creditedEpisodes": {"parameters": UNDEFINED, "results": UNDEFINED},
        "services": {"features": {"debug": True, "abTest": True, "gdpr": False, "load": 0.25}},
    }


def component(part: Json) -> Json:
    """Put a component of the back end into the form of the front end: what is under `data` there stands beside."""
    data = part["data"]
    name = part["meta"]["componentName"]
    made = {"id": data.get("id") or "", "meta": part["meta"], "metadata": {}, "links": part["links"]}
    if name == "product":
        return made | {"item": product(data["item"])}
    if name == "related-carousel":
        return made | {"items": [product(row) for row in data["items"]]}
    if part["meta"]["componentType"] == "ProductReviewsSummary":
        buckets = {word: [review(item) for item in items] for word, items in data["item"].items()}
        return made | {"item": buckets, "totalResults": data["totalResults"]}
    if part["meta"]["componentType"] == "ReviewList":
        return made | {"items": [review(item) for item in data["items"]], "total": data["totalResults"]}
    return made | {key: data[key] for key in ("item", "items") if key in data}


def product(item: Json) -> Json:
    """Describe a film, with all that other products have too."""
    return {
        "awards": item.get("awards", []),
        "production": production(item["production"]) if "production" in item else None,
        "countries": [],
        **{key: item[key] for key in ("id", "type", "typeId", "title")},
        "subTitle": "",
        "slug": item["slug"],
        "url": "",
        "description": item["description"] or "",
        "duration": item["duration"],
        "premiereYear": item["premiereYear"],
        "releaseDate": item["releaseDate"] or "",
        "releaseDateText": item.get("releaseDateText") or "",
        "releaseUTC": "",
        "countdown": None,
        "criticScoreSummary": item["criticScoreSummary"],
        "networks": [],
        "rating": item["rating"] or "",
        "genres": item["genres"],
        "image": item["image"],
        "images": item.get("images", []),
        "isNew": False,
        "tags": item.get("tags", []),
        "languages": [],
        "video": item.get("video"),
        "releaseLabel": None,
        "showTimesLink": None,
        "mustPlay": False,
        "mustSee": item.get("mustSee", False),
        "mustWatch": False,
        "platforms": [],
        "seasonCount": 0,
        "episodeCount": 0,
        "gameTaxonomy": None,
        "inTheaters": item.get("inTheaters"),
        "tagline": item.get("tagline"),
        "imdbId": item.get("imdbId"),
        "offers": None,
        "userScore": item.get("userScore"),
    }


def production(made: Json) -> Json:
    """Describe who made a film."""
    return {
        "companies": [
            {**row, "url": row["url"] or "", "roles": None, "product": None, "image": None} for row in made["companies"]
        ],
        "filmingLocations": made["filmingLocations"],
        "cast": [person(row) for row in made["cast"]],
        "crew": [person(row) for row in made["crew"]],
        "officialSite": made["officialSite"] or "",
        "boxOffice": None,
    }


def person(row: Json) -> Json:
    slug = row["entertainmentProduct"]["slug"] or ""
    nothing = dict.fromkeys(("jobs", "type", "startYear", "endYear", "episodeCount", "product", "criticScoreSummary"))
    return {**row, **nothing, "active": False, "slug": slug, "image": None}


def review(item: Json) -> Json:
    """Describe a review, a critic's and a user's alike."""
    return {
        "id": item.get("id", ""),
        "reviewedProduct": item["reviewedProduct"],
        "reviewPath": "",
        "quote": item["quote"],
        "platform": "",
        "score": item["score"],
        "metaScore": 0,
        "url": item.get("url") or "",
        "date": item["date"] or "",
        "author": item["author"],
        "authorSlug": item.get("authorSlug") or "",
        "publicationName": item.get("publicationName", ""),
        "publicationSlug": item.get("publicationSlug") or "",
        "image": "",
        "season": 0,
        "episode": 0,
        "thumbsUp": 0,
        "thumbsDown": 0,
        "spoiler": item.get("spoiler", False),
        "version": item.get("version", 0),
    }
