"""A dataset's folder is a whole dataset at any moment, and nobody else's."""

import json
from pathlib import Path

import pytest

from metacrawl.dataset import publish
from metacrawl.dataset.publish import LOCK, publishing, remove_earlier
from metacrawl.outcome import ConfigError, LockedError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "dataset"


@pytest.fixture
def versions(tmp_path):
    return tmp_path / ".dataset.versions"


def put(folder, text):
    with publishing(folder) as place:
        (place / "movies.jsonl").write_text(text, encoding="utf-8")


def shown(folder):
    return (folder / "movies.jsonl").read_text(encoding="utf-8")


def names(versions):
    return sorted(path.name for path in versions.iterdir() if path.name != LOCK)


def test_the_version_before_stays_for_its_readers_and_no_other(folder, versions):
    seen = []
    for number in range(4):
        put(folder, str(number))
        seen.append(folder.resolve())
        assert shown(folder) == str(number)
    assert [path.exists() for path in seen] == [False, False, True, True]
    assert names(versions) == [seen[2].name, seen[3].name]
    assert not folder.readlink().is_absolute()
    assert sorted(path.name for path in folder.parent.iterdir()) == [versions.name, folder.name]


def test_one_that_fails_leaves_what_was(folder, versions):
    put(folder, "old")
    before = names(versions)

    def fail():
        with publishing(folder) as place:
            (place / "movies.jsonl").write_text("half", encoding="utf-8")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail()
    assert (shown(folder), names(versions)) == ("old", before)


@pytest.mark.parametrize("step", ["persist", "show", "flush", "clean"])
def test_one_that_is_killed_leaves_a_whole_dataset_and_nothing_after_the_next(folder, versions, monkeypatch, step):
    """As after a kill at each step: what runs when a process is only stopped does not run."""
    put(folder, "old")
    put(folder, "older readers are at this")
    real, before = getattr(publish, step), shown(folder)
    steps = []

    def kill(*arguments):
        steps.append(step)
        if step == "clean" and len(steps) == 1:
            return real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(publish, step, kill)
    monkeypatch.setattr(publish.shutil, "rmtree", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        put(folder, "new")
    monkeypatch.undo()
    assert shown(folder) == ("new" if step == "clean" else before)
    put(folder, "newest")
    assert shown(folder) == "newest"
    assert len(names(versions)) == 2


def test_leftovers_go_before_the_next_is_written(folder, versions):
    """So the disk holds one unfinished dataset at most."""
    put(folder, "old")
    for number in range(5):
        (versions / f"9999010{number}T000000.000000Z-dead").mkdir()
    (versions / "link").symlink_to("nowhere")
    with publishing(folder) as place:
        assert names(versions) == [folder.readlink().name, place.name]


def test_two_exports_at_once_are_kept_apart(folder):
    with publishing(folder), pytest.raises(LockedError, match=f"another export is writing {folder}"):
        put(folder, "other")
    put(folder, "new")
    assert shown(folder) == "new"


def test_without_the_lock_one_would_remove_what_the_other_writes(folder, monkeypatch):
    monkeypatch.setattr(publish.FileLock, "acquire", lambda *_, **__: None)

    def both():
        with publishing(folder) as place:
            put(folder, "other")
            (place / "movies.jsonl").write_text("new", encoding="utf-8")

    with pytest.raises(FileNotFoundError):
        both()


@pytest.mark.parametrize(
    "files",
    [
        [],
        ["movies.jsonl", "critic_reviews.jsonl", "user_reviews.jsonl", "movies.csv"],
        ["datapackage.json", "README.md", "SHA256SUMS", "croissant.json", "metacrawl.sqlite"],
    ],
    ids=["empty", "of an older metacrawl", "a copy of a dataset"],
)
def test_a_folder_that_is_a_dataset_becomes_the_version_before(folder, versions, files):
    folder.mkdir()
    for name in files:
        (folder / name).write_text("old", encoding="utf-8")
    if "datapackage.json" in files:
        described = {"metacrawl": {}, "resources": [{"path": "metacrawl.sqlite"}]}
        (folder / "datapackage.json").write_text(json.dumps(described), encoding="utf-8")
    put(folder, "new")
    assert shown(folder) == "new"
    first, second = names(versions)
    assert second == folder.resolve().name
    assert sorted(path.name for path in (versions / first).iterdir()) == sorted(files)


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (["movies.jsonl", "thesis.odt"], "thesis.odt"),
        (["README.md"], "README.md"),
        (["datapackage.json"], "datapackage.json"),
        (["movies.parquet"], "movies.parquet"),
    ],
)
def test_a_folder_that_holds_other_things_is_left_alone(folder, versions, files, named):
    folder.mkdir()
    for name in files:
        (folder / name).write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"holds other things, such as {named}: give the dataset a folder of its own"):
        put(folder, "new")
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)
    assert not versions.exists()


def test_a_link_to_elsewhere_is_not_followed(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    with pytest.raises(ConfigError, match=r"is a link to .*elsewhere: give the dataset a folder of its own"):
        put(folder, "new")
    assert list(elsewhere.iterdir()) == []


def test_a_link_among_the_versions_is_not_followed(folder, versions, tmp_path):
    put(folder, "old")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    for name in ("link", "20000101T000000.000000Z-aaaa"):
        (versions / name).symlink_to(elsewhere)
    put(folder, "new")
    assert (elsewhere / "precious").exists()
    assert shown(folder) == "new"


def test_a_file_is_no_folder(folder):
    folder.touch()
    with pytest.raises(FileExistsError):
        put(folder, "new")


def test_earlier_versions_are_removed_on_demand(folder, versions):
    put(folder, "old")
    put(folder, "new")
    remove_earlier(folder)
    assert (shown(folder), len(names(versions))) == ("new", 1)


def test_what_is_shown_stays_though_what_comes_after_fails(folder, monkeypatch):
    put(folder, "old")
    real = publish.flush

    def fail(path):
        if path == folder.parent:
            raise KeyboardInterrupt
        real(path)

    monkeypatch.setattr(publish, "flush", fail)
    with pytest.raises(KeyboardInterrupt):
        put(folder, "new")
    assert shown(folder) == "new"


def test_a_folder_that_a_killed_export_was_taking_over_is_shown_again(folder, monkeypatch):
    folder.mkdir()
    (folder / "movies.jsonl").write_text("old", encoding="utf-8")

    def kill(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(publish.Path, "replace", kill)
    with pytest.raises(KeyboardInterrupt):
        put(folder, "new")
    monkeypatch.undo()
    assert not folder.exists()

    def fail():
        with publishing(folder):
            assert shown(folder) == "old"
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail()
    assert shown(folder) == "old"


def test_a_folder_that_no_link_can_replace_is_refused(folder, monkeypatch):
    put(folder, "old")
    monkeypatch.chdir(folder)
    for place in (folder.resolve(), Path(), Path("/")):
        with pytest.raises(ConfigError, match="cannot become a link"):
            put(place, "new")
    assert shown(folder) == "old"
    assert folder.resolve().is_dir()
