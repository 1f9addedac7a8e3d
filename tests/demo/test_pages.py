import pytest
from parsel import Selector

from metacrawl.demo.content import build_world
from metacrawl.demo.pages import MONTHS, Pages, cut_short, list_page, typed

# Together they have what a real page may have: both markups of texts, spoilers, bars of nothing.
FILMS = ("the-salt-orchard", "harbour-of-strangers", "winter-ferry")
# The parts of a page that carry data (or are mistaken for such), as a real page and a demo page have them.
DATA_BLOCKS = {
    "her.html": (
        ("movie",),
        (".phead_summary", ".video_and_autoplay", ".pfull_summary", ".product_current_releases", "#nav_to_metascore"),
    ),
    "moonlight.html": (
        ("movie",),
        (".phead_summary", ".pfull_summary", "#nav_to_metascore"),
    ),
    "zero-dark-thirty-details.html": (
        ("details",),
        (".simple_summary", ".pfull_summary", "table.details", ".credits_list", ".product_side"),
    ),
    "the-last-jedi-user-reviews-page-0.html": (
        ("user_reviews", 0),
        (".product_page_title", ".simple_summary", ".review_it_wrapper", ".reviews.list", ".product_side", ".page_nav"),
    ),
    "the-last-jedi-user-reviews-page-40.html": (("user_reviews", 1), (".reviews.list", ".page_nav")),
}
SCORE_WORDS = {"positive", "mixed", "negative", "tbd", "perfect"}
# shops, networks and the gap in a list of more than nine pages
NOT_IN_THE_DEMO = ("esite_", "sharing-", "fa-", "progress", "page_gap")


@pytest.mark.parametrize("name", DATA_BLOCKS)
def test_data_blocks_have_the_elements_of_the_real_pages(name, page, shared_pages):
    arguments, blocks = DATA_BLOCKS[name]
    real = Selector(text=(shared_pages / "2016" / name).read_text(encoding="utf-8-sig"))
    demo = [page(slug, *arguments) for slug in FILMS]
    if name == "moonlight.html":
        demo.append(page("a-quiet-ledger", *arguments))
    for block in blocks:
        missing = chains(real, block).difference(*(chains(document, block) for document in demo))
        assert not missing, block


def chains(document, block):
    """Collect what elements of a block are, with the element around them; classes without the score's word."""
    found = set()
    for element in document.css(f"#main_content {block}")[0].root.iterdescendants():
        pair = [kind(element.getparent()), kind(element)]
        if not any(word in part for part in pair for word in NOT_IN_THE_DEMO):
            found.add(tuple(pair))
    return found


def kind(element):
    return " ".join([str(element.tag), *sorted(set((element.get("class") or "").split()) - SCORE_WORDS)])


@pytest.mark.parametrize(
    ("slug", "sizes"),
    [
        ("the-salt-orchard", [100, 100, 100, 41]),
        ("winter-ferry", [100, 100]),
        ("paper-tides", [100]),
        ("harbour-of-strangers", [100, 1]),
        ("glass-meridian", [100, 100, 31]),
        ("unfinished-weather", [0]),
    ],
)
def test_list_is_cut_into_pages_of_a_hundred(world, page, slug, sizes):
    film = world.film(slug)
    for number, size in enumerate(sizes):
        shown = page(slug, "user_reviews", number)
        assert len(shown.css(".user_reviews > .review:not(.ad_unit)")) == size
        last_page = shown.css(".page_nav li.last_page > .page_num")
        assert last_page.css("::text").getall() == ([str(len(sizes))] if len(sizes) > 1 else [])
        next_page = shown.css(".page_nav .flipper.next > a.action[rel=next]::attr(href)").get()
        assert next_page == shown.css("head > link[rel=next]::attr(href)").get()
        expected = f"/movie/{slug}/user-reviews?page={number + 1}" if number + 1 < len(sizes) else None
        assert next_page == expected
        previous = shown.css(".page_nav .flipper.prev > a.action[rel=prev]::attr(href)").get()
        assert previous == (f"/movie/{slug}/user-reviews?page={number - 1}" if number else None)
    assert Pages(world).user_reviews(film, len(sizes)) is None


def test_asked_order_is_kept_in_the_paging_links(page):
    shown = page("winter-ferry", "user_reviews", 0, "date")
    link = "/movie/winter-ferry/user-reviews?sort-by=date&num_items=100&page=1"
    assert shown.css(".flipper.next a::attr(href)").get() == link
    assert shown.css(".link_tab.selected span::text").get() == "By date"


def test_lists_can_be_sorted(world):
    film = world.film("winter-ferry")
    dates = [post.date for page in (0, 1) for post in list_page(film, page, "date").posts]
    assert dates == sorted(dates, reverse=True)
    scores = [post.score for page in (0, 1) for post in list_page(film, page, "score").posts]
    assert scores == sorted(scores, reverse=True)
    assert list_page(film, 0, "most-helpful").posts == list_page(film, 0, "").posts == film.user_reviews[:100]
    assert list_page(film, 0, "name") is None


def test_pages_say_what_they_are(page):
    for kind_, path in {
        "movie": "",
        "details": "/details",
        "critic_reviews": "/critic-reviews",
        "user_reviews": "/user-reviews",
    }.items():
        shown = page("who-the-%-is-ada-marrow", kind_)
        url = "https://www.metacritic.com/movie/who-the-%25-is-ada-marrow"
        assert shown.css("link[rel=canonical]::attr(href)").get() == url + path
        assert shown.css("meta[property='og:url']::attr(content)").get() == url
        assert shown.css("meta[property='og:title']::attr(content)").get() == "Who the % Is Ada Marrow?"


def test_page_types_and_ends(world):
    pages, film = Pages(world), world.film("nightjar")
    types = {
        "product_overview": pages.movie(film),
        "product_detail": pages.details(film),
        "critic_reviews": pages.critic_reviews(film),
        "user_reviews": pages.user_reviews(film),
    }
    for name, text in types.items():
        assert f'pageType:"{name}"' in text
        assert text.rstrip().endswith("</body>\n</html>")
        assert f"mc-movie-{film.site_id}" in text


def test_change_of_the_world_shows_on_the_next_page():
    world = build_world()
    film, pages = world.film("kettle-song"), Pages(world)
    film.metascore, film.user_reviews[0].score = 12, 3
    shown = Selector(text=pages.movie(film))
    assert shown.css(".ms_wrapper .metascore_w.negative::text").get() == "12"
    assert shown.css(".user_reviews .metascore_w::text").get() == "3"


def test_dates_are_padded_as_on_the_site(page, world):
    film = world.film("the-salt-orchard")
    film_dates = page(film.slug, "critic_reviews").css(".critic_reviews .date::text").getall()
    early = next(piece.date for piece in film.critic_reviews if piece.date.day < 10)
    assert f"{MONTHS[early.month - 1][:3]}  {early.day}, {early.year}" in film_dates


def test_text_is_cut_before_a_blank():
    assert cut_short("one two three", 9) == "one two"
    assert cut_short("one two", 7) == "one two"


def test_texts_are_written_in_the_manner_of_the_year():
    assert typed('a\n\nb "\u2019" <', 2017) == "a\n<br/>\n<br/>b &quot;&#8217;&quot; &lt;"
    assert typed("a\n\nb \u2019 <", 2019) == "a<br/><br/>b \u2019 &lt;"
