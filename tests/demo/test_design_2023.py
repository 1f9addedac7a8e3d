"""The pages of 2023 to 2026: cards as on the real one, and a script that holds the state."""

import re

import pytest
from parsel import Selector

from metacrawl.demo.backend import Backend
from metacrawl.demo.designs import designs
from metacrawl.demo.designs.devalue import UNDEFINED
from metacrawl.demo.designs.nuxt_script import Shared, nuxt_script
from metacrawl.demo.designs.state_2023 import component

SPOILER = "[SPOILER ALERT: This review contains spoilers.]"
CARD = (
    "c-siteReview", "c-siteReview_main", "c-siteReviewHeader", "c-siteReviewHeader_reviewScore",
    "c-siteReviewHeader_publicationName", "c-siteReviewHeader_username", "c-siteReview_reviewDate",
    "c-siteReview_quote",
    "c-siteReview_extra", "c-siteReview_externalLink", "c-siteReviewScore", "c-reviewsSection_carousel_item",
    "c-reviewsSection_criticReviews", "c-reviewsSection_userReviews", "c-reviewsStats_positiveStats",
    "c-reviewsStats_neutralStats", "c-reviewsStats_negativeStats", "c-productHero_title", "c-productHero_scoreInfo",
    "c-productScoreInfo_reviewsTotal", "c-productScoreInfo_must", "c-productScoreInfo_scoreSentiment",
)  # fmt: skip


@pytest.fixture(scope="module")
def shown(world):
    design = designs(world)["2023"]

    def page(path, **query):
        return Selector(text=design.answer(path, query))

    return page


@pytest.fixture(scope="module")
def real(shared_pages):
    return Selector(text=(shared_pages / "2023" / "god-of-war.html").read_text(encoding="utf-8"))


def script(page):
    return page.xpath("//script[starts-with(., 'window.__NUXT__')]/text()").get()


def test_script_is_written_as_the_sites():
    content = Shared({"pageType": "movies", "meta": {"a-b": "</x/>", "none": None}, "items": [None, 7, 0.5, True]})
    root = {"data": [{"content": content}], "same": ["movies", 7, 9.0], "gone": UNDEFINED}
    assert nuxt_script(content, root) == (
        'window.__NUXT__=(function(a,b,c,d,e){a.pageType=c;a.meta={"a-b":"\\u003C\\u002Fx\\u002F\\u003E",none:d};'
        "a.items=[d,e,.5,true];b[0]=void 0;return {data:[{content:a}],same:[c,e,9],gone:void 0}}"
        '({},Array(1),"movies",null,7));'
    )


def test_names_of_arguments_are_no_words_of_the_language(shown):
    names = re.match(r"window\.__NUXT__=\(function\(([^)]*)\)", script(shown("/movie/the-salt-orchard/")))[1].split(",")
    assert len(set(names)) == len(names) > 60
    assert not {"do", "if", "in"} & set(names)


@pytest.mark.parametrize("sub_page", ["", "critic-reviews/", "user-reviews/"])
def test_script_stands_alone_in_its_tag(shown, world, sub_page):
    for film in world.films:
        text = script(shown(f"/movie/{film.slug}/{sub_page}"))
        assert text.startswith("window.__NUXT__=(function(a,b,")
        assert text.endswith("));")
        assert text.count(";return {") == 1
        assert "<" not in text


def test_root_and_content_are_as_on_the_real_page(shown, real):
    found, original = script(shown("/movie/nightjar/")), script(real)
    for text in (found, original):
        assert re.search(r"return \{layout:\S+,data:\[\{content:\w\}\],fetch:\{\},error:\w+,state:\{", text)
        # what is filled in before the return
        assert set(re.findall(r"[{;]\w+\.(\w+)=", text)) == {
            "pageType",
            "id",
            "queryParams",
            "meta",
            "components",
            "debug",
        }


