"""The report in a browser: on a large screen and a phone, in light and dark, and on paper."""

import datetime as dt
import re
from dataclasses import replace

import pytest

from metacrawl.items import CriticReview, Movie
from metacrawl.outcome import Outcome
from tests.conftest import lack
from tests.report import browser
from tests.report.parts import Page, as_read, page_of, store, truth
from tests.report.test_page import HOSTILE, SITE

SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3, "is_mobile": True},
    "tablet": {"viewport": {"width": 768, "height": 1024}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "dark phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def chromium():
    if not browser.installed():
        lack("Chromium is missing: apt-get install --no-install-recommends chromium")
    with browser.running() as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of the demo site's truth, with films of hostile titles that moved most and differ most."""
    folder = tmp_path_factory.mktemp("report")
    url = f"sqlite:///{folder / 'metacrawl.db'}"
    films = [
        as_read(Movie(key=f"f{n}", slug=f"f{n}", url=f"{SITE}/movie/f{n}", title=title, metascore=n, user_score=9.5))
        for n, title in enumerate(HOSTILE)
    ]
    before = [
        replace(one, metascore=99, user_score=0.0, captured_at=dt.datetime(2014, 1, 1, tzinfo=dt.UTC)) for one in films
    ]
    reviews = [
        as_read(CriticReview(key=f"f{n}/{name}/{m}", movie_slug=f"f{n}", publication=name, score=50))
        for n in range(len(HOSTILE))
        for m in range(20)
        for name in HOSTILE
    ]
    store(url, before, movie=HOSTILE[0])
    store(url, [*truth(), *films, *reviews], Outcome.RATE_LIMITED, movie=HOSTILE[-2])
    path = folder / "report.html"
    path.write_text(page_of(url), encoding="utf-8")
    return path


@pytest.mark.parametrize("screen", SCREENS)
def test_on_a_screen(chromium, report, screen):
    noted = []
    with browser.opened(chromium, report, noted, **SCREENS[screen]) as page:
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        width, room = page.evaluate(browser.WIDTHS)
        assert width <= room == SCREENS[screen]["viewport"]["width"]
        assert page.evaluate(browser.PAST_THE_EDGE) == []
        contrast, texts = page.evaluate(browser.CONTRAST)
        assert texts > 1000
        assert contrast >= 4.5
        assert page.evaluate(browser.SMALLEST) >= 10.5
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert paper == ("rgb(21, 24, 27)" if "dark" in screen else "rgb(251, 250, 246)")
        # What is drawn has the page's colours.
        bar = page.locator("svg .mark-rect path").first.evaluate("one => getComputedStyle(one).fill")
        assert bar == ("rgb(117, 183, 226)" if "dark" in screen else "rgb(31, 95, 139)")
    assert noted == []


def test_on_paper(chromium, report):
    noted = []
    with browser.opened(chromium, report, noted, viewport={"width": 718, "height": 1000}, color_scheme="dark") as page:
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate(browser.CONTRAST)[0] >= 4.5
        assert page.evaluate(browser.WIDTHS) == [718, 718]
        assert page.evaluate(browser.PAST_THE_EDGE) == []
        assert not page.locator("summary").first.is_visible()
    assert noted == []


def test_it_shows_the_numbers_that_it_holds(chromium, report):
    """Those on the screen are those of the file, of which the other tests tell that they are the database's."""
    written = Page(re.sub(r"[\x01]", "", report.read_text(encoding="utf-8")))
    with browser.opened(chromium, report, []) as page:
        for name, number in written.glance().items():
            [shown] = page.locator("dl div", has_text=name).locator("dd").all_inner_texts()
            assert shown == number
        labels = page.locator("figure", has_text="Generous and strict").locator("svg text").all_text_contents()
        shown = [label for label in labels if re.fullmatch("[+\N{MINUS SIGN}][0-9]+[.][0-9]", label)]
        assert shown == [row[3] for row in written.table("Generous and strict publications")]


def test_a_keyboard_opens_the_numbers(chromium, report):
    with browser.opened(chromium, report, []) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        assert page.locator("figure table").first.is_visible()


DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@pytest.mark.parametrize(
    ("harm", "is_done"),
    [
        ("<script>document.title = 'ran'</script>", "document.title == 'ran'"),
        (f"<img src='{DOT}'>", "document.images[0].naturalWidth == 1"),
        ("<p id=smuggled style='color: red'>", "getComputedStyle(smuggled).color == 'rgb(255, 0, 0)'"),
    ],
    ids=["script", "image", "style"],
)
def test_the_policy_stops_what_is_smuggled_in(chromium, report, tmp_path, harm, is_done):
    text = report.read_text(encoding="utf-8").replace("</main>", f"{harm}</main>")
    done = []
    for page in (text, re.sub(r"<meta http-equiv[^>]*>", "", text)):
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        with browser.opened(chromium, path, []) as opened:
            done.append(opened.evaluate(is_done))
    assert done == [False, True]
