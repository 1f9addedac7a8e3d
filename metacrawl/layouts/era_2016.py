"""The full-width design of film pages, November 2016 to September 2023."""

from metacrawl.layouts.rules import STEADY, Block, Layout, ListPage, PageRules, ReviewList, has, only_if, whether
from metacrawl.urls import PageKind

CRITICS, USERS = "critic-reviews", "user-reviews"


def marker(page: str) -> str:
    """The main column names the kind of product and of page."""
    return f'//div[@id="main_content"]/div[{has("movie", "product", page)}]'


def bar(label: str) -> str:
    """A bar of a score's distribution, by its printed label: the classes carry values."""
    texts = f".//div[{has('chart')}]/div[{has('text')}]"
    return f'{texts}[starts-with(normalize-space(div[{has("label")}]), "{label}")]/div[{has("count")}]'


def bars(kind: str) -> dict[str, str]:
    return {f"{kind}_positive": bar("Positive"), f"{kind}_mixed": bar("Mixed"), f"{kind}_negative": bar("Negative")}


def score(page: str) -> str:
    """A score that links to its reviews; other films' scores stand all over the page."""
    return f'.//a[{has("metascore_anchor")}][contains(@href, "/{page}")]/*[{has("metascore_w")}]'


def credits_table(group: str) -> str:
    """The rows of a table of credits, by its heading."""
    return f'//table[{has("credits")}][normalize-space(thead//th[{has("person")}]) = "{group}"]/tbody/tr'


def no_reviews(column: str, page: str) -> str:
    """The words "No reviews yet." in a column of the film's page or on a page of that kind of review."""
    text = 'starts-with(normalize-space(.), "No ") and contains(., "reviews yet") and string-length(.) < 100'
    return f"//*[not(*)][{text}][ancestor::div[{has(column)} or {has('movie', 'product', page)}]]"


def see_all(column: str, page: str) -> str:
    """The words "SEE ALL 46 REVIEWS" below the first reviews on a film's page."""
    return f'//div[{has(column)}]//a[{has("see_all")}][contains(@href, "/{page}")]'


CREDIT = {"name": f"td[{has('person')}]", "slug": f"td[{has('person')}]/a/@href", "role": f"td[{has('role')}]"}
LINKED_CREDIT = {"name": ".", "slug": "@href"}

CRITIC_REVIEWS = ReviewList(
    container=f"//div[{has('critic_reviews')}]",
    block=Block(
        f"div[{has('review')}][not({has('ad_unit')})]",
        {
            "publication": (f".//span[{has('source')}]", f".//span[{has('source')}]//img/@alt"),
            "publication_slug": f'.//span[{has("source")}]/a[contains(@href, "/publication/")]/@href',
            "critic": f".//span[{has('author')}]",
            "critic_slug": f'.//span[{has("author")}]/a[contains(@href, "/critic/")]/@href',
            "score": f"div[{has('left')}]/div[{has('metascore_w')}]",
            "date": f".//span[{has('date')}]",
            # A print review is no link: its words stand in the summary itself.
            "excerpt": (f".//div[{has('summary')}]/a[{has('no_hover')}]", f".//div[{has('summary')}][not(a)]"),
            "full_review_url": f".//div[{has('summary')}]/a[{has('no_hover')} or {has('read_full')}]/@href",
        },
    ),
    empty=no_reviews("critics_col", "critic"),
    total=see_all("critics_col", CRITICS),
)

USER_REVIEWS = ReviewList(
    container=f"//div[{has('user_reviews')}]",
    block=Block(
        f"div[{has('review')}][not({has('ad_unit')})]",
        {
            "review_id": (
                f".//div[{has('helpful')}]/@data-mcrefid",
                'substring-after(.//span[starts-with(@id, "review_blurb_")]/@id, "review_blurb_")',
            ),
            "author": f".//div[{has('title')}]/span[{has('author')}]",
            "score": f"div[{has('left')}]/div[{has('metascore_w')}]",
            "date": f".//div[{has('title')}]/span[{has('date')}]",
            "text": (
                f".//div[{has('review_body')}]/span/span[{has('blurb_expanded')}]",
                f".//div[{has('review_body')}]/span[not(span[{has('blurb')}])]",
            ),
            "spoiler": whether(f'.//div[{has("review_body")}]/strong[contains(., "spoilers")]'),
            "helpful_votes": f".//span[{has('yes_count')}]",
            "total_votes": f".//span[{has('total_count')}]",
        },
    ),
    empty=no_reviews("users_col", "user"),
    total=see_all("users_col", USERS),
    account=f'.//span[{has("author")}]/a[contains(@href, "/user/")]',
)

TITLE = Block(
    f'//div[@id="main_content"]//div[{has("product_page_title")}]',
    {"title": ".//h1", "release_year": f"span[{has('release_year')}]"},
)
RELEASE = {
    "distributors": f".//span[{has('distributor')}]/a",
    "release_date": f".//span[{has('release_date')}]/span[not({has('label')})]",
}
RATING_WIDGET = Block(
    f'//span[{has("user_rating_widget")}][@data-reftype="150"]',
    {"site_id": "@data-refid"},
)
# "More From This Movie" repeats both scores beside a list of reviews.
SIDE_SCORES = f"//div[{has('product_side')}]"

# At the head of a list of reviews: the score and the bars of its own kind.
SUMMARY = f"//table[{has('simple_summary')}]"
OWN_SCORE = f".//table[{has('score_wrapper')}]//span[{has('metascore_w')}]"
OWN_COUNT = f".//span[{has('based_on')}]"
NEXT_PAGE = f'//div[{has("page_nav")}]//span[{has("flipper", "next")}]/a[@rel="next"]/@href'

