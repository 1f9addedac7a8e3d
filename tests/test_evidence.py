"""Pages kept as evidence: readable again, few, and no danger to the disk."""

import gzip
import os

import pytest

from metacrawl import evidence
from metacrawl.evidence import keep


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
