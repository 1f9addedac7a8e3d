"""The back end's whole pages: the components that a page of the site is made of, and what the page is."""

from collections.abc import Mapping

from metacrawl.demo.backend.finder import LIMIT, find
from metacrawl.demo.backend.links import address, component_meta, named
from metacrawl.demo.backend.parts import NO_IMAGE, Json, image, product
from metacrawl.demo.backend.reviews import Kind, PageSizes, RefusedError, review_list, stats, summary
from metacrawl.demo.world import Film, World

TABS = {"New Releases": "-releaseDate", "Top Critics' Picks": "-metaScore", "Most Popular": "-popularityCount"}
NEWS = ("Ten Films for a Rainy Week", "Every Ferry in Film, Ranked", "What to Watch When the Fog Comes In")


def product_answer(film: Film, query: Mapping[str, str]) -> Json:
    """Answer with the film's description."""
    return {
        "data": {"item": product(film)},
        "links": {"self": {"href": address(f"/movies/metacritic/{film.slug}/web", query)}},
        "meta": component_meta(query),
    }


def film_page(world: World, film: Film) -> Json:
    """Answer with all that the film's page is made of."""
    components = [
        product_answer(film, named("product", "Product", "Product")),
        news(film),
        related_films(world, film),
        offers(film),
        stats(film, "critic", named("critic-score-summary", "Critic Score Summary", "MetaScoreSummary")),
        summary(film, "critic", named("critic-reviews", "Critic Reviews", "ProductReviewsSummary")),
        stats(film, "user", named("user-score-summary", "User Score Summary", "MetaScoreSummary")),
        summary(film, "user", named("user-reviews", "User Reviews", "ProductReviewsSummary")),
    ]
    return {"components": components, "meta": page_meta(film, f"{film.title} Reviews", "product")}


def reviews_page(
    film: Film, kind: Kind, query: Mapping[str, str], *, sizes: PageSizes | None = None, listed: bool = True
) -> Json:
    """Answer with all that a page of reviews is made of, with the list or without it."""
    page = f"{kind}-reviews"
    components = [
        product_answer(film, named("product", "Product", "Product")),
        stats(film, kind, named(f"{kind}-score-summary", f"{kind.title()} Score Summary", "MetaScoreSummary")),
        *([list_component(film, kind, query, sizes or PageSizes())] if listed else []),
    ]
    return {"components": components, "meta": page_meta(film, f"{film.title} {kind} reviews", page)}


def list_component(film: Film, kind: Kind, query: Mapping[str, str], sizes: PageSizes) -> Json:
    """Give the list of reviews, or the error that stands in its place where the query does not name a selection."""
    name = named(f"{kind}-reviews", f"{kind} Reviews", "ReviewList")
    chosen = {"filterBySentiment": query.get("filter", ""), "sort": query.get("sort", "")}
    limit = sizes.most_critics if kind == "critic" else sizes.most_users
    try:
        return review_list(film, kind, {"offset": "0", "limit": str(limit), **chosen, **name}, sizes)
    except RefusedError as error:
        return {"errors": [{"code": error.status, "reason": error.reason}], "meta": component_meta(name)}


def related_films(world: World, film: Film) -> Json:
    """Give the best films of the first genre, this one perhaps among them."""
    name = named("related-carousel", "Related Carousel", "ProductList")
    query = {"mcoTypeId": "2", "genres": film.genres[0], "offset": "0", "limit": str(LIMIT), **name}
    found = find(world, {"sortBy": "-metaScore", **query}, tries=0)
    found["links"]["tabs"] = [
        {"label": label, "href": address("/finder/metacritic/web", {"sortBy": order, **query})}
        for label, order in TABS.items()
    ]
    return found


def news(film: Film) -> Json:
    """Give articles that have nothing to do with the film."""
    name = named("related-news", "Related News", "ContentList")
    href = {"href": address(f"/movies/metacritic/{film.slug}/news/web", name)}
    items = [
        {
            "id": f"{number:08x}-e696-4bb1-8c11-ad8f4efc6deb",
            "type": "content_gallery",
            "title": title,
            "slug": title.lower().replace(" ", "-"),
            "date": "2026-04-22 18:30:00",
            "url": None,
            "isVideo": None,
            "description": "What the demo site's own writers think of other films.",
            "author": {"id": "a1", "byline": None, "firstName": "Alda", "lastName": "Brackwell", "username": "aldab"},
            "image": NO_IMAGE | {"filename": "news.jpg", "width": 864, "height": 486},
            "tags": [{"id": "6ce988a6", "name": "Movie", "slug": "movie"}],
        }
        for number, title in enumerate(NEWS)
    ]
    links = {"self": href, "prev": {"href": None}, "next": href, "first": href, "last": href}
    return {"data": {"id": film.slug, "items": items}, "links": links, "meta": component_meta(name)}


def offers(film: Film) -> Json:
    """Tell where the film can be seen."""
    name = named("where-to-watch", "Where to Watch", "WhereToWatch")
    offer = {
        "providerId": 10,
        "providerIcon": "https://offers.example/icons/10.png",
        "providerName": "Lantern Video",
        "link": f"https://offers.example/{film.product_id}",
        "options": [
            {
                "qualityType": "4K",
                "optionPrice": 3.99,
                "optionCurrency": "$",
                "optionCurrencyCode": "USD",
                "offerType": "DEFAULT",
            }
        ],
        "monetization": "rent",
    }
    item = {
        "hasOffers": True, "free": [], "rent": [offer], "buy": [], "flatrate": [], "ads": [],
        "meta": {"title": film.title, "fullPath": f"/us/movie/{film.slug}", "locale": "en_US", "objectType": "movie"},
    }  # fmt: skip
    href = address("/justwatch/metacritic/offersByIMDbId", {"id": film.imdb_id, "type": "movie", **name})
    return {"data": {"item": item}, "links": {"href": href}, "meta": component_meta(name)}


def page_meta(film: Film, title: str, page_type: str) -> Json:
    """Say what a page is."""
    return {
        "edition": "us",
        "title": title,
        "id": str(film.product_id),
        "slug": film.slug,
        "category": None,
        "description": film.summary if page_type == "product" else None,
        "pageType": page_type,
        "section": None,
        "image": image(film, "poster art") if page_type == "product" else None,
        "typeName": "movie",
        "genres": film.genres,
        "themes": film.slug.replace("%", "").split("-"),
        "publishers": [row.name for row in film.companies],
        "score": None if film.metascore is None else str(film.metascore),
    }
