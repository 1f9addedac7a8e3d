"""The pages of 2010 have the elements of the real ones, and their traps."""

import re

import pytest
from parsel import Selector

from metacrawl.demo.designs import designs

# Parts of the real pages, by what the demo renders in their place.
BLOCKS = {
    "automata.html": (
        "",
        (".content_head", ".product_details", "ol.critic_reviews", "ol.user_reviews", ".score_distribution"),
    ),
    "spider-man-3-user-reviews-page-1.html": ("/user-reviews", (".score_details", "ol.user_reviews", ".page_nav")),
    "curse-of-the-dead-gods-critic-reviews.html": (
        "/critic-reviews",
        (".metascore_details", ".product_reviews ol.critic_reviews"),
    ),
}
# Games, shops, social buttons and what the saved page's own writer left out.
NOT_IN_THE_DEMO = (
    "game", "sharing", "fa-", "after_login", "login_success", "yourscore", "rating_", "hover_none", "platform",
)  # fmt: skip
SCORE_WORDS = {"positive", "mixed", "negative", "tbd", "perfect", "zero_total", "has_author", "first_review"}


@pytest.fixture(scope="module")
def answer(world):
    design = designs(world)["2010"]

    def page(path, **query):
        return Selector(text=design.answer(path, query))

    return page


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_have_the_elements_of_the_real_pages(name, answer, shared_pages):
    sub_page, blocks = BLOCKS[name]
    text = (shared_pages / "2010" / name).read_text(encoding="utf-8")
    # written by an XML tool: `<div/>` is an element of its own there
    real = Selector(text=re.sub(r"<(div|span|a|p)([^<>]*)/>", r"<\1\2></\1>", text))
    films = (("the-salt-orchard", "1"), ("tin-orchestra", "0"), ("nightjar", "0"))
    demo = [answer(f"/movie/{film}{sub_page}", page=page) for film, page in films]
    for block in blocks:
        missing = chains(real, block).difference(*(chains(document, block) for document in demo))
        assert not missing, block


def chains(document, block):
    """Collect what elements of a block are, with the element around them; classes without the score's word."""
    found = set()
    for part in document.css(block):
        for element in part.root.iterdescendants():
            pair = [kind(element.getparent()), kind(element)]
            if not any(word in name for name in pair for word in NOT_IN_THE_DEMO):
                found.add(tuple(pair))
    return found


def kind(element):
    return " ".join([str(element.tag), *sorted(set((element.get("class") or "").split()) - SCORE_WORDS)])


def test_bars_count_reviews_on_the_film_page_and_ratings_on_the_list(answer, world):
    film = world.film("winter-ferry")
    on_page = answer("/movie/winter-ferry").css(".user_reviews_module .distribution::text").getall()
    assert set(on_page) == {f" out of {len(film.user_reviews)}"}
    in_list = answer("/movie/winter-ferry/user-reviews").css(".score_details .distribution::text").getall()
    assert set(in_list) == {f" out of {film.ratings.total}"}
    assert film.ratings.total > len(film.user_reviews)


def test_the_unscored_are_a_list_of_their_own(answer, world):
    lists = answer("/movie/tin-orchestra/critic-reviews").css("ol.critic_reviews")
    assert [len(part.css("li.critic_review")) for part in lists] == [34, 2]
    assert lists[1].css(".metascore_w::attr(class)").getall() == ["metascore_w medium movie rip indiv"] * 2
    assert len(answer("/movie/nightjar/critic-reviews").css("ol.critic_reviews")) == 1


def test_ads_stand_among_the_reviews(answer):
    for path in ("/movie/tin-orchestra", "/movie/tin-orchestra/critic-reviews", "/movie/tin-orchestra/user-reviews"):
        assert len(answer(path).css("ol.reviews > li.ad_unit.review")) == 1


def test_publications_stand_in_three_places(answer):
    reviews = answer("/movie/tin-orchestra/critic-reviews").css("li.critic_review")
    signed, unlinked, unsigned = reviews[0], reviews[1], reviews[2]
    assert signed.css(".source a::attr(href)").get().startswith("/publication/")
    assert unlinked.css(".author .no_link")
    assert unsigned.css(".source a.external")
    assert unsigned.css(".author_reviews a::attr(href)").get() == "/publication/port-ansel-ledger?filter=movies"
    assert reviews[3].css(".source::text").get() == "The Old Harbour Bugle & Times"


def test_names_without_account_are_no_links(answer):
    names = answer("/movie/nightjar/user-reviews").css(".name")
    assert len(names.css("a[href^='/user/']")) == len(names.css("span")) == 9


@pytest.mark.parametrize(("size", "pages"), [("30", [30] * 11 + [11]), ("100", [100, 100, 100, 41])])
def test_lists_come_by_30_or_100(answer, size, pages):
    for number, count in enumerate(pages):
        shown = answer("/movie/the-salt-orchard/user-reviews", page=str(number), num_items=size)
        assert len(shown.css("li.user_review")) == count
        follows = f"/movie/the-salt-orchard/user-reviews?num_items={size}&page={number + 1}"
        expected = follows if number + 1 < len(pages) else None
        assert shown.css(".flipper.next a.action::attr(href)").get() == expected
        assert shown.css("head > link[rel=next]::attr(href)").get() == expected
        assert shown.css("li.last_page .page_num::text").get() == str(len(pages))


def test_other_sizes_and_orders_are_not_there(world):
    design = designs(world)["2010"]
    assert design.answer("/movie/winter-ferry/user-reviews", {"num_items": "50"}) is None
    assert design.answer("/movie/winter-ferry/user-reviews", {"sort-by": "name"}) is None
    assert design.answer("/movie/winter-ferry/details", {}) is None


def test_spoilers_and_long_texts_are_collapsed(answer, world):
    film = world.film("harbour-of-strangers")
    bodies = answer("/movie/harbour-of-strangers/user-reviews").css(".review_body")
    hidden = bodies[4]
    assert film.user_reviews[4].spoiler
    assert "contains spoilers" in hidden.css("strong::text").get()
    assert hidden.css(".blurb_collapsed").xpath("string()").get() == ""
    assert hidden.css(".blurb_expanded")


def test_days_are_padded_in_reviews_only(answer, world):
    days = answer("/movie/the-salt-orchard/critic-reviews").css(".review_critic .date::text").getall()
    assert any(re.fullmatch(r"[A-Z][a-z]{2}  \d, \d{4}", day) for day in days)
    assert not any(
        re.match(r"[A-Z][a-z]{2}  ", day) for day in answer("/movie/nightjar").css(".release_data .data::text").getall()
    )


def test_no_reviews_is_said_where_the_reviews_would_be(answer):
    for path in ("/movie/unfinished-weather", "/movie/unfinished-weather/user-reviews"):
        words = answer(path).css(".user_reviews_module .review_top_l p").xpath("string()").get()
        assert words == "There are no user reviews yet - Be first to review Unfinished Weather."
    assert not answer("/movie/unfinished-weather/critic-reviews").css("ol.reviews")