LAST_PAGE = f"//div[{has('page_nav')}]//li[{has('last_page')}]/*[{has('page_num')}]"

MOVIE = PageRules(
    marker=marker("summary"),
    movie=(
        TITLE,
        RATING_WIDGET,
        Block(
            f"//div[{has('ms_wrapper')}]",
            {"metascore": score(CRITICS), "critic_review_count": f".//span[{has('based_on')}]"},
        ),
        Block(
            f"//div[{has('us_wrapper')}]",
            {"user_score": score(USERS), "user_rating_count": f".//span[{has('based_on')}]"},
        ),
        Block(f"//div[{has('critics_col')}]", bars("critic")),
        Block(
            f"//div[{has('users_col')}]",
            bars("user") | {"user_review_count": f'.//a[{has("see_all")}][contains(@href, "/{USERS}")]'},
        ),
        Block('//div[@id="video_holder_wrapper"]', {"trailer_url": "@data-mctrailerurl"}),
        Block(
            '//div[@id="main_content"]',
            {
                # A page of before the badge came cannot show it.
                "must_see": only_if(
                    f".//*[{has('must-see', 'product')}] | .//div[{has('summary_right')}]//*[{has('must-see')}]"
                )
            },
        ),
        Block(
            f"//div[{has('pfull_summary')}]",
            RELEASE
            | {
                "image_url": f"div[{has('summary_left')}]/img/@src",
                "summary": (
                    f".//div[{has('summary_deck')}]//span[{has('blurb_expanded')}]",
                    f".//div[{has('summary_deck')}]/span[not({has('label')})]",
                ),
                "genres": f".//div[{has('genres')}]/span/span",
                "content_rating": f".//div[{has('rating')}]/span[not({has('label')})]",
                "runtime_minutes": f".//div[{has('runtime')}]/span[not({has('label')})]",
            },
        ),
    ),
    lists={
        "directors": Block(f"//div[{has('pfull_summary')}]//div[{has('director')}]/a", LINKED_CREDIT),
        "cast": Block(f"//div[{has('pfull_summary')}]//div[{has('summary_cast')}]//a", LINKED_CREDIT),
        "rankings": Block(f"//table[{has('rankings')}]//div[{has('ranking_title')}]", {"rank": ".", "title": "."}),
    },
    critic_reviews=CRITIC_REVIEWS,
    user_reviews=USER_REVIEWS,
)

DETAILS = PageRules(
    marker=marker("details"),
    movie=(
        TITLE,
        Block(
            SUMMARY,
            {
                "metascore": score(CRITICS),
                "critic_review_count": f'.//a[contains(@href, "/{CRITICS}")]//span[{has("based_on")}]',
                "user_score": score(USERS),
                "user_rating_count": f'.//a[contains(@href, "/{USERS}")]//span[{has("based_on")}]',
            },
        ),
        Block(
            f"//div[{has('pfull_summary')}]",
            RELEASE
            | {
                "image_url": f"div[{has('summary_left')}]/img/@src",
                "summary": f".//div[{has('summary')}]/span[not({has('label')})]",
            },
        ),
        Block(
            f"//table[{has('details')}]",
            {
                "runtime_minutes": f".//tr[{has('runtime')}]/td[{has('data')}]",
                "content_rating": f".//tr[{has('movie_rating')}]/td[{has('data')}]",
                "official_site": f".//tr[{has('official_url')}]/td[{has('data')}]/a/@href",
                "production_companies": f".//tr[{has('company')}]/td[{has('data')}]",
                "genres": f".//tr[{has('genres')}]/td[{has('data')}]/span",
                "countries": f".//tr[{has('countries')}]/td[{has('data')}]/span",
                "languages": f".//tr[{has('languages')}]/td[{has('data')}]/span",
                "home_release_date": f".//tr[{has('home_release_date')}]/td[{has('data')}]",
            },
        ),
    ),
    lists={
        "directors": Block(credits_table("Director"), CREDIT),
        "writers": Block(credits_table("Writer"), CREDIT),
        "cast": Block(f"{credits_table('Principal Cast')} | {credits_table('Cast')}", CREDIT),
    },
)

REVIEWS_OF_CRITICS = PageRules(
    marker=marker("critic"),
    movie=(
        TITLE,
        RATING_WIDGET,
        Block(SUMMARY, RELEASE | bars("critic") | {"metascore": OWN_SCORE, "critic_review_count": OWN_COUNT}),
        Block(SIDE_SCORES, {"user_score": score(USERS)}),
    ),
    critic_reviews=CRITIC_REVIEWS,
    next_page=NEXT_PAGE,
)

REVIEWS_OF_USERS = PageRules(
    marker=marker("user"),
    movie=(
        TITLE,
        RATING_WIDGET,
        Block(SUMMARY, RELEASE | bars("user") | {"user_score": OWN_SCORE, "user_rating_count": OWN_COUNT}),
        Block(SIDE_SCORES, {"metascore": score(CRITICS)}),
    ),
    user_reviews=USER_REVIEWS,
    next_page=NEXT_PAGE,
    last_page=LAST_PAGE,
)

LISTS = {
    PageKind.CRITIC_REVIEWS: ListPage(PageKind.CRITIC_REVIEWS),
    PageKind.USER_REVIEWS: ListPage(PageKind.USER_REVIEWS, STEADY, again=(("sort-by", "score"), ("num_items", "100"))),
}

LAYOUT = Layout(
    name="2016",
    details=PageKind.DETAILS,
    lists=LISTS,
    pages={
        PageKind.MOVIE: MOVIE,
        PageKind.DETAILS: DETAILS,
        PageKind.CRITIC_REVIEWS: REVIEWS_OF_CRITICS,
        PageKind.USER_REVIEWS: REVIEWS_OF_USERS,
    },
)
