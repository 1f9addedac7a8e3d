import gzip
import re

import pytest
from warcio.archiveiterator import ArchiveIterator

from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.demo.saved import SAVED_AT, save_folder, save_warc
from metacrawl.demo.world import World

SLUGS = ("who-the-%-is-ada-marrow", "three-small-bells", "nightjar", "star-courier-part-ii---the-long-orbit")


@pytest.fixture(scope="module")
def few() -> World:
    world = build_world()
    return World(films=[world.film(slug) for slug in SLUGS])


@pytest.mark.parametrize("layout", ["2010", "2016", "2023", "2026"])
def test_folder_has_each_page_in_the_manner_of_its_film(few, tmp_path, layout):
    files = save_folder(few, tmp_path, layout)
    assert len(files) == len(set(files)) == len([path for path in tmp_path.rglob("*") if path.is_file()])
    mirrored, chrome, firefox, compressed = (files_of(film.title, files) for film in few.films)
    assert "www.metacritic.com/movie/who-the-%25-is-ada-marrow.html" in {
        str(file.relative_to(tmp_path)) for file in mirrored
    }
    assert all(file.parent == tmp_path and file.suffix == ".html" for file in chrome + firefox)
    for file in chrome:
        length, url = re.search(r"<!-- saved from url=\((\d{4})\)(\S+) -->", file.read_text("utf-8")).groups()
        assert int(length) == len(url)
        assert "/movie/three-small-bells" in url
    assert all("saved from" not in file.read_text("utf-8") for file in firefox)
    assert all(not re.search('href="/[a-z]', file.read_text("utf-8")) for file in chrome + firefox)
    assert all(b"Star Courier" in gzip.decompress(file.read_bytes()) for file in compressed)


def files_of(film, files):
    """Tell the files of a film by the titles in them."""
    texts = {file: gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes() for file in files}
    return [
        file for file in files if film in re.search("<title[^>]*>(.*?)</title>", texts[file].decode(), re.DOTALL)[1]
    ]


def test_mirrored_pages_are_the_sites_bytes(few, tmp_path):
    save_folder(few, tmp_path, "2016")
    page = designs(few)["2016"].answer(f"/movie/{SLUGS[0]}", {})
    assert (tmp_path / "www.metacritic.com/movie/who-the-%25-is-ada-marrow.html").read_text("utf-8") == page
    last = tmp_path / f"www.metacritic.com/movie/{SLUGS[3]}/user-reviews?page=2.html.gz"
    assert gzip.decompress(last.read_bytes())


@pytest.mark.parametrize("compressed", [True, False])
def test_warc(few, tmp_path, compressed):
    path = tmp_path / "crawl.warc"
    save_warc(few, path, "2016", gzip=compressed)
    assert path.read_bytes().startswith(b"\x1f\x8b" if compressed else b"WARC/1.")
    pages, kinds, encodings = {}, [], set()
    with path.open("rb") as file:
        for record in ArchiveIterator(file):
            kinds.append(record.rec_type)
            if record.rec_type == "response":
                headers = record.http_headers
                url, status = record.rec_headers["WARC-Target-URI"], headers.get_statuscode()
                encodings.add((headers["Content-Encoding"], headers["Transfer-Encoding"]))
                pages[url] = (status, headers["Content-Type"], record.content_stream().read())
                assert record.rec_headers["WARC-Date"] > f"{SAVED_AT['2016']:%Y-%m-%dT%H:%M:%SZ}"
    assert kinds[0] == "warcinfo"
    assert kinds[-1] == "revisit"
    assert kinds.count("request") == kinds.count("response") == len(pages)
    assert encodings == {(None, None), ("gzip", None), (None, "chunked"), ("gzip", "chunked")}
    assert {status for status, _, _ in pages.values()} == {"200", "404", "301"}
    design = designs(few)["2016"]
    for slug in ("three-small-bells", "nightjar"):
        for page in ("", "/details", "/critic-reviews", "/user-reviews"):
            status, kind, body = pages[f"https://www.metacritic.com/movie/{slug}{page}"]
            assert (status, kind) == ("200", "text/html; charset=utf-8")
            assert body.decode() == design.answer(f"/movie/{slug}{page}", {})
