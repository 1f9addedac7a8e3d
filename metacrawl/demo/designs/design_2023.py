"""The design of September 2023 to February 2026: cards, and the page's data in the script `window.__NUXT__`."""

from collections.abc import Mapping

from markupsafe import Markup

from metacrawl.demo.backend.composer import film_page, reviews_page
from metacrawl.demo.backend.parts import Json
from metacrawl.demo.backend.reviews import BUCKET, Kind, PageSizes
from metacrawl.demo.designs.browse import browse
from metacrawl.demo.designs.design import find_film
from metacrawl.demo.designs.rendering import environment
from metacrawl.demo.designs.state_2023 import page_script
from metacrawl.demo.world import Film, World

ORDER = {"filter": "all", "sort": "date"}
FIRST_SLICE = 50


class Design2023:
    """Film page, and review pages with the first reviews of a list; a script fetches the others."""

    name = "2023"

    def __init__(self, world: World) -> None:
        self.world = world
        self.templates = environment(self.name)

    def answer(self, path: str, query: Mapping[str, str]) -> str | None:
        """Render the page at a path."""
        listing = browse(self.world, path, query)
        if listing:
            return self.render("browse", listing=listing)
        found = find_film(self.world, path)
        if not found:
            return None
        film, page = found
        if not page:
            return self.movie(film)
        kinds: dict[str, Kind] = {"/critic-reviews": "critic", "/user-reviews": "user"}
        return self.reviews(film, kinds[page]) if page in kinds else None

    def missing(self) -> str:
        """Render the error page."""
        return self.render("error")

    def movie(self, film: Film) -> str:
        page = film_page(self.world, film)
        summaries = {part["meta"]["componentName"]: part["data"] for part in page["components"]}
        shown = {kind: summaries[f"{kind}-reviews"]["item"]["default"][:BUCKET] for kind in ("critic", "user")}
        return self.film_render("movie", film, "movies", page, shown=shown)

    def reviews(self, film: Film, kind: Kind) -> str:
        """Render a page of reviews with its first slice."""
        page = reviews_page(film, kind, ORDER, sizes=PageSizes(most_critics=FIRST_SLICE))
        listed = page["components"][-1]["data"]["items"]
        total = len(film.critic_reviews if kind == "critic" else film.user_reviews)
        kinds = f"movies-{kind}-reviews"
        return self.film_render("reviews", film, kinds, page, kind=kind, items=listed, total=total)

    def film_render(self, template: str, film: Film, page_kind: str, page: Json, **more: object) -> str:
        """Render a page of a film's, with its state."""
        sub_page = "" if page_kind == "movies" else page_kind.removeprefix("movies-") + "/"
        components = {part["meta"]["componentName"]: part["data"] for part in page["components"]}
        path = f"/movie/{film.slug.replace('%', '%25')}/{sub_page}"
        state = Markup(page_script(page_kind, film.slug, path, page))  # noqa: S704 - escaped
        return self.render(template, film=film, parts=components, page_path=path, state=state, **more)

    def render(self, template: str, **values: object) -> str:
        return self.templates.get_template(f"{template}.html.j2").render(**values)
