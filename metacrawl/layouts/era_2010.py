"""The two-column design of film pages, 2010 to November 2016."""

from metacrawl.layouts.era_2016 import CREDIT, LAST_PAGE, LINKED_CREDIT, LISTS, NEXT_PAGE, credits_table
from metacrawl.layouts.rules import CANONICAL, Block, Layout, PageRules, ReviewList, has, whether
from metacrawl.urls import PageKind

# The side column repeats the score and some cut reviews of the other kind, and has other films' scores.
MAIN = '//div[@id="main"]'
SIDE = '//div[@id="side"]'

Values = dict[str, str | tuple[str, ...]]

# Until about 2013 a score was a `score_value` in parts with these names and their siblings.
CRITIC_SCORE = f".//div[{has('metascore_wrap')} or {has('metascore_summary')}]"
USER_SCORE = f".//div[{has('userscore_wrap')} or {has('avguserscore')}]"


def marker(tab: str) -> str:
    """A film's page, by the tab that is open in its navigation."""
    return f"{MAIN}[.//div[{has('movie_content_head')}]]//li[{has(f'nav_{tab}', 'active_nav')}]"


def module(kind: str) -> str:
    """The part of a column that shows reviews of one kind."""
    return f"//div[{has('reviews_module', f'{kind}_reviews_module')}]"


def score(part: str) -> tuple[str, ...]:
    return f"{part}//*[{has('metascore_w')}]", f"{part}//span[{has('score_value')}]"


def based_on(part: str) -> str:
    """How many a score is based on; a film with too few has a number there that says how many are missing."""
    return f'{part}//span[{has("count")}][contains(., "based on")]'


def number(text: str) -> str:
    """A number that stands in a text, to compare it with another one."""
    return f'translate(normalize-space({text}), ", ", "")'


def bar(label: str) -> str:
    """A bar of a score's distribution, by its printed label: the classes carry values."""
    return f'.//li[{has("score_count")}][starts-with(normalize-space(.//span[{has("label")}]), "{label}")]'


def bars(kind: str, only: str = "") -> dict[str, str]:
    labels = {f"{kind}_positive": "Positive", f"{kind}_mixed": "Mixed", f"{kind}_negative": "Negative"}
    return {name: f"{bar(label)}{only}//span[{has('count')}]" for name, label in labels.items()}


# Bars of users count ratings on one page and written reviews on another: "out of 27" beside a score of 70 ratings.
RATINGS = number(f'substring-before(substring-after({based_on(USER_SCORE[1:])}, "based on"), "Rating")')
OUT_OF = number('substring-after(., "out of")')
OF_RATINGS = f'[.//span[{has("distribution")}][contains(., "out of")][{OUT_OF} = {RATINGS}]]'

CRITIC_VALUES: Values = {
    "metascore": score(CRITIC_SCORE),
    "critic_review_count": (based_on(CRITIC_SCORE), f'{CRITIC_SCORE}//span[@property="v:count"]'),
}
USER_VALUES: Values = {
    "user_score": score(USER_SCORE),
    "user_rating_count": (
        based_on(USER_SCORE),
        f'.//span[{has("count")}]/a[contains(., "Ratings")][not(contains(., "more"))]',
    ),
}


def detail(label: str) -> str:
    """A line of the film's summary, by its printed label: two may share a class."""
    line = f'.//li[{has("summary_detail")}][starts-with(normalize-space(span[{has("label")}]), "{label}")]'
    return f"{line}/span[{has('data')}]"


def row(label: str) -> str:
    """A row of the details table, by its printed label."""
    return f'table//tr[starts-with(normalize-space(th), "{label}")]/td'


def each(label: str) -> tuple[str, ...]:
    """The values of a row that may have several; nothing shows where names without a node of their own part."""
    return f"{row(label)}/*[self::a or self::span]", f'{row(label)}[not(contains(., ","))]'


def no_reviews(kind: str, part: str) -> str:
    """The words that there are none, or neither a place for them nor a score that is based on any."""
    says = f'//div[{has("review_top_l")}][starts-with(normalize-space(.), "There are no {kind} reviews yet")]'
    return f"{MAIN}{says} | {MAIN}[not(.{module(kind)})][not({based_on(part)})]"


