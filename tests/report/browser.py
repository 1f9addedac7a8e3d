"""Chromium, as people open a page that they have on disk."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

PROGRAM = "chromium"

# The contrast of each text with what is behind it, by WCAG 2.2; the lowest of them, and how many there were.
CONTRAST = """() => {
  const light = color => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.documentElement).backgroundColor);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("title, style")) continue;
    const style = getComputedStyle(element);
    const ink = light(element.ownerSVGElement ? style.fill : style.color);
    found.push((Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05));
  }
  return [Math.min(...found), found.length];
}"""
# The letters of drawings as they are on the screen.
SMALLEST = """() => Math.min(...[...document.querySelectorAll("svg text")].map(
  text => parseFloat(getComputedStyle(text).fontSize) * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b)))"""
PAST_THE_EDGE = """() => [...document.querySelectorAll("body *")].filter(
  one => one.getBoundingClientRect().right > innerWidth + 0.5 || one.getBoundingClientRect().left < -0.5
).map(one => one.outerHTML.slice(0, 80))"""
WIDTHS = "() => [document.documentElement.scrollWidth, innerWidth]"


def installed() -> bool:
    return shutil.which(PROGRAM) is not None


@contextmanager
def running() -> Iterator[Browser]:
    with sync_playwright() as driver:
        # The sandbox does not run as root, and the page is our own.
        browser = driver.chromium.launch(executable_path=shutil.which(PROGRAM), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, path: Path, noted: list[str], **as_what: Any) -> Iterator[Page]:
    """Open a page; notes what it asks for beside itself, and what the console says."""
    context = browser.new_context(**as_what)
    page = context.new_page()
    page.on("request", lambda request: noted.append(request.url))
    page.on("console", lambda message: noted.append(message.text))
    page.on("pageerror", lambda error: noted.append(str(error)))
    page.goto(path.as_uri())
    noted.remove(path.as_uri())
    yield page
    context.close()
