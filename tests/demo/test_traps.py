"""Each difficulty that `traps` promises is on the page where it is promised."""

import json

from metacrawl.demo.pages import Pages
from metacrawl.demo.traps import ODD_TEXTS

UNLINKED_AUTHOR = ".author:not(:has(a))::text"


def reviews(page):
    return page.css(".critic_reviews > .review:not(.ad_unit), .user_reviews > .review:not(.ad_unit)")


def test_every_page_has_scores_of_other_films(page):
    shown = page("the-salt-orchard")
    assert len(shown.css(".secondary_nav_items .metascore_w.large.no_tbd")) >= 4
    assert len(shown.css(".product_current_releases .metascore_w.medium")) == 5
    assert shown.css(".primary_baby_menu .metascore_w.header_size::text").get() == "92"
    assert len(shown.css("aside .metascore_w.user.med_small")) == 2
    assert shown.css(".user_rating_widget .number::text").getall() == [str(number) for number in range(11)]
    others = shown.css(".list_item::attr(data-mctrailerurl)").getall()
    assert all(url.startswith("/movie/") and "the-salt-orchard" not in url for url in others)
    assert shown.css("a.see_all.boxed::text").get() == "SEE ALL RESULTS"
    assert {"SEE ALL 52 REVIEWS", "SEE ALL 341 REVIEWS"} < set(shown.css("a.see_all.boxed::text").getall())
    assert len(page("the-salt-orchard", "details").css(".product_side .metascore_w.medium")) == 2


def test_ads_stand_among_the_reviews(page):
    assert len(page("the-salt-orchard").css(".user_reviews > #native_top.ad_unit.review")) == 1
    assert len(page("the-salt-orchard", "critic_reviews").css(".critic_reviews > .ad_unit.review")) == 2
    assert len(page("the-salt-orchard", "user_reviews").css(".user_reviews > .ad_unit.review")) == 2


def test_movie_page_shows_seven_reviews_of_each_list(page):
    shown = page("the-salt-orchard")
    assert len(reviews(shown)) == 14
    for kind in ("critic", "user"):
        words = f".{kind}_reviews .summary"
        on_page = [" ".join(node.xpath("string()").get().split()) for node in shown.css(words)]
        in_list = page("the-salt-orchard", f"{kind}_reviews").css(words)[:7]
        assert on_page == [" ".join(node.xpath("string()").get().split()) for node in in_list]


def test_counts_and_badge(page):
    shown = page("the-salt-orchard")
    assert shown.css(".users_col .count.fr::text").getall() == ["12,408", "1,077", "366"]
    assert "based on 13851 Ratings" in shown.css(".us_wrapper .based_on::text").getall()
    assert shown.css(".must-see.product")
    # a bar of nothing is no link
    assert len(shown.css(".critics_col span.chart_wrapper")) == 2
    assert not page("paper-tides").css(".must-see")


def test_json_ld_repeats_keys_and_cuts_the_description(page, world):
    data = page("the-salt-orchard").css("script[type='application/ld+json']::text").get()
    film = world.film("the-salt-orchard")
    pairs = json.loads(data, object_pairs_hook=list)
    assert len([value for key, value in pairs if key == "actor"]) == len(film.principal_cast) > 1
    read = json.loads(data)
    assert read["description"].endswith("...")
    assert read["actor"]["name"] == film.principal_cast[-1].name


def test_json_ld_of_each_film_can_be_read(page, world):
    for film in world.films:
        data = page(film.slug).css("script[type='application/ld+json']::text").get()
        assert json.loads(data)["name"] == film.title


def test_summary_is_collapsed_where_it_is_long(page, world):
    long_ = next(film for film in world.films if film.summary and len(film.summary) > 400)
    short = next(film for film in world.films if film.summary and len(film.summary) < 340)
    deck = page(long_.slug).css(".summary_deck")
    assert deck.css(".blurb_expanded::text").get() == long_.summary
    assert long_.summary.startswith(deck.css(".blurb_collapsed::text").get())
    assert deck.css(".blurb_collapsed::text").get() != long_.summary
    assert not page(short.slug).css(".summary_deck .blurb")