def see_all(kind: str) -> str:
    """The words "See all 27 User Reviews" below the first reviews on a film's page."""
    return f'{MAIN}{module(kind)}//*[{has("see_all")}]/a[contains(@href, "/{kind}-reviews")]'


CRITIC_REVIEWS = ReviewList(
    # A second list has reviews without a score.
    container=f"{MAIN}//ol[{has('reviews', 'critic_reviews')}]",
    block=Block(
        f"li[{has('review')}][not({has('ad_unit')})]",
        {
            "publication": f".//div[{has('source')}]",
            # The source may link to the review instead.
            "publication_slug": (
                f".//*[{has('source')} or {has('author_reviews')}]"
                f'/a[contains(@href, "/publication/")][not({has("external")})]/@href'
            ),
            "critic": (f".//div[{has('author')}]/a", f".//div[{has('author')}]/span[not({has('label')})]"),
            "critic_slug": f'.//div[{has("author")}]/a[contains(@href, "/critic/")]/@href',
            "score": (f".//div[{has('review_grade')}]//*[{has('metascore_w')}]", f".//div[{has('review_grade')}]"),
            "date": f".//div[{has('date')}]",
            "excerpt": f".//div[{has('review_body')}]",
            "full_review_url": f".//*[{has('full_review')}]/a/@href",
        },
    ),
    empty=no_reviews("critic", CRITIC_SCORE),
    total=see_all("critic"),
)

USER_REVIEWS = ReviewList(
    container=f"{MAIN}//ol[{has('reviews', 'user_reviews')}]",
    block=Block(
        f"li[{has('review')}][not({has('ad_unit')})]",
        {
            "review_id": (
                'substring-after(@id, "user_review_")',
                'substring-after(.//span[starts-with(@id, "review_blurb_")]/@id, "review_blurb_")',
            ),
            "author": f".//div[{has('name')}]",
            "score": (f".//div[{has('review_grade')}]//*[{has('metascore_w')}]", f".//div[{has('review_grade')}]"),
            "date": f".//div[{has('date')}]",
            "text": (
                f".//div[{has('review_body')}]//span[{has('blurb_expanded')}]",
                f".//div[{has('review_body')}]/span[not(.//span[{has('blurb')}])]",
                f".//div[{has('review_body')}][not(*)]",
            ),
            "spoiler": whether(f'.//div[{has("review_body")}]/strong[contains(., "spoilers")]'),
            "helpful_votes": f".//span[{has('total_ups')}]",
            "total_votes": f".//span[{has('total_thumbs')}]",
        },
    ),
    empty=no_reviews("user", USER_SCORE),
    total=see_all("user"),
    account=f'.//div[{has("name")}]//a[contains(@href, "/user/")]',
)

HEAD = Block(
    f"{MAIN}//div[{has('movie_content_head')}]",
    {
        "title": (f".//*[{has('product_title')}]/a", f".//*[{has('product_title')}]"),
        "distributors": (f".//li[{has('publisher')}]/span//a", f".//li[{has('publisher')}]/span[{has('data')}]"),
        "release_date": f".//li[{has('release_data')}]/span[{has('data')}]",
    },
)
# What would rate the film has its number, in one place or another.
RATING_WIDGET = Block(
    MAIN,
    {
        "site_id": (
            'substring-after(.//@data-rateref[contains(., "ref_type_id=150&")], "&ref_id=")',
            'substring-before(substring-after(.//@class[contains(., "ref_type_id=150&")], "&ref_id="), "\'")',
        )
    },
)
RANKINGS = Block(f"//table[{has('rankings')}]//div[{has('ranking_title')}]", {"rank": ".", "title": "."})
SUMMARY: Values = {
    "image_url": f".//div[{has('product_media')}]//img/@src",
    "summary": (
        f".//*[{has('product_summary')}]//span[{has('blurb_expanded')}]",
        f".//*[{has('product_summary')}]/span[{has('data')}]",
    ),
}

