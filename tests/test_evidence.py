"""Pages kept as evidence: readable again, few, and no danger to the disk."""

import gzip
import os
import time

import pytest
from scrapy.settings import Settings

from metacrawl import evidence
from metacrawl.evidence import DAY, Evidence
from metacrawl.outcome import ConfigError


def keep(runs, *page):
    return Evidence(runs / "evidence", 30_000).keep(*page)


def files(runs):
    return sorted(path.name for path in (runs / "evidence").iterdir())


def test_a_page_is_kept_as_it_came(tmp_path):
    path = keep(tmp_path, 12, "layout", b"<html>caf\xe9</html>")
    assert path.parent == tmp_path / "evidence"
    assert path.name.startswith("run-12-layout-")
    assert path.name.endswith(".html.gz")
    assert gzip.decompress(path.read_bytes()) == b"<html>caf\xe9</html>"
    assert keep(tmp_path, 12, "layout", b' {"data": 1}').name.endswith(".json.gz")


def test_the_same_page_is_kept_once(tmp_path):
    assert keep(tmp_path, 1, "layout", b"page") == keep(tmp_path, 1, "layout", b"page")
    assert len(files(tmp_path)) == 1


def test_of_one_problem_of_a_run_only_the_first_pages_are_kept(tmp_path):
    kept = [keep(tmp_path, 1, "layout", b"%d" % number) for number in range(5)]
    assert [bool(path) for path in kept] == [True, True, True, False, False]
    assert keep(tmp_path, 1, "blocked", b"9")
    assert keep(tmp_path, 11, "layout", b"9")


def test_the_oldest_go_where_there_are_too_many(tmp_path):
    for run in range(evidence.MOST_FILES + 2):
        os.utime(keep(tmp_path, run, "layout", b"page"), (run, run))
    assert len(files(tmp_path)) == evidence.MOST_FILES
    assert not [name for name in files(tmp_path) if name.startswith(("run-0-", "run-1-"))]


def test_the_oldest_go_where_they_take_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "MOST_BYTES", 2500)
    for run in range(5):
        os.utime(keep(tmp_path, run, "layout", os.urandom(1000)), (run, run))
    assert [name[:6] for name in files(tmp_path)] == ["run-3-", "run-4-"]


@pytest.mark.parametrize("problem", ["../../up", "a/b", "ill\n\x1b[31m", "*"])
def test_no_text_of_the_sites_leads_out_of_the_folder(tmp_path, problem):
    path = keep(tmp_path, 1, problem, b"page")
    assert path.parent == tmp_path / "evidence"
    assert path.resolve() == path
    assert path.name.isprintable()


def test_a_link_in_the_place_of_a_file_is_not_written_through(tmp_path):
    path = keep(tmp_path, 1, "layout", b"page")
    path.unlink()
    target = tmp_path / "target"
    path.symlink_to(target)
    assert keep(tmp_path, 1, "layout", b"page") is None
    assert not target.exists()


def test_a_disk_that_takes_no_more_is_no_failure(tmp_path, caplog):
    (tmp_path / "evidence").write_text("a file where the folder should be", encoding="utf-8")
    assert keep(tmp_path, 1, "layout", b"page") is None
    assert "cannot be kept as evidence" in caplog.text


def test_half_a_file_is_removed(tmp_path, monkeypatch):
    class FullDisk:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def write(self, _):
            raise OSError(28, "No space left on device")

    opened = type(tmp_path).open

    def open_full(path, mode):
        opened(path, mode).close()
        return FullDisk()

    monkeypatch.setattr(type(tmp_path), "open", open_full)
    assert keep(tmp_path, 1, "layout", b"page") is None
    assert files(tmp_path) == []


def make(runs, **settings):
    given = {"METACRAWL_AUTHORS": "keep", "METACRAWL_AUTHORS_KEY": "a key that is long enough"}
    return Evidence.of(Settings(given | {"METACRAWL_EVIDENCE_DAYS": "30", "METACRAWL_RUNS": str(runs)} | settings))


def age_by(days, path):
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def test_what_was_kept_for_long_enough_goes_and_nothing_else(tmp_path):
    evidence = make(tmp_path)
    old, young = evidence.keep(1, "layout", b"old"), evidence.keep(2, "layout", b"young")
    age_by(31, old)
    age_by(29, young)
    evidence.expire()
    assert files(tmp_path) == [young.name]
    age_by(31, young)
    newest = evidence.keep(3, "layout", b"newest")
    assert files(tmp_path) == [newest.name]


def test_what_seems_to_be_of_a_time_to_come_goes_too(tmp_path):
    evidence = make(tmp_path)
    kept = [evidence.keep(number, "layout", b"page") for number in range(2)]
    age_by(-31, kept[0])
    age_by(-29, kept[1])
    evidence.expire()
    assert files(tmp_path) == [kept[1].name]
    make(tmp_path, METACRAWL_EVIDENCE_DAYS="0").expire()
    assert files(tmp_path) == []


def test_what_cannot_be_removed_keeps_nothing_else(tmp_path, monkeypatch, caplog):
    evidence = make(tmp_path)
    kept = [evidence.keep(number, "layout", b"page") for number in range(3)]
    for path in kept:
        age_by(31, path)
    unlink = type(tmp_path).unlink
    stuck = next(evidence.folder.glob("*.gz"))

    def refuse(path, **how):
        if path == stuck:
            raise PermissionError(13, "Permission denied")
        unlink(path, **how)

    monkeypatch.setattr(type(tmp_path), "unlink", refuse)
    evidence.expire()
    assert files(tmp_path) == [stuck.name]
    assert f"{stuck}: old evidence cannot be removed: Permission denied" in caplog.text


def test_without_a_folder_nothing_is_removed(tmp_path):
    make(tmp_path).expire()
    assert list(tmp_path.iterdir()) == []


def test_none_is_kept_for_no_day(tmp_path):
    make(tmp_path).keep(1, "layout", b"page")
    none = make(tmp_path, METACRAWL_EVIDENCE_DAYS="0")
    assert none.keep(1, "layout", b"other page") is None
    none.expire()
    assert files(tmp_path) == []


@pytest.mark.parametrize(("policy", "kept"), [("keep", True), ("pseudonym", False), ("drop", False)])
def test_a_page_has_names_and_is_kept_only_where_names_are(tmp_path, policy, kept):
    assert bool(make(tmp_path, METACRAWL_AUTHORS=policy).keep(1, "layout", b"page")) == kept


@pytest.mark.parametrize("days", ["-1", "nan", "inf", "a month", ""])
def test_what_is_no_number_of_days_is_named(tmp_path, days):
    with pytest.raises(ConfigError, match=f"METACRAWL_EVIDENCE_DAYS={days} is no number of days"):
        make(tmp_path, METACRAWL_EVIDENCE_DAYS=days)
