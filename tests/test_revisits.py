import datetime as dt
import json

import pytest
from scrapy.settings import BaseSettings

from metacrawl import settings
from metacrawl.outcome import ConfigError
from metacrawl.revisits import EARLY, Revisits, Visit, read_revisits

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
DEFAULT = {name: getattr(settings, name) for name in ("METACRAWL_REVISIT_DAYS", "METACRAWL_SWEEP_DAYS")}


def days(number):
    return dt.timedelta(days=number)


def read(**given):
    return read_revisits(BaseSettings(DEFAULT | given))


def visit(released, film="her"):
    return Visit(film, NOW, NOW, released)


@pytest.mark.parametrize(
    ("age", "every"),
    [(-10, 0), (0, 0), (30, 0), (31, 3), (90, 3), (91, 7), (365, 7), (366, 30), (1825, 30), (1826, 90), (40_000, 90)],
)
def test_the_older_a_film_the_less_often_it_is_read(age, every):
    due_at = read().due_at(visit(NOW.date() - days(age)), NOW)
    assert due_at == (NOW + days(every) - EARLY if every else NOW)


def test_a_film_that_is_not_known_to_be_out_is_read_each_time():
    assert read().due_at(visit(None), NOW) == NOW


def test_a_nightly_crawl_may_start_a_little_earlier_than_the_last_one():
    third_night = NOW + days(3) - dt.timedelta(minutes=5)
    assert read().due_at(visit(NOW.date() - days(60)), NOW) < third_night


def test_sweeps_do_not_fall_on_one_night():
    sweeps = [read().sweep_at(visit(None, f"film-{number}")) for number in range(1000)]
    assert NOW + days(90) <= min(sweeps)
    assert max(sweeps) <= NOW + days(180)
    in_a_night = [
        sum(night <= sweep - NOW < night + days(1) for sweep in sweeps) for night in map(days, range(90, 180))
    ]
    assert max(in_a_night) < 30


def test_a_film_is_due_when_all_of_it_is_to_be_read():
    often = Revisits(((float("inf"), 90),), sweep=10)
    assert NOW + days(5) <= often.due_at(visit(None), NOW) <= NOW + days(10)


def test_the_table_may_be_in_any_order_and_given_as_it_is():
    table = {"older": 9, "7": 1, "0": 0}
    wanted = ((0, 0), (7, 1), (float("inf"), 9))
    assert read(METACRAWL_REVISIT_DAYS=table).days == wanted
    assert read(METACRAWL_REVISIT_DAYS=json.dumps(table)).days == wanted


@pytest.mark.parametrize(
    "value", ["", "90", "[1]", '{"30": 1}', '{"older": -1}', '{"older": "x"}', '{"young": 1, "older": 2}', '{"older": ']
)
def test_another_table_is_refused(value):
    with pytest.raises(ConfigError, match="METACRAWL_REVISIT_DAYS="):
        read(METACRAWL_REVISIT_DAYS=value)


@pytest.mark.parametrize("value", ["", "often", "-1", "nan", "inf"])
def test_another_number_of_days_is_refused(value):
    with pytest.raises(ConfigError, match="METACRAWL_SWEEP_DAYS="):
        read(METACRAWL_SWEEP_DAYS=value)
