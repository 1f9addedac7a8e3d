"""No regular expression of ours takes more than linear time, whatever it is applied to."""

import importlib
import pkgutil
import re
import time
from pathlib import Path

import pytest

import metacrawl

LENGTH = 5_000
# What patterns repeat, and what keeps them from coming to an end.
PARTS = (
    " ",
    "\n",
    "a",
    "A",
    "1",
    "1,111,",
    "1.",
    "-",
    "/",
    "/a",
    ".",
    '"',
    "'",
    "\\",
    "\\u",
    "\\ud83d",
    "<",
    "<script ",
)
PARTS += (
    "<!--",
    "?a=1",
    "@a=",
    "%3F",
    "&",
    "a: ",
    "(",
    "loadPage:",
    "/web/2014",
    "content-type:",
    "\r\n",
    "\ufffd",
    "é",
)
ENDS = ("", "\0")
# What looks for a pattern anywhere; others hold it against the whole text, or its beginning.
ANYWHERE = r"\.(?:search|sub|finditer|findall|split)\b"
SOURCE = "\n".join(path.read_text("utf-8") for path in Path(metacrawl.__file__).parent.rglob("*.py"))
# Below this a growth cannot be told from chance.
SECONDS = 0.05


def patterns():
    """Give each pattern that a module holds, by its name."""
    for module in pkgutil.walk_packages(metacrawl.__path__, "metacrawl."):
        if not module.name.startswith(("metacrawl.demo", "metacrawl.commands")) and "__main__" not in module.name:
            for name, value in sorted(vars(importlib.import_module(module.name)).items()):
                if isinstance(value, re.Pattern):
                    anywhere = re.search(rf"\b{name}{ANYWHERE}", SOURCE) is not None
                    yield pytest.param(value, anywhere, id=f"{module.name}.{name}")


def seconds(pattern, text, *, anywhere):
    """Measure how long a pattern takes."""
    taken = []
    # The least of several: the first may have to wait for other things.
    while len(taken) < 3 and min(taken, default=1) > SECONDS:
        before = time.thread_time()
        pattern.fullmatch(text)
        if anywhere:
            pattern.findall(text)
        taken.append(time.thread_time() - before)
    return min(taken)


@pytest.mark.parametrize(("pattern", "anywhere"), list(patterns()))
def test_twice_the_text_takes_no_more_than_twice_the_time(pattern, anywhere):
    for part in PARTS:
        for end in ENDS:
            once, twice = part * LENGTH + end, part * LENGTH * 2 + end
            if isinstance(pattern.pattern, bytes):
                once, twice = once.encode(), twice.encode()
            taken = seconds(pattern, twice, anywhere=anywhere)
            # Quadratic time is four times as long.
            assert taken < SECONDS or taken < 3 * seconds(pattern, once, anywhere=anywhere), (part, end, taken)


def test_a_quadratic_pattern_is_found():
    with pytest.raises(AssertionError):
        test_twice_the_text_takes_no_more_than_twice_the_time(re.compile(r"\s+$"), anywhere=True)
