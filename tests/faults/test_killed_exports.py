"""Whoever reads a dataset while exports of it are killed reads one whole dataset, and the next export works."""

import datetime as dt

import pytest
import sqlalchemy as sa

from metacrawl.database.connection import connect
from metacrawl.database.schema import CRITIC_REVIEWS, MOVIES, USER_REVIEWS
from tests import warm
from tests.faults.crawls import environment
from tests.faults.dataset_reader import TELLING, Reader, reviews_of

FORMS = ("jsonl", "csv", "parquet", "sqlite")
KILLS = 50
# One in so many of the exports that follow a killed one lives.
LIVES = 5
NOW = dt.datetime(2026, 7, 16, 12, tzinfo=dt.UTC)
READ = {"layout": "2016", "source_url": "https://www.metacritic.com/movie/nightjar", "captured_at": NOW, "seen_run": 1}


class Exports:
    """A database that changes, and exports of it."""

    def __init__(self, folder):
        self.folder = folder
        self.dataset = folder / "dataset"
        self.url = f"sqlite:///{folder / 'metacrawl.db'}"
        self.engine = connect(self.url)
        self.states = []
        with self.engine.begin() as connection:
            film = {"key": "nightjar", "slug": "nightjar", "url": READ["source_url"], **READ}
            lists = [column.name for column in MOVIES.columns if isinstance(column.type, sa.JSON)]
            connection.execute(sa.insert(MOVIES), film | {name: [] for name in lists})
            keys = [f"nightjar/paper/{number}" for number in range(20)]
            connection.execute(
                sa.insert(CRITIC_REVIEWS), [{"key": key, "movie_slug": "nightjar", **READ} for key in keys]
            )

    def change(self):
        """Make it another state, in every record."""
        state = f"state {len(self.states)}"
        self.states.append(state)
        with self.engine.begin() as connection:
            [(there,)] = connection.execute(sa.select(sa.func.count()).select_from(USER_REVIEWS))
            new = [f"nightjar/{number}" for number in range(there, reviews_of(state))]
            connection.execute(sa.insert(USER_REVIEWS), [{"key": key, "movie_slug": "nightjar", **READ} for key in new])
            for table in (MOVIES, CRITIC_REVIEWS, USER_REVIEWS):
                connection.execute(sa.update(table).values({TELLING[table.name]: state}))

    def start(self, form, *how):
        """Export; gives the exit code and what was said on standard error."""
        arguments = [*how, "--", "export", "--to", str(self.dataset), "--format", form]
        ours = {"METACRAWL_DATABASE_URL": self.url, "METACRAWL_RUNS": str(self.folder / "runs")}
        done = warm.run("tests.faults.killed_at_step", arguments, environment=environment() | ours, timeout=120)
        return done.returncode, done.stderr

    def calm(self, form, *how):
        """Export a new state undisturbed; gives the number of steps that took."""
        self.change()
        code, said = self.start(form, *how)
        assert code == 0, said
        return int(said.rsplit("steps: ", 1)[1])

    @property
    def versions(self):
        return [path for path in (self.folder / ".dataset.versions").iterdir() if path.is_dir()]


@pytest.fixture
def exports(tmp_path):
    found = Exports(tmp_path)
    yield found
    found.engine.dispose()


def test_whoever_reads_while_exports_are_killed_reads_whole_datasets(exports):
    exports.calm("jsonl")
    shown = [exports.states[-1]]
    with Reader(exports.dataset) as reader:
        reader.catch_up()
        # Of an export that comes after another one.
        steps = {form: exports.calm(form) for form in FORMS if not reader.catch_up()}
        reader.catch_up()
        shown += exports.states[1:]
        killed = 0
        for number in range(KILLS):
            form = FORMS[number % len(FORMS)]
            exports.change()
            code, said = exports.start(form, "--step", str(1 + number * steps[form] // KILLS))
            # One that had less to tidy up than the one whose steps were counted may end before it.
            assert code in {-9, 0}, said
            killed += code == -9
            # A death at the very end leaves the new one shown, an earlier one the one before.
            reader.catch_up()
            if reader.seen[-1] == exports.states[-1]:
                shown.append(exports.states[-1])
            if number % LIVES == LIVES - 1:
                exports.calm(form)
                shown.append(exports.states[-1])
                reader.catch_up()
                assert len(exports.versions) <= 2, "the one that is shown, and the one before"
    assert not reader.faults, reader.faults[:5]
    assert reader.seen == shown
    assert killed > KILLS * 0.9
    assert {path.name for path in exports.folder.iterdir() if "dataset" in path.name} == {
        "dataset",
        ".dataset.versions",
    }


def test_the_reader_sees_what_is_written_in_place(exports):
    steps = exports.calm("jsonl", "--in-place")
    reader = Reader(exports.dataset)
    reader.look()
    assert not reader.faults
    for number in range(3):
        exports.change()
        assert exports.start("jsonl", "--in-place", "--step", str((number + 1) * steps // 4))[0] == -9
        reader.look()
    assert len(reader.faults) == 3
