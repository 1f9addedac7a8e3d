import doctest
import statistics

from hypothesis import given
from hypothesis import strategies as st

from metacrawl.report import numbers


def test_the_examples():
    results = doctest.testmod(numbers)
    assert results.attempted
    assert not results.failed


@given(st.dictionaries(st.integers(0, 100), st.integers(1, 5), min_size=2))
def test_quartiles_are_pythons(counts):
    each = [value for value, number in counts.items() for _ in range(number)]
    found = [numbers.quantile(counts, share) for share in (0.25, 0.5, 0.75)]
    assert found == statistics.quantiles(each, n=4, method="inclusive")


@given(st.dictionaries(st.integers(0, 100), st.integers(1, 5)))
def test_every_score_is_in_one_bin(counts):
    assert sum(one.number for one in numbers.bins(counts, 100, 5)) == sum(counts.values())
    tenths = {score / 10: number for score, number in counts.items()}
    assert [one.number for one in numbers.bins(tenths, 10, 5, 10)] == [
        one.number for one in numbers.bins(counts, 100, 5)
    ]