MOVIE = PageRules(
    marker=marker("summary"),
    movie=(
        HEAD,
        RATING_WIDGET,
        Block(f"{MAIN}//div[{has('product_scores')}]", CRITIC_VALUES | USER_VALUES),
        Block(MAIN + module("critic"), bars("critic")),
        Block(
            MAIN + module("user"),
            bars("user", OF_RATINGS) | {"user_review_count": f".//*[{has('see_all')}]/a"},
        ),
        Block(
            f"{MAIN}//div[{has('product_data_summary')}]",
            SUMMARY
            | {
                "trailer_url": f".//a[{has('product_media_link')}]/@href",
                "genres": f".//li[{has('product_genre')}]/span[{has('data')}]",
                "content_rating": detail("Rating"),
                "runtime_minutes": detail("Runtime"),
            },
        ),
    ),
    lists={
        "directors": Block(f"{MAIN}//li[{has('developer')}]//a", LINKED_CREDIT),
        "cast": Block(f"{MAIN}//li[{has('product_credits')}]//a", LINKED_CREDIT),
        "rankings": RANKINGS,
    },
    critic_reviews=CRITIC_REVIEWS,
    user_reviews=USER_REVIEWS,
)

# No details page of a film was at hand: the parts are those of a series, the labels those of the design of 2016.
DETAILS = PageRules(
    marker=marker("details"),
    movie=(
        HEAD,
        RATING_WIDGET,
        Block(f"{MAIN}//div[{has('product_scores')}]", CRITIC_VALUES | USER_VALUES),
        Block(f"{MAIN}//div[{has('module', 'product_data')}]", SUMMARY),
        Block(
            f"{MAIN}//div[{has('product_details')}]",
            {
                "runtime_minutes": row("Runtime"),
                "content_rating": row("Rating"),
                "official_site": f"{row('Official Site')}//a/@href",
                "production_companies": (f"{row('Production')}/a", row("Production")),
                "genres": each("Genre"),
                "countries": each("Countr"),
                "languages": each("Language"),
                "home_release_date": row("Home Release Date"),
            },
        ),
    ),
    lists={
        "directors": Block(credits_table("Director"), CREDIT),
        "writers": Block(credits_table("Writer"), CREDIT),
        "cast": Block(f"{credits_table('Principal Cast')} | {credits_table('Cast')}", CREDIT),
        "rankings": RANKINGS,
    },
)

REVIEWS_OF_CRITICS = PageRules(
    marker=marker("critic_reviews"),
    movie=(
        HEAD,
        RATING_WIDGET,
        Block(f"{MAIN}//div[{has('metascore_details')}]", CRITIC_VALUES | bars("critic")),
        Block(SIDE + module("user"), USER_VALUES | bars("user", OF_RATINGS)),
    ),
    critic_reviews=CRITIC_REVIEWS,
    next_page=NEXT_PAGE,
)

REVIEWS_OF_USERS = PageRules(
    marker=marker("user_reviews"),
    movie=(
        HEAD,
        RATING_WIDGET,
        Block(f"{MAIN}//div[{has('userscore_details')}]", USER_VALUES | bars("user", OF_RATINGS)),
        Block(SIDE + module("critic"), CRITIC_VALUES | bars("critic")),
    ),
    user_reviews=USER_REVIEWS,
    next_page=NEXT_PAGE,
    last_page=LAST_PAGE,
)

LAYOUT = Layout(
    name="2010",
    details=PageKind.DETAILS,
    lists=LISTS,
    pages={
        PageKind.MOVIE: MOVIE,
        PageKind.DETAILS: DETAILS,
        PageKind.CRITIC_REVIEWS: REVIEWS_OF_CRITICS,
        PageKind.USER_REVIEWS: REVIEWS_OF_USERS,
    },
    # A film's page that was saved without its head still has the link of its heading.
    itself=f"{CANONICAL} | {MAIN}[.//li[{has('nav_summary', 'active_nav')}]]//h1[{has('product_title')}]/a/@href",
    # Some pages were saved without their end. The foot is behind all reviews, and so is the last number of the paging.
    end=("</html>", 'id="mastfoot"', 'class="page last_page'),
)
