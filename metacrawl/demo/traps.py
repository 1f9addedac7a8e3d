"""Every difficulty of the real pages that the demo site has, and the film that carries it.

`TRAPS` names what one film has; `EVERYWHERE` what each page of 2016 has and `SINCE_2023` what the JSON has. The truth
reflects them all. Three more are off until a test sets them on a film: `broken_lists`, `scripted`, `moving_list`.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

from metacrawl.demo.world import Company, Film, Tally

EVERYWHERE = (
    "scores of other films in the menu (`large no_tbd`) and in the side column (`medium`), with their trailers",
    "the film's own scores again in the page's head (`header_size`), the side column and the rating popup",
    "eleven numbers of the rating widget that look like scores",
    "`a.see_all.boxed` with the number of reviews, and another one without",
    "ad units, among them one inside each list of reviews (`div.ad_unit.review`)",
    "days padded with a second space in reviews (`Jan  9, 2014`)",
    "bars whose count is 0 (`span.chart_wrapper` instead of a link) or has a thousands separator",
    "summaries and reviews cut short beside the full text, never marked as such in the full one",
    "JSON-LD with the key `actor` once per actor and a cut description",
    "the trailer's rating, which is not the film's",
    "two ways of writing a spoiler and of writing a break (films of even and odd numbers, `Film.markup`)",
    "genres in another order on the details page",
    "publications shown as a logo (those named Film Weekly)",
    "letters outside ASCII missing from slugs of people (Éloise is `loise-...`)",
    "producers among the credits, who are no cast",
)

SINCE_2023 = (
    "rows of films say 0 where a film has no score, and show another picture than its page",
    "neighbouring pages of films overlap by two, and films of equal score change places between requests",
    "lists of critics' reviews come by ten, whatever `limit` says; those of users by fifty at most",
    "a page shows the first reviews of a list only, and the best seven once more by their word",
    "the components of a page stand in its state a second time, among menus and advertisements",
    "places of filming, related films and articles, which are not the film's countries, nor the film",
    "only the first twenty of the cast; producers among the crew",
    "JSON-LD counts the reviews without a score too",
    "the trailer's own title and dates, which are not the film's",
    "line breaks as `\\r\\n` or as `\\n`; none in the cards",
    "the back end knows no earlier slug: only the site redirects",
)


@dataclass(frozen=True)
class Trap:
    """One difficulty on one film."""

    slug: str
    what: str
    set_up: Callable[[Film], None]
    """Changes the film so that it has the difficulty."""


def nothing(_: Film) -> None:
    """Set up a trap that the film has by its size, its title or its year."""


def many_ratings(film: Film) -> None:
    film.ratings = Tally(positive=12_408, mixed=1_077, negative=366)
    film.must_see = True


def list_moves(film: Film) -> None:
    film.moving_list = True


def no_user_score(film: Film) -> None:
    film.no_score = "zero"
    film.user_score, film.ratings = None, Tally(positive=0, mixed=0, negative=0)
    film.content_rating = film.home_release_date = None
    film.principal_cast, film.cast, film.rankings = [], [], []
    film.critic_reviews = [replace(piece, date=None) for piece in film.critic_reviews]


def no_reviews(film: Film) -> None:
    film.release_date = film.home_release_date = film.summary = film.imdb_id = film.tagline = None
    film.distributors, film.further_companies, film.awards = [], [], []
    film.no_score = "nothing"


def too_few_for_a_metascore(film: Film) -> None:
    film.metascore = None


def not_yet_accounts(film: Film) -> None:
    """Take the accounts from half of the users, two of whom have the same name."""
    for post in film.user_reviews[::2]:
        post.account = False
    film.user_reviews[4].author = film.user_reviews[10].author = "Anonymous T."
    film.user_reviews[6].author = "Jonas  O'Dell Jr."


def shown_again(film: Film) -> None:
    """Make the film a later release of an old one."""
    film.premiere_year = film.year - 41


def many_companies(film: Film) -> None:
    """Have a company for each country, under few names."""
    sellers = [Company(name=f"Velmont Classics {place}", slug=None) for place in ("Film", "Home Video", "(II)")]
    film.further_companies = [Company(name="Gull & Daughter", slug=None, kind="production"), *sellers * 12]


def long_strides(film: Film) -> None:
    film.long_strides = True


def edited(film: Film) -> None:
    """Have a review that was changed years later, and one by AnonymousMC."""
    film.user_reviews[0].saved_after = dt.timedelta(days=3000, hours=7, milliseconds=217)
    film.user_reviews[1].author = "AnonymousMC"
    film.user_reviews[1].account = False


def renamed(film: Film) -> None:
    film.old_slugs = ["the-mapmakers-daughter", "untitled-marsh-project"]


def critics_of_all_kinds(film: Film) -> None:
    """Make the first reviews in the list odd, each in its own way."""
    pieces = film.critic_reviews
    pieces[0].score = 100
    pieces[1].critic_slug = None
    pieces[2].critic = pieces[2].critic_slug = None
    pieces[3].publication, pieces[3].publication_slug = "The Old Harbour Bugle & Times", None
    pieces[4].link = None
    pieces[5].date = None
    for number in (6, 9):
        pieces[number] = replace(
            pieces[number],
            publication="Wire Service Halden",
            publication_slug="wire-service-halden",
            critic=None,
            critic_slug=None,
            excerpt=f"Unsigned notice, number {number // 4} of two.",
            link=f"http://www.halden.example/notices/{number}",
        )
    # of the two, the one that is first by score is first by date too
    later, earlier = sorted((day for number in (6, 9) if (day := pieces[number].date)), reverse=True)
    pieces[6].date, pieces[9].date = later, earlier
    pieces[-3].score = 0
    pieces[-1].score = pieces[-2].score = None
    pieces[-1].date = pieces[-1].link = None


ODD_TEXTS = (
    "tbd",
    " \n\n \t\n",
    "Tab\there,  two  spaces, a no-break\u00a0space,\u3000a wide one and a zero\u200bwidth mark\u200d.",
    "One break\nthen four\n\n\n\n  and blanks around \n the next.",
    'She said "go" & wrote <br> and <b>bold</b><script>document.title = "x"</script>, 5 < 6 > 4.',
    "AT&T, AT&amp;T and AT&amp;amp;T; &eacute; &#8217; &lt;br&gt;",
    "Café, naïve, jalapeño: it\u2019s \u201cfine\u201d\u2026 or so.",
    "\n\n  Breaks and blanks at both ends.  \n\n",
    "这部电影很慢,但是很美。\n音楽が素晴らしい。\nفيلم هادئ وجميل",
    "👩\u200d🚀🚀 Space! \u2764\ufe0f e\u0301 o\u0308 combining, \u200fright to left\u200e and \ufeffa mark",
    "Line\u2028separator, ****ed words and a [***SPOILER***] in words only.",
)


def texts_of_all_kinds(film: Film) -> None:
    """Give the first users odd texts; some with spoilers, which are always written the long way."""
    film.markup = 2017
    for number, (post, text) in enumerate(zip(film.user_reviews, ODD_TEXTS, strict=False)):
        post.text, post.spoiler = text, number % 5 == 4
    film.user_reviews[0].score, film.user_reviews[1].score = 10, 0


def longest_and_shortest(film: Film) -> None:
    words = " ".join(post.text for post in film.user_reviews[:60]).split()[:600]
    film.user_reviews[0].text = "\n\n".join(" ".join(words[start : start + 100]) for start in range(0, 600, 100))
    film.user_reviews[0].spoiler = film.user_reviews[1].spoiler = False
    film.user_reviews[1].text = "Nothing happens, twice. Loved it."


def crowded_credits(film: Film) -> None:
    """Have two directors, two languages and distributors, a repeated cast line, and people without a link."""
    film.directors.append(replace(film.producers[0], role="Director"))
    film.languages, film.countries = ["English", "Gaelic"], ["Ireland", "UK"]
    film.distributors.append(Company(name="Gull & Daughter", slug="gull-daughter"))
    film.cast.insert(1, film.principal_cast[0])
    film.cast[0] = replace(film.cast[0], slug=None)
    film.writers[0] = replace(film.writers[0], slug=None)
    film.official_site, film.home_release_date = (
        "http://www.brass-and-ivory.example/?from=site&lang=en",
        dt.date(2016, 3, 8),
    )


def bare_details(film: Film) -> None:
    film.bare_details, film.trailer_id = True, None
    film.cast, film.writers, film.producers, film.countries, film.languages = [], [], [], [], []
    film.home_release_date = film.production_company = film.official_site = None
    film.directors = [replace(credit, role=None) for credit in film.directors]
    film.principal_cast = [replace(credit, role=None) for credit in film.principal_cast]


def gaps(film: Film) -> None:
    film.content_rating = film.official_site = film.home_release_date = film.production_company = None
    film.rankings = []


TRAPS = (
    Trap("the-salt-orchard", "more than 300 user reviews: 4 pages, the last one short", nothing),
    Trap("the-salt-orchard", "thousands of ratings (`12,408`); the must-see badge", many_ratings),
    Trap("glass-meridian", "the list moves: page 1 repeats the last review of page 0", list_moves),
    Trap("paper-tides", "exactly 100 user reviews: one page, no paging block", nothing),
    Trap("winter-ferry", "exactly 200 user reviews: two full pages", nothing),
    Trap("harbour-of-strangers", "101 user reviews: a last page of one", nothing),
    Trap(
        "a-quiet-ledger",
        "no user score: empty `div.us_wrapper`, No reviews yet.; no dates, cast, rating",
        no_user_score,
    ),
    Trap("unfinished-weather", "no review of any kind, nor release date, distributor, summary", no_reviews),
    Trap("three-small-bells", "Metascore `tbd` in spite of reviews", too_few_for_a_metascore),
    Trap("nightjar", "users without an account, two of one name, one name with two spaces", not_yet_accounts),
    Trap("nightjar-2015", "the same title as another film, the year in its slug", nothing),
    Trap("who-the-%-is-ada-marrow", "a percent sign in the slug", nothing),
    Trap("star-courier-part-ii---the-long-orbit", "three hyphens in the slug", nothing),
    Trap("the-cartographers-daughter", "earlier slugs redirect, on all pages", renamed),
    Trap(
        "tin-orchestra",
        "critics without link or name, publication without link, print, undated, unscored, scores 0 and 100, two "
        "different reviews under one key",
        critics_of_all_kinds,
    ),
    Trap("harbour-of-strangers", "texts: white space, entities, scripts, `tbd`, nothing at all", texts_of_all_kinds),
    Trap("kettle-song", "texts of 5 and of 600 words", longest_and_shortest),
    Trap("brass-ivory", "`&` in the title; credits as `crowded_credits` says", crowded_credits),
    Trap("low-road-to-velmont", "a details page with the running time only; no trailer", bare_details),
    Trap("morning-twice", "no rating, official site, home release, production company", gaps),
    Trap("low-road-to-velmont", "no video either, in the JSON `null`", nothing),
    Trap("unfinished-weather", "lists of reviews without items; `null` for score and counts in the JSON", nothing),
    Trap("a-quiet-ledger", "0 as user score, with no ratings behind it", nothing),
    Trap("three-small-bells", "no Metascore in the JSON, and 0 as such in rows of films", nothing),
    Trap("paper-tides", "the year of an old premiere beside a new release", shown_again),
    Trap("winter-ferry", "37 rows of companies under few names", many_companies),
    Trap(
        "tin-orchestra",
        '`""` as critic, no slug of critic or publication, print with `null` or `""` as address',
        nothing,
    ),
    Trap(
        "kettle-song", "the next link goes on by the limit asked for: following it skips critics' reviews", long_strides
    ),
    Trap("glass-meridian", "a review edited years later; one by AnonymousMC, who is no account", edited),
    Trap("harbour-of-strangers", "spoilers: hidden in the cards since 2023, in full in the state", nothing),
)
