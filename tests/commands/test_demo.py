"""`scrapy demo`: the whole thing, and that it would notice if it were wrong."""

from dataclasses import replace

from metacrawl.demo.compare import differences
from metacrawl.demo.content import build_world
from metacrawl.demo.trial import report
from metacrawl.demo.truth import expected_records
from metacrawl.items import CriticReview, Movie, UserReview


def test_the_whole_demo_site_is_collected_without_a_difference(scrapy, tmp_path):
    folder = tmp_path / "demo"
    run = scrapy("demo", "--to", folder)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith("Every field of every record is as on the site.\n")
    world = build_world()
    names = ("movies", "critic_reviews", "user_reviews")
    counts = [len((folder / "dataset" / f"{name}.jsonl").read_bytes().splitlines()) for name in names]
    assert counts == [len(world.films), world.critic_review_count, world.user_review_count]
    assert counts[0] >= 60
    assert counts[1] + counts[2] >= 5000
    assert f"made from: {folder / 'demo.db'}" in run.stdout
    assert (folder / "demo.db").is_file()
    assert "INFO" not in run.stderr.partition("Versions:")[2]


def test_a_folder_that_holds_other_things_is_left_alone(scrapy, tmp_path):
    (tmp_path / "metacrawl.db").write_text("precious", encoding="utf-8")
    run = scrapy("demo", "--to", tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.splitlines()[-1].startswith(f"metacrawl: --to {tmp_path} holds other things")
    assert [path.name for path in tmp_path.iterdir()] == ["metacrawl.db"]
    assert (tmp_path / "metacrawl.db").read_text(encoding="utf-8") == "precious"


def test_a_folder_that_cannot_be_made_is_named(scrapy, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    run = scrapy("demo", "--to", tmp_path / "taken")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.splitlines()[-1] == f"metacrawl: --to {tmp_path / 'taken'} cannot be written: File exists"


def test_each_kind_of_difference_is_told():
    expected = expected_records(build_world())
    film, review, gone = (
        next(r for r in expected if isinstance(r, kind)) for kind in (Movie, CriticReview, UserReview)
    )
    found = [replace(film, metascore=101), replace(review, key="no/such/key"), *expected]
    found = [record for record in found if record not in (film, review, gone)]
    assert sorted(differences(expected, found)) == sorted(
        [
            f"Movie {film.key}: metascore is 101, not {film.metascore!r}",
            "CriticReview no/such/key: found, but the site has no such record",
            f"CriticReview {review.key}: not found",
            f"UserReview {gone.key}: not found",
        ]
    )


def test_a_difference_is_no_success(tmp_path, capsys):
    expected = expected_records(build_world())
    files = [tmp_path / "dataset" / name for name in ("movies", "critics", "users")]
    assert not report(expected, expected[:-1], files, "COMPLETE: all")
    assert f"UserReview {expected[-1].key}: not found" in capsys.readouterr().out


def test_a_run_that_is_not_complete_is_no_success(tmp_path, capsys):
    expected = expected_records(build_world())
    files = [tmp_path / "dataset" / name for name in ("movies", "critics", "users")]
    assert not report(expected, expected, files, "PARTIAL: one page")
    assert "PARTIAL: one page" in capsys.readouterr().out