def test_trailers_rating_is_not_the_films(page, world):
    for slug in ("the-salt-orchard", "a-quiet-ledger"):
        trailer = page(slug).css("#video_holder_wrapper::attr(data-mcrating)").get()
        assert trailer != world.film(slug).content_rating


def test_the_list_that_moves_repeats_a_review(page):
    ids = [page("glass-meridian", "user_reviews", n).css(".helpful::attr(data-mcrefid)").getall() for n in range(3)]
    assert ids[1][0] == ids[0][-1]
    assert len({*ids[0], *ids[1], *ids[2]}) == 230


def test_no_user_score(page):
    shown = page("a-quiet-ledger")
    assert len(shown.css(".us_wrapper")) == 1
    assert not shown.css(".us_wrapper *")
    assert shown.css("aside .metascore_w.user.tbd::text").get() == "tbd"
    assert shown.css(".users_col .pad_btm2::text").get() == "No reviews yet."
    assert not shown.css(".critics_col .date, .summary_cast, .summary_right .rating, .rankings")
    listed = page("a-quiet-ledger", "user_reviews")
    assert "No reviews yet." in listed.css(".reviews.list ::text").getall()
    assert not listed.css("div.user_reviews, .page_nav")
    assert listed.css(".score_wrapper .metascore_w::text").get() == "tbd"


def test_no_review_at_all(page):
    shown = page("unfinished-weather")
    assert shown.css(".critics_col .pad_btm2::text, .users_col .pad_btm2::text").getall() == ["No reviews yet."] * 2
    assert shown.css(".ms_wrapper .metascore_w.larger.movie.tbd::text").get() == "tbd"
    assert not shown.css(".pfull_summary .release_date, .pfull_summary .distributor, .summary_deck")
    for kind in ("critic", "user"):
        listed = page("unfinished-weather", f"{kind}_reviews")
        assert "No reviews yet." in listed.css(".reviews.list ::text").getall()
        assert not listed.css(f"div.{kind}_reviews")


def test_metascore_tbd_in_spite_of_reviews(page):
    shown = page("three-small-bells")
    assert shown.css(".ms_wrapper .metascore_w.tbd::text").get() == "tbd"
    assert shown.css(".ms_wrapper .based_on::text").get() == "based on 3 Critics"
    assert len(shown.css(".critic_reviews > .review")) == 3


def test_users_without_account(page):
    shown = page("nightjar", "user_reviews")
    plain = shown.css(".user_reviews").css(UNLINKED_AUTHOR).getall()
    assert len(plain) == 9
    assert plain.count("Anonymous T.") == 2
    assert "Jonas  O'Dell Jr." in plain
    assert len(shown.css(".user_reviews .author > a[href^='/user/']")) == 9


def test_films_of_one_name(world):
    assert [film.slug for film in world.films if film.title == "Nightjar"] == ["nightjar", "nightjar-2015"]


def test_critics_of_all_kinds(page):
    blocks = reviews(page("tin-orchestra", "critic_reviews"))
    texts = [block.css(".metascore_w::text").get() for block in blocks]
    assert texts[0] == "100"
    assert blocks[0].css(".metascore_w.perfect")
    assert texts[-3:] == ["0", "tbd", "tbd"]
    assert blocks[-1].css(".metascore_w.large.movie.tbd")
    assert blocks[1].css(UNLINKED_AUTHOR).get()
    assert not blocks[2].css(".author")
    assert blocks[3].css(".source::text").get() == "The Old Harbour Bugle & Times"
    assert not blocks[4].css(".summary a")
    assert blocks[4].css(".summary::text").get().strip()
    assert not blocks[5].css(".date")
    wire = [block for block in blocks if block.css(".source a[href='/publication/wire-service-halden?filter=movies']")]
    assert len({block.css("a.no_hover::attr(href)").get() for block in wire}) == 2


def test_publications_shown_as_a_logo(page):
    logos = page("the-salt-orchard", "critic_reviews").css(".source > a > img.pub-img")
    assert logos
    assert all(logo.attrib["alt"] == logo.attrib["title"] != "" for logo in logos)


