"""The design of 2010 to November 2016: two columns, and lists of reviews as `ol.reviews`."""

from collections.abc import Mapping

from metacrawl.demo.designs.design import find_film, page_number
from metacrawl.demo.designs.rendering import environment
from metacrawl.demo.pages import PAGE_SIZE, cut_short, list_page, typed, verdict
from metacrawl.demo.world import Film, World, tally

SIZES = {str(size): size for size in (30, PAGE_SIZE)}
SHOWN = 7


class Design2010:
    """Film page and the two lists; user reviews 30 or 100 a page, counted from 0."""

    name = "2010"

    def __init__(self, world: World) -> None:
        self.world = world
        self.templates = environment(self.name)
        self.templates.filters |= {
            "review_tally": lambda posts: tally(post.score * 10 for post in posts),
            "cut_short": cut_short,
            "typed": lambda text: typed(text, 2017),
            "verdict": verdict,
            "film_path": lambda film: f"/movie/{film.slug.replace('%', '%25')}",
            "poster": lambda film: f"http://static.metacritic.com/images/products/movies/{film.picture}-98.jpg",
        }

    def answer(self, path: str, query: Mapping[str, str]) -> str | None:
        """Render the page at a path."""
        found = find_film(self.world, path)
        if not found:
            return None
        film, page = found
        if not page:
            shown = {"critics": film.critic_reviews[:SHOWN], "users": film.user_reviews[:SHOWN]}
            return self.render("movie", film=film, page="summary", **shown)
        if page == "/critic-reviews":
            scored = [piece for piece in film.critic_reviews if piece.score is not None]
            unscored = [piece for piece in film.critic_reviews if piece.score is None]
            return self.render("critic_reviews", film=film, page="critic_reviews", scored=scored, unscored=unscored)
        return self.user_reviews(film, query) if page == "/user-reviews" else None

    def user_reviews(self, film: Film, query: Mapping[str, str]) -> str | None:
        """Render a page of the list; ``None`` beyond its end and for an order or a size that there is not."""
        number, size = page_number(query, 0), SIZES.get(query.get("num_items", str(PAGE_SIZE)))
        if number is None or size is None:
            return None
        listing = list_page(film, number, query.get("sort-by", ""), size)
        if listing is None:
            return None
        asked = "".join(f"{name}={query[name]}&" for name in ("sort-by", "num_items") if name in query)
        return self.render("user_reviews", film=film, page="user_reviews", listing=listing, size=size, asked=asked)

    def missing(self) -> str:
        """Render the error page."""
        return self.render("error", film=None, page="error")

    def render(self, template: str, **values: object) -> str:
        return self.templates.get_template(f"{template}.html.j2").render(others=self.world.films[:5], **values)