def test_items_have_the_keys_of_the_real_page(world, real):
    """Keys are compared by name: the real script is not run."""
    _, page = Backend(world).answer("/composer/metacritic/pages/movies/nightjar/web", {})
    parts = {part["meta"]["componentName"]: component(part) for part in page["components"]}
    text = script(real)
    for name, of_real, item in (
        ("critic", "critic-reviews", parts["critic-reviews"]["item"]["default"][0]),
        ("user", "user-reviews", parts["user-reviews"]["item"]["default"][0]),
    ):
        block = text[text.index(f'componentName:"{of_real}"') :]
        review = block[block.index("{id:") :]
        keys = re.findall(r"[{,](\w+):", review[review.index("reviewPath:") - 1 : review.index("version:") + 9])
        assert set(keys) <= set(item), name
    product = text[text.index("item:{awards:") : text.index("userScore:")]
    of_games = {"platforms", "onlinePlayers", "tvTaxonomy", "gameTaxonomy"}
    depth_one = set(re.findall(r"(\w+):", re.sub(r"[\[{][^\[\]{}]*[\]}]", "", strip_nested(product[6:]))))
    assert depth_one - of_games <= set(parts["product"]["item"])


def strip_nested(text):
    """Drop what stands in inner brackets and in quotes."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', "0", text.removeprefix("{"))
    while text != (text := re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]", "0", text)):
        pass
    return text


def test_cards_have_the_classes_of_the_real_ones(shown, real):
    demo = [shown(f"/movie/{slug}/") for slug in ("the-salt-orchard", "nightjar")]
    for name in CARD:
        selector = f".{name}"
        assert real.css(selector), name
        assert any(page.css(selector) for page in demo), name


def test_both_pages_carry_the_same_things_in_the_same_places(shown, real):
    for page, critics in ((real, 7), (shown("/movie/the-salt-orchard/"), 7)):
        critic_cards = page.css("[data-testid='critic-reviews'] [data-testid='critic-review'] .c-siteReview")
        assert len(critic_cards) == critics
        assert critic_cards[0].css(".c-siteReviewScore[title^='Metascore'] span::text").get().isdecimal()
        assert re.fullmatch(
            r"\s*[A-Z][a-z]{2} \d+, \d{4}\s*", critic_cards[0].css(".c-siteReview_reviewDate::text").get()
        )
        assert len(page.css("[data-testid='user-reviews'] .c-siteReviewHeader_username")) == 7
        assert page.css("[data-testid='hero-title'] h1::text").get()
        assert page.css("link[rel=canonical][data-hid=canonical]")


def test_spoilers_and_breaks_are_in_the_state_only(shown, world):
    posts = [post for post in world.film("the-salt-orchard").user_reviews if post.spoiler]
    page = shown("/movie/the-salt-orchard/user-reviews/")
    quotes = page.css(".c-siteReview_quote span::text").getall()
    assert SPOILER in quotes
    assert not any("\n" in quote for quote in quotes)
    state = script(page)
    assert any(re.sub(r"[\r\n].*", "", post.text, flags=re.DOTALL) in state for post in posts)
    assert SPOILER not in state
    assert "\\n" in state


def test_review_pages_show_the_first_fifty(shown):
    page = shown("/movie/the-salt-orchard/user-reviews/")
    cards = page.css("[data-testid='product-reviews'] [data-testid='product-review'].c-siteReview")
    assert len(cards) == 50
    assert page.css(".c-pageProductReviews_text::text").get().split() == ["Showing", "341", "User", "Reviews"]
    assert len(shown("/movie/the-salt-orchard/critic-reviews/").css("[data-testid='product-review']")) == 50


def test_browse_cards(shown, world):
    cards = shown("/browse/movie/").css("div.c-finderProductCard")
    assert len(cards) == 24
    assert cards.css("h3.c-finderProductCard_titleHeading span::text").get() == "1."
    assert cards[0].css("a.c-finderProductCard_container::attr(href)").get().startswith("/movie/")
