"""Faults of the data in pages since 2026: what is hostile in JSON, and in the references that it is made of."""

import re

from tests.faults.site.faults import fault, html

DATA = re.compile(rb"(<script[^>]*__NUXT_DATA__[^>]*>)(.*?)(</script>)", re.DOTALL)
NEW = "2026"


def with_data(page: bytes, data: bytes) -> bytes:
    return html(DATA.sub(lambda found: found[1] + data + found[3], page, count=1))


def data_of(page: bytes) -> bytes:
    found = DATA.search(page)
    assert found
    return found[2].strip()


@fault(design=NEW)
def state_as_it_is(page: bytes) -> bytes:
    """The page, for comparison."""
    return html(page)


@fault("nested too deeply", NEW)
def state_nested(page: bytes) -> bytes:
    """40,000 lists within one another."""
    return with_data(page, b"[" * 40_000 + b"]" * 40_000)


@fault("JSON of more than", NEW)
def state_of_many_values(page: bytes) -> bytes:
    """300,000 values."""
    return with_data(page, b"[" + b"1," * 300_000 + b"1]")


@fault("JSON of more than", NEW)
def state_of_many_names(page: bytes) -> bytes:
    """100,000 names."""
    return with_data(page, b"[{" + b",".join(b'"%d":1' % number for number in range(100_000)) + b"}]")


@fault("more than 2,000,000 characters", NEW)
def state_of_four_megabytes(page: bytes) -> bytes:
    """A text of 4 MB."""
    return with_data(page, b'["' + b"x" * 4_000_000 + b'"]')


@fault("broken JSON", NEW)
def state_cut(page: bytes) -> bytes:
    """Data that stops in the middle, in a page that does not."""
    data = data_of(page)
    return with_data(page, data[: len(data) // 2])


@fault("broken JSON", NEW)
def state_with_nan(page: bytes) -> bytes:
    """NaN for a value."""
    return with_data(page, data_of(page)[:-1] + b",NaN]")


@fault("broken JSON", NEW)
def state_with_a_tail(page: bytes) -> bytes:
    """A second value behind the first."""
    return with_data(page, data_of(page) + b"[]")


@fault(design=NEW)
def state_with_many_digits(page: bytes) -> bytes:
    """A number of 300 digits that nothing refers to."""
    return with_data(page, data_of(page)[:-1] + b",1" + b"0" * 299 + b"]")


@fault("broken JSON", NEW)
def state_with_5000_digits(page: bytes) -> bytes:
    """A number of 5,000 digits."""
    return with_data(page, data_of(page)[:-1] + b"," + b"9" * 5000 + b"]")


@fault(design=NEW)
def state_with_half_an_emoji(page: bytes) -> bytes:
    """Half a surrogate pair, NULs and odd names that nothing refers to."""
    return with_data(page, data_of(page)[:-1] + rb',"\ud83d \u0000",{"__proto__":0,"constructor":0,"a":1,"a":2}]')


@fault("holds itself", NEW)
def state_in_a_circle(page: bytes) -> bytes:
    """A part that holds itself."""
    return with_data(page, b'[{"data":1},{"loadPage:movies:x":2},{"components":3},[2]]')


@fault("too much", NEW)
def state_billion_laughs(page: bytes) -> bytes:
    """Parts that are shared until they add up to billions."""
    lists = b",".join(b"[%b]" % b",".join([b"%d" % (number + 1)] * 10) for number in range(3, 23))
    return with_data(page, b'[{"data":1},{"loadPage:movies:x":2},{"components":3},' + lists + b',"ha"]')


@fault("deep", NEW)
def state_deep_by_reference(page: bytes) -> bytes:
    """A thousand parts, each within the one before."""
    parts = b",".join(b"[%d]" % (number + 1) for number in range(3, 1003))
    return with_data(page, b'[{"data":1},{"loadPage:movies:x":2},{"components":3},' + parts + b",0]")


@fault("refers to", NEW)
def state_out_of_bounds(page: bytes) -> bytes:
    """A reference to nothing."""
    return with_data(page, b'[{"data":99999999999999999999}]')


@fault("cannot read", NEW)
def state_of_a_strange_type(page: bytes) -> bytes:
    """A typed value that there is not."""
    return with_data(page, b'[{"data":1},{"loadPage:movies:x":2},{"components":3},["RegExp","(a+)+"]]')


@fault("broken JSON", NEW)
def state_is_html(page: bytes) -> bytes:
    """HTML where the data is due."""
    return with_data(page, b"<p>a</p>")


@fault("no known page design", NEW)
def error_in_json(_: bytes) -> bytes:
    """A word of an error in JSON, with status 200."""
    return html(b'{"error": "overloaded"}', kind="application/json")
