"""requirements.lock: what is installed where the program serves."""

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def pins(text):
    """Read `name==version` lines, each with its hashes."""
    entries = re.sub(r"\\\n", " ", re.sub(r"^ *(#|-r ).*$", "", text, flags=re.MULTILINE)).split("\n")
    return {canonicalize_name(Requirement(name).name): entry for entry in entries if (name := entry.partition(" ")[0])}


def versions(text):
    found = {name: Requirement(entry.partition(" ")[0]) for name, entry in pins(text).items()}
    return {name: str(requirement.specifier) for name, requirement in found.items()}


def test_it_has_what_is_asked_for_in_the_same_version():
    asked_for = versions((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert asked_for
    assert asked_for.items() <= versions(LOCK).items()


def test_it_is_complete_but_for_what_is_left_out():
    """That nothing else is missing is seen where `.ci/run` installs it."""
    assert "rfc3987" not in pins(LOCK)
    assert "# rfc3987" in LOCK
    assert {"queuelib", "jsonschema", "playwright", "greenlet", "psycopg-binary"} <= set(pins(LOCK))


def test_each_file_has_its_hash():
    for entry in pins(LOCK).values():
        assert re.fullmatch(r"[\w.\[\],-]+==[\w.]+( +--hash=sha256:[0-9a-f]{64})+ *", entry)


def test_it_names_no_place():
    assert not re.search(r"://|^-|--(extra-)?index-url|--find-links|(^|\s)/", LOCK, re.MULTILINE)


def test_it_is_for_both_kinds_of_machine():
    """Whoever builds for the other kind gets other files: those have more than one hash."""
    for name in ("lxml", "msgspec", "psycopg-binary", "cryptography", "aiohttp"):
        assert pins(LOCK)[name].count("--hash=") > 10


def test_scrapyds_server_has_the_same_and_what_it_needs_besides():
    lock = (ROOT / "deploy" / "requirements.lock").read_text(encoding="utf-8")
    more = versions((ROOT / "deploy" / "requirements.txt").read_text(encoding="utf-8"))
    assert set(more) == {"scrapyd", "scrapyd-client", "setuptools"}
    assert (more | versions(LOCK)).items() <= versions(lock).items()
    for entry in pins(lock).values():
        assert re.fullmatch(r"[\w.\[\],-]+==[\w.]+( +--hash=sha256:[0-9a-f]{64})+ *", entry)


def test_the_licence_of_each_is_told():
    table = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").partition("| package |")[2]
    told = dict(re.findall(r"^\| ([\w-]+) \| (.+) \|$", table, re.MULTILINE))
    assert list(told) == sorted(pins(LOCK))
