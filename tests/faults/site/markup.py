"""Faults of HTML: what is nested, repeated or endless, and what only seems to be the page's end or data."""

from tests.faults.site.faults import fault, html, in_the_middle, inside

CANARY = "http://127.0.0.1:9/canary"


@fault("within one another")
def nested_300(page: bytes) -> bytes:
    """300 elements within one another, around the second half of the data."""
    return html(in_the_middle(page, b"<div>" * 300, b"</div>" * 300))


@fault("within one another")
def nested_5000(page: bytes) -> bytes:
    """5,000 elements within one another before the second half of the data."""
    return html(in_the_middle(page, b"<div>" * 5000 + b"</div>" * 5000))


@fault("within one another")
def nested_100000(page: bytes) -> bytes:
    """100,000 elements within one another that never end."""
    return html(inside(page, b"<b>" * 100_000))


@fault("more than 2,000,000 characters")
def nested_million(page: bytes) -> bytes:
    """A million and a half elements within one another."""
    return html(inside(page, b"<b>" * 1_500_000))


@fault()
def nested_60(page: bytes) -> bytes:
    """60 elements within one another, as may be."""
    return html(inside(page, b"<div>" * 60 + b"</div>" * 60))


@fault("elements, attributes and comments")
def elements_many(page: bytes) -> bytes:
    """200,000 elements."""
    return html(inside(page, b"<p>a</p>" * 200_000))


@fault("more than 2,000,000 characters")
def elements_of_five_megabytes(page: bytes) -> bytes:
    """As many elements as fit into a download."""
    return html(inside(page, b"<p>a</p>" * 600_000))


@fault("larger than")
def elements_of_fifty_megabytes(page: bytes) -> bytes:
    """More of them than fit."""
    return html(inside(page, b"<p>a</p>" * 6_500_000))


@fault("elements, attributes and comments")
def attributes_many(page: bytes) -> bytes:
    """An element of 200,000 attributes: libxml2 would take a minute."""
    return html(inside(page, b"<p %b>" % b" ".join(b"a%x=1" % number for number in range(200_000))))


@fault("more than 2,000,000 characters")
def attributes_million(page: bytes) -> bytes:
    """An element of half a million attributes."""
    return html(inside(page, b"<p %b>" % b" ".join(b"a%x=1" % number for number in range(500_000))))


@fault("larger than")
def attribute_of_fifty_megabytes(page: bytes) -> bytes:
    """An attribute of 50 MiB."""
    return html(inside(page, b'<p title="%b">' % (b"x" * (50 << 20))))


@fault()
def attribute_of_a_megabyte(page: bytes) -> bytes:
    """An attribute of a megabyte."""
    return html(inside(page, b'<p title="%b">a</p>' % (b"x" * 1_000_000)))


@fault("elements, attributes and comments")
def comments_many(page: bytes) -> bytes:
    """200,000 comments."""
    return html(inside(page, b"<!---->" * 200_000))


@fault()
def entities_many(page: bytes) -> bytes:
    """200,000 character references, many of none that there is."""
    return html(inside(page, b"&amp;&bogus;" * 100_000))


@fault()
def text_of_a_megabyte(page: bytes) -> bytes:
    """A megabyte of text before the data."""
    return html(inside(page, b"<p>%b</p>" % (b"a " * 500_000)))


@fault("within one another")
def summaries_within_summaries(page: bytes) -> bytes:
    """Boxes of data within one another, fifty deep."""
    return html(in_the_middle(page, b'<div class="pfull_summary">' * 50))


@fault()
def external_entities(page: bytes) -> bytes:
    """Entities that name a file and an address: nothing is fetched."""
    doctype = (
        f'<!DOCTYPE html SYSTEM "{CANARY}.dtd" [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b SYSTEM "{CANARY}">]>'
    )
    return html(doctype.encode() + inside(page, b"<p>&a;&b;</p>"))


@fault()
def billion_laughs(page: bytes) -> bytes:
    """Entities that stand for one another."""
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return html(f'<!DOCTYPE html [<!ENTITY a0 "ha">{laughs}]>'.encode() + inside(page, b"<p>&a11;</p>"))


@fault("leads off the site")
def meta_refresh(page: bytes) -> bytes:
    """The page tells browsers to go elsewhere."""
    return html(page.replace(b"<head>", b'<head><meta http-equiv="refresh" content="5; url=http://127.0.0.2:9/">', 1))


@fault("in a circle")
def meta_refresh_in_a_circle(page: bytes) -> bytes:
    """The page tells browsers to ask for it again at once."""
    refresh = b'<head><meta http-equiv="refresh" content="0; url=/movie/meta-refresh-in-a-circle">'
    return html(page.replace(b"<head>", refresh, 1))


@fault()
def base_elsewhere(page: bytes) -> bytes:
    """A base URL of another site behind the data."""
    return html(page.replace(b"</body>", b'<base href="http://127.0.0.2:9/"></body>', 1))


@fault()
def scripts_of_tricks(page: bytes) -> bytes:
    """Scripts that hold the ends of scripts and of the page."""
    return html(inside(page, b"<script>var a = '<\\/script><\\/html>'; var b = '</html></body>';</script>"))


@fault("no known page design")
def script_in_a_comment(page: bytes) -> bytes:
    """A script that begins a comment with a script in it: to browsers, too, it goes on to the next script's end."""
    return html(inside(page, b"<script>var a = '<!--<script>';</script>"))


@fault()
def json_ld_hostile(page: bytes) -> bytes:
    """Data for search engines that is broken, and another film's."""
    data = b'{"name":"Another","name":"Third","aggregateRating":{"ratingValue":NaN},"a":' + b"[" * 5000
    return html(inside(page, b'<script type="application/ld+json">%b</script>' % data))


@fault("cut off")
def end_of_page_missing(page: bytes) -> bytes:
    """The page without its last element."""
    return html(page[: page.rindex(b"</html>")])


@fault("no known page design")
def comment_without_end(page: bytes) -> bytes:
    """A comment that never ends before the data."""
    return html(inside(page, b"<!-- "))


@fault("no known page design")
def another_sites_page(_: bytes) -> bytes:
    """A page of somebody else's."""
    return html(b"<html><head><title>Parked</title></head><body><p>Buy this domain</p></body></html>")