def test_both_markups_of_spoilers_and_breaks(page, world):
    old = page("glass-meridian", "user_reviews").get()
    new = page("the-salt-orchard", "user_reviews")
    assert world.film("glass-meridian").markup == 2017
    assert "<strong>" in old
    assert 'a rel="nofollow" class="toggle_expand_collapse toggle_expand"' in old
    assert new.css("strong.bold > span.toggle_text_visibility")
    for strong in new.css("strong"):
        blurb = strong.xpath("following-sibling::span")
        assert not blurb.css(".blurb_collapsed::text")
        assert blurb.css(".blurb_expanded::text")
    source = Pages(world).user_reviews(world.film("glass-meridian"))
    assert "\n<br/>\n<br/>" in source
    assert "<br/><br/>" in Pages(world).user_reviews(world.film("the-salt-orchard"))


def test_reviews_are_collapsed_where_they_are_long(page):
    shown = page("kettle-song", "user_reviews")
    first = shown.css("div.review_body")[0]
    collapsed, expanded = (first.css(f".blurb_{way}").xpath("string()").get() for way in ("collapsed", "expanded"))
    assert len(expanded.split()) == 600
    assert expanded.startswith(collapsed.split("\n")[0])
    assert first.css(".blurb_etc::text").get() == "…"
    assert shown.css("div.review_body")[1].css("span::text").getall() == ["Nothing happens, twice. Loved it."]


def test_texts_of_all_kinds(page, world):
    film = world.film("harbour-of-strangers")
    source = Pages(world).user_reviews(film)
    for reference in (
        "&amp;amp;amp;T",
        "&lt;script&gt;",
        "&quot;go&quot; &amp; wrote &lt;br&gt;",
        "&eacute;",
        "&#8217;",
        "&hellip;",
    ):
        assert reference in source, reference
    bodies = page(film.slug, "user_reviews").css("div.review_body")
    for body, typed in zip(bodies, ODD_TEXTS, strict=False):
        shown = body.css(".blurb_expanded, div.review_body > span:not(:has(.blurb))")[0].xpath("string()").get()
        assert "".join(shown.split()) == "".join(typed.split())


def test_crowded_credits(page, world):
    film, shown = world.film("brass-ivory"), page("brass-ivory", "details")
    assert shown.css("h1::text").get() == "Brass & Ivory"
    assert len(shown.css("table.credits[summary$='Director Credits'] tbody tr")) == 2
    assert len(shown.css("table.credits td.person:not(:has(a))")) == 2
    assert shown.css("tr.languages td.data span::text").getall() == ["English", "Gaelic"]
    assert len(shown.css(".distributor a")) == 2
    lines = ["|".join(row.xpath("normalize-space()").getall()) for row in shown.css("table.credits tbody tr")]
    assert len(set(lines)) == len(lines) - 1
    assert shown.css("tr.official_url a::attr(href)").get() == film.official_site
    assert shown.css("tr.home_release_date td.data::text").get().strip() == "Mar  8, 2016"
    assert shown.css("table.credits[summary$='Producer Credits']")


def test_bare_details(page):
    shown = page("low-road-to-velmont", "details")
    assert shown.css("table.details tr::attr(class)").getall() == ["runtime"]
    assert not shown.css("table.credits")
    assert not page("low-road-to-velmont").css("#video_holder_wrapper")


def test_gaps(page):
    rows = page("morning-twice", "details").css("table.details tr::attr(class)").getall()
    assert not {"movie_rating", "official_url", "home_release_date", "company"} & set(rows)


def test_genres_are_sorted_on_the_details_page_only(page, world):
    film = next(film for film in world.films if film.genres != sorted(film.genres))
    assert page(film.slug).css(".genres > span > span::text").getall() == film.genres
    assert page(film.slug, "details").css("tr.genres span::text").getall() == sorted(film.genres)


def test_slugs_lack_letters_outside_ascii(page):
    slugs = page("the-salt-orchard", "details").css("td.person a::attr(href)").getall()
    names = [name.strip() for name in page("the-salt-orchard", "details").css("td.person a::text").getall()]
    assert all(slug.isascii() for slug in slugs)
    assert any(not name.isascii() for name in names)
