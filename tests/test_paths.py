"""Names of files: whatever the site says, nothing is written but where it belongs, and no link is followed."""

import random
import re
from copy import deepcopy

import pytest

from metacrawl import runfile
from metacrawl.demo.content import build_world
from metacrawl.demo.saved import save_folder
from metacrawl.demo.world import World
from metacrawl.evidence import Evidence

PARTS = [
    *(
        "../",
        "..\\",
        "/",
        "\\",
        "..",
        ".",
        "\0",
        "%2e%2e%2f",
        "%00",
        "~",
        "/etc/passwd",
        "C:\\",
        "file://",
        "||",
        "$(id)",
    ),
    *(
        "CON",
        "con",
        "NUL.txt",
        "her",
        "HER",
        "é",
        "e\u0301",
        "映画",
        "\u202e",
        "\u200f",
        "\n",
        "\r",
        "\t",
        " ",
        "-",
        "*",
        "?",
    ),
    *("a" * 300, "映" * 100, ";rm -rf .", "'", '"', "`", "\ud800", "\U0001f600"),
]


def names(number):
    """Make names of the parts above, the same at each time."""
    dice = random.Random(6)  # noqa: S311 - no secret
    return ["".join(dice.choices(PARTS, k=dice.randint(1, 6))) for _ in range(number)]


def test_evidence_stays_in_its_folder(tmp_path, monkeypatch):
    """Problems are named by the program, not by the site; were they not, nothing would come of it."""
    # The fewer there are, the faster is the next one.
    monkeypatch.setattr("metacrawl.evidence.MOST_FILES", 3)
    evidence = Evidence(tmp_path / "runs" / "evidence", 30)
    for number, name in enumerate(names(10_000)):
        evidence.keep(number % 500, name, name.encode("utf-8", "replace"))
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["evidence"]
    kept = list((tmp_path / "runs/evidence").iterdir())
    assert kept
    assert all(re.fullmatch(r"run-[0-9]+-[a-z0-9-]*\.(html|json)\.gz", path.name) and path.is_file() for path in kept)


def planted(folder, *files):
    """Lay links under names of files, to one elsewhere; give that."""
    folder.mkdir(parents=True)
    elsewhere = folder.parent / "elsewhere"
    elsewhere.write_text("of others", encoding="utf-8")
    for name in files:
        (folder / name).symlink_to(elsewhere)
    return elsewhere


def test_a_link_in_place_of_the_record_of_a_run_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(runfile.os, "getpid", lambda: 1)
    name = "20260101T000000Z-run-7"
    elsewhere = planted(tmp_path / "runs", f"{name}.json", f"{name}.1.tmp")
    path = runfile.write(tmp_path / "runs", {"run": 7, "started_at": "2026-01-01T00:00:00Z"})
    assert elsewhere.read_text(encoding="utf-8") == "of others"
    assert list((tmp_path / "runs").iterdir()) == [path]
    assert not path.is_symlink()


def test_a_link_in_place_of_evidence_is_left_alone(tmp_path):
    evidence = Evidence(tmp_path / "runs", 30)
    kept = evidence.keep(1, "layout", b"page")
    kept.unlink()
    elsewhere = tmp_path / "elsewhere"
    kept.symlink_to(elsewhere)
    assert evidence.keep(1, "layout", b"page") is None
    assert not elsewhere.exists()


@pytest.mark.parametrize("layout", ["2016", "2026"])
def test_saved_demo_pages_stay_in_their_folder(whole_film, tmp_path, layout):
    films = []
    for number, name in enumerate(("../../up", "/etc/passwd", "..", "C:\\con", "~", "%2e%2e%2fup")):
        films.append(deepcopy(whole_film))
        films[-1].title, films[-1].slug = name, name if number % 2 else f"film-{number}"
    files = save_folder(World(films=films), tmp_path / "in" / "pages", layout)
    assert files
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["pages"]
    assert all((tmp_path / "in/pages").resolve() in path.resolve().parents for path in files)


@pytest.fixture(scope="module")
def whole_film():
    return build_world().film("nightjar")
