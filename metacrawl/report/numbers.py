"""What numbers say, in other numbers."""

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple


class Bin(NamedTuple):
    """A part of a scale and how much lies in it, from `start` to below `end`."""

    start: float
    end: float
    label: str
    number: int


def quantile(counts: Mapping[float, int], share: float) -> float:
    """Give the value below which a share of all lies; between two neighbours, in proportion.

    >>> [quantile({10: 1, 20: 2, 40: 1}, share) for share in (0.0, 0.5, 0.75, 1.0)]
    [10.0, 20.0, 25.0, 40.0]
    """
    place = share * (sum(counts.values()) - 1)
    low, high = value_at(counts, int(place)), value_at(counts, ceil(place))
    return low + (high - low) * (place % 1)


def value_at(counts: Mapping[float, int], place: int) -> float:
    """Give the value at a place, from 0, when all are put in order."""
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        if passed > place:
            break
    return value


def bins(counts: Mapping[float, int], top: int, step: int, scale: int = 1) -> list[Bin]:
    """Sort values from 0 to `top`, in parts of 1/`scale`, into twenty or so bins of `step` parts; the last has `top`.

    >>> [(one.label, one.number) for one in bins({0: 1, 49: 2, 100: 3}, 100, 50)]
    [('0–49', 3), ('50–100', 3)]
    >>> [one.label for one in bins({}, 1, 5, 10)]
    ['0.0–0.4', '0.5–1.0']
    """
    parts = {round(value * scale): number for value, number in counts.items()}
    digits = 0 if scale == 1 else 1
    made = []
    for start in range(0, top * scale, step):
        end = start + step
        last = top * scale if end == top * scale else end - 1
        number = sum(number for part, number in parts.items() if start <= part <= last)
        label = f"{start / scale:.{digits}f}–{last / scale:.{digits}f}"
        made.append(Bin(start / scale, end / scale, label, number))
    return made


def percent(part: int, whole: int) -> str:
    """Tell a share; neither all nor nothing unless it is.

    >>> [percent(part, 1000) for part in (0, 1, 500, 999, 1000)]
    ['0%', '<1%', '50%', '>99%', '100%']
    """
    rounded = round(100 * part / whole) if whole else 0
    if rounded == 0 and part:
        return "<1%"
    return ">99%" if rounded == 100 and part < whole else f"{rounded}%"


def short(value: float) -> str:
    """Write a number with a decimal at most.

    >>> short(78.25), short(60.0)
    ('78.2', '60')
    """
    return f"{round(value, 1):g}"


def signed(value: float, digits: int = 1) -> str:
    r"""Write a difference.

    >>> [signed(-2.84), signed(3, 0), signed(-0.01)] == ["\N{MINUS SIGN}2.8", "+3", "+0.0"]
    True
    """
    # Without a zero that is negative.
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
