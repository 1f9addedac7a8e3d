"""The egg has all that the program needs, and nothing else."""

import os
import re
import subprocess
import sys
import zipfile

import pytest

from metacrawl.items import Movie
from tests.conftest import ROOT
from tests.report.parts import SITE, Page, as_read, store

PACKAGE = ROOT / "metacrawl"
RENDER = """
import metacrawl
from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
print(metacrawl.__file__)
for name, design in designs(build_world()).items():
    assert "Nightjar" in design.answer("/movie/nightjar", {})
    print(name)
"""


@pytest.fixture
def run(egg, sqlite_url, tmp_path):
    """Run Python where nothing of the program is but the egg."""

    def run(*arguments):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("METACRAWL_", "COV"))}
        ours = {"PYTHONPATH": str(egg), "SCRAPY_SETTINGS_MODULE": "metacrawl.settings"}
        command = [sys.executable, *map(str, arguments)]
        given = kept | ours | {"METACRAWL_DATABASE_URL": sqlite_url}
        return subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_it_has_each_file_of_the_package_and_no_other(egg):
    with zipfile.ZipFile(egg) as archive:
        names = {name for name in archive.namelist() if not name.endswith((".pyc", "/"))}
    package = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    about = {name for name in names if name.startswith("EGG-INFO/")}
    assert names - about == package
    assert "EGG-INFO/entry_points.txt" in about


def test_it_names_its_settings(egg):
    """Scrapyd looks for them here."""
    with zipfile.ZipFile(egg) as archive:
        points = archive.read("EGG-INFO/entry_points.txt").decode()
    assert re.fullmatch(r"\[scrapy\]\s+settings = metacrawl\.settings\s*", points)


def test_building_leaves_nothing_in_the_checkout(egg):
    assert not {"build", "dist", "metacrawl.egg-info", "project.egg-info"} & {path.name for path in ROOT.iterdir()}


def test_it_makes_the_pages_of_the_demo_site(run, egg):
    made = run("-c", RENDER)
    assert made.stdout.split() == [f"{egg}/metacrawl/__init__.py", "2010", "2016", "2023", "2026"], made.stderr


def test_it_makes_a_report(run, sqlite_url, tmp_path):
    store(sqlite_url, [as_read(Movie(key="a", slug="a", url=f"{SITE}/movie/a", title="Amber", metascore=71))])
    made = run("-m", "scrapy", "report", "--to", "page.html")
    assert made.returncode == 0, made.stderr
    assert Page((tmp_path / "page.html").read_text(encoding="utf-8")).glance()["Films"] == "1"
