"""Renders the demo site's pages in the structure that Metacritic's film pages had from 2016 to 2023."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from metacrawl.demo.world import Film, UserPost, World, score_word

PAGE_SIZE = 100
SORT_KEYS: dict[str, Callable[[UserPost], tuple[object, ...]]] = {
    "most-helpful": lambda _: (),
    "date": lambda post: (-post.date.toordinal(), -int(post.review_id)),
    "score": lambda post: (-post.score, -int(post.review_id)),
}
# `strftime` would follow the machine's language
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MENU = {
    "movies": ("In Halls", "Next Week", "On Disc", "Old Favourites", "By Score", "By Genre", "By Letter", "By Paper"),
    "games": ("New Boards", "Card Tables", "Puzzles", "Solitaires", "Dice", "Chess", "Riddles", "Tournaments"),
}
# letters that the texts of 2017 write as references
REFERENCES = str.maketrans(
    {
        "é": "&eacute;",
        "ï": "&iuml;",
        "ñ": "&ntilde;",
        "\u2019": "&#8217;",
        "\u201c": "&ldquo;",
        "\u201d": "&#x201D;",
        "\u2026": "&hellip;",
    }
)


@dataclass(frozen=True)
class Listing:
    """One page of a film's user reviews; `sort` is empty unless it was asked for."""

    posts: list[UserPost]
    page: int
    pages: int
    sort: str


class Pages:
    """Renders the pages of a world as it is at the moment of asking."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.templates = Environment(
            loader=PackageLoader("metacrawl.demo", "templates/2016"), autoescape=True, undefined=StrictUndefined
        )
        self.templates.globals |= {"site": "https://www.metacritic.com", "menu": MENU}
        self.templates.filters |= {
            "movie_path": lambda slug: f"/movie/{quote(slug)}",
            "poster": lambda film: f"https://static.metacritic.com/images/products/movies/{film.picture}-98.jpg",
            "score_class": lambda score: "tbd" if score is None else score_word(score),
            "user_score_class": lambda score: "tbd" if score is None else score_word(score * 10),
            "verdict": verdict,
            "user_verdict": lambda score: verdict(None if score is None else score * 10),
            "review_date": lambda day: f"{MONTHS[day.month - 1][:3]} {day.day:2}, {day.year}",
            "long_date": long_date,
            "cut_short": cut_short,
            "typed": typed,
        }

    def index(self) -> str:
        return self.templates.get_template("index.html.j2").render(films=self.world.films)

    def error(self) -> str:
        return self._render("error", None, "", "error")

    def movie(self, film: Film) -> str:
        return self._render("movie", film, "", "product_overview")

    def details(self, film: Film) -> str:
        return self._render("details", film, "/details", "product_detail")

    def critic_reviews(self, film: Film) -> str:
        return self._render("critic_reviews", film, "/critic-reviews", "critic_reviews")

    def user_reviews(self, film: Film, page: int = 0, sort: str = "") -> str | None:
        """Render a page of the list, counted from 0; ``None`` beyond its end and for an unknown order."""
        listing = list_page(film, page, sort)
        if listing is None:
            return None
        return self._render("user_reviews", film, "/user-reviews", "user_reviews", listing=listing)

    def _render(self, template: str, film: Film | None, sub_page: str, page_type: str, **more: Listing) -> str:
        films = self.world.films
        start = films.index(film) + 1 if film else 0
        return self.templates.get_template(f"{template}.html.j2").render(
            film=film,
            sub_page=sub_page,
            page_type=page_type,
            # other films, whose scores stand all over the page
            showcase=list(islice(cycle(films), start, start + 8)),
            **more,
        )


def list_page(film: Film, page: int, sort: str, size: int = PAGE_SIZE) -> Listing | None:
    """Cut a page out of the list of user reviews, counted from 0."""
    if sort and sort not in SORT_KEYS:
        return None
    posts = sorted(film.user_reviews, key=SORT_KEYS[sort or "most-helpful"])
    # one new review at the top of a moving list pushes the last one of a page to the next page
    shift = 1 if film.moving_list else 0
    pages = max(1, -(-(len(posts) + (shift if len(posts) > size else 0)) // size))
    if not 0 <= page < pages:
        return None
    start = page * size - (shift if page else 0)
    end = (page + 1) * size - (shift if page else 0)
    return Listing(posts=posts[start:end], page=page, pages=pages, sort=sort)


def verdict(score: float | None) -> str:
    """Put a score of 0 to 100 into words."""
    if score is None:
        return "No score yet"
    words = {81: "Widely admired", 61: "Mostly liked", 40: "Opinions differ", 20: "Mostly disliked"}
    return next((text for least, text in words.items() if score >= least), "Widely disliked")


def long_date(day: dt.date) -> str:
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def cut_short(text: str, length: int) -> str:
    """Cut a text before a blank; a text that is short enough comes back whole."""
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0]


def typed(text: str, markup: int) -> Markup:
    """Write a review's text as HTML, in the manner of the year."""
    lines = (str(escape(line)) for line in text.split("\n"))
    if markup == 2017:
        return Markup("\n<br/>".join(lines).translate(REFERENCES).replace("&#34;", "&quot;"))  # noqa: S704 - escaped
    return Markup("<br/>".join(lines))  # noqa: S704 - escaped
