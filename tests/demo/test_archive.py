import asyncio
import gzip
import hashlib
import http.client
import json
import re
import socket
import threading
from base64 import b32encode
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

import pytest
from aiohttp import web

from metacrawl.demo.archive import Archive
from metacrawl.demo.content import build_world
from metacrawl.demo.visits import NEVER

FERRY = "www.metacritic.com/movie/winter-ferry"


class Client:
    """Serves an archive on loopback and asks it."""

    def __init__(self, archive: Archive, port: int) -> None:
        self.archive, self.port = archive, port

    def get(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", f"/archive/{path}", headers=headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def rows(self, url: str = FERRY, **params: object) -> list[list[str]]:
        query = urlencode(
            {"url": url, "output": "json", **{name.strip("_"): value for name, value in params.items()}}, True
        )
        status, _, body = self.get(f"cdx/search/cdx?{query}")
        assert status == 200
        return json.loads(body)


@pytest.fixture(scope="module")
def client():
    archive = Archive(build_world())
    app = web.Application()
    app.router.add_get("/archive/{rest:.*}", archive.handle)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listener = socket.create_server(("127.0.0.1", 0))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def serve() -> None:
        await runner.setup()
        await web.SockSite(runner, listener).start()

    asyncio.run_coroutine_threadsafe(serve(), loop).result()
    yield Client(archive, listener.getsockname()[1])
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def column(rows: list[list[str]], name: str) -> list[str]:
    index = rows[0].index(name) if rows else 0
    return [row[index] for row in rows[1:]]


class TestIndex:
    def test_first_row_names_the_fields(self, client):
        header, first, *_ = client.rows()
        assert header == ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
        assert first[0] == "com,metacritic)/movie/winter-ferry"
        assert re.fullmatch(r"\d{14} [A-Z2-7]{32} \d+", f"{first[1]} {first[5]} {first[6]}")

    def test_rows_are_in_the_order_of_time(self, client):
        times = column(client.rows(), "timestamp")
        assert times == sorted(times)
        assert len(times) > 8

    @pytest.mark.parametrize(
        "url", [f"http://{FERRY}", f"https://{FERRY}/", "metacritic.com/movie/Winter-Ferry", f"{FERRY}:80"[:-3]]
    )
    def test_spellings_of_a_url_are_one(self, client, url):
        assert client.rows(url) == client.rows()
        assert len({original.partition(":")[0] for original in column(client.rows(url), "original")}) == 2

    def test_text(self, client):
        _, headers, body = client.get(f"cdx/search/cdx?{urlencode({'url': FERRY, 'limit': 2})}")
        assert headers["Content-Type"].startswith("text/plain")
        assert [line.split(" ") for line in body.decode().splitlines()] == client.rows(limit=2)[1:]

    def test_nothing_found(self, client):
        assert client.rows(f"www.metacritic.com/movie/{NEVER}") == []
        assert client.get(f"cdx/search/cdx?url=www.metacritic.com/movie/{NEVER}")[2] == b""

    def test_prefix_with_a_slash_is_what_is_below(self, client):
        keys = set(column(client.rows(f"{FERRY}/", matchType="prefix", fl="urlkey,timestamp"), "urlkey"))
        assert {key.partition("winter-ferry")[2] for key in keys} >= {"/critic-reviews", "/details", "/user-reviews"}
        assert "com,metacritic)/movie/winter-ferry" not in keys
        assert client.rows(f"{FERRY}/*", fl="urlkey,timestamp") == client.rows(
            f"{FERRY}/", matchType="prefix", fl="urlkey,timestamp"
        )

    def test_prefix_without_a_slash_takes_other_films_too(self, client):
        keys = column(client.rows("metacritic.com/movie/nightjar", matchType="prefix", fl="urlkey"), "urlkey")
        assert {"com,metacritic)/movie/nightjar", "com,metacritic)/movie/nightjar-2015"} <= set(keys)

    @pytest.mark.parametrize(
        ("match", "url", "some"),
        [("host", FERRY, True), ("domain", "metacritic.com", True), ("host", "example.com", False)],
    )
    def test_hosts_and_domains(self, client, match, url, some):
        rows = client.rows(url, matchType=match, fl="original", collapse="urlkey")
        assert bool(rows) is some
        assert len(rows[1:]) == len(set(column(client.rows(url, matchType=match, fl="urlkey"), "urlkey")))

    def test_range_of_time_takes_both_ends(self, client):
        times = column(client.rows(), "timestamp")
        assert column(client.rows(from_=times[2], to=times[4]), "timestamp") == times[2:5]
        year = times[3][:4]
        assert column(client.rows(from_=year, to=year), "timestamp") == [time for time in times if time[:4] == year]

    def test_filters(self, client):
        rows = client.rows(
            "metacritic.com/movie/",
            matchType="prefix",
            fl="statuscode,mimetype",
            filter=["statuscode:200", "mimetype:text/html"],
        )
        assert {tuple(row) for row in rows[1:]} == {("200", "text/html")}
        others = client.rows(
            "metacritic.com/movie/", matchType="prefix", fl="statuscode,mimetype", filter="!statuscode:200"
        )
        assert {tuple(row) for row in others[1:]} == {
            ("-", "warc/revisit"),
            ("301", "text/html"),
            ("404", "text/html"),
            ("503", "text/html"),
        }
        assert client.rows(filter="statuscode:20") == []
        assert client.rows(filter="statuscode:20.") != []

    def test_collapse_drops_neighbours_that_are_alike(self, client):
        times = column(client.rows(fl="timestamp", collapse="timestamp:4"), "timestamp")
        assert [time[:4] for time in times] == sorted({time[:4] for time in column(client.rows(), "timestamp")})
        digests = column(client.rows(), "digest")
        distinct = [digest for digest, before in zip(digests, ["", *digests], strict=False) if digest != before]
        assert column(client.rows(collapse="digest"), "digest") == distinct
        assert len(distinct) < len(digests)

    def test_limits(self, client):
        rows = client.rows()
        assert client.rows(limit=2)[1:] == rows[1:3]
        assert client.rows(limit=2, offset=3)[1:] == rows[4:6]
        assert client.rows(limit=-2)[1:] == rows[-2:]
        assert client.rows(fastLatest="true", limit=-1)[1:] == client.rows(fastLatest="true")[1:] == rows[-1:]

    def test_resuming_gives_every_row_once(self, client):
        rows, found, key = client.rows(f"{FERRY}/", matchType="prefix"), [], {}
        while True:
            header, *page = client.rows(f"{FERRY}/", matchType="prefix", limit=7, showResumeKey="true", **key)
            if [] not in page:
                break
            *page, empty, (resume,) = page
            assert empty == []
            assert len(page) == 7
            found += page
            key = {"resumeKey": resume}
        assert [header, *found, *page] == rows

    def test_no_key_at_the_end(self, client):
        assert [] not in client.rows(limit=1000, showResumeKey="true")

    @pytest.mark.parametrize(
        "query",
        [
            "matchType=near",
            "from=soon",
            "filter=statuscode",
            "filter=colour:red",
            "filter=digest:(",
            "limit=all",
            "collapse=digest:x",
            "fl=urlkey,colour",
            "page=1",
        ],
    )
    def test_bad_queries_are_refused(self, client, query):
        assert client.get(f"cdx/search/cdx?url={FERRY}&{query}")[0] == 400

    @pytest.mark.parametrize("query", ["", "?", "?url=", "?limit=1"])
    def test_a_url_is_needed(self, client, query):
        assert client.get(f"cdx/search/cdx{query}")[0] == 400

    def test_percent_signs(self, client):
        rows = client.rows("www.metacritic.com/movie/who-the-%25-is-ada-marrow", fl="original,timestamp")
        assert len(rows) > 5
        assert "/movie/who-the-%25-is-ada-marrow" in rows[1][0]
        status, _, body = client.get(f"web/{rows[1][1]}id_/{rows[1][0]}")
        assert (status, b"Who the % Is Ada Marrow?" in decoded(body)) == (200, True)

    def test_answers_are_compressed_for_those_who_can(self, client):
        path = f"cdx/search/cdx?url={FERRY}"
        _, headers, body = client.get(path, **{"Accept-Encoding": "gzip"})
        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(body) == client.get(path)[2] == client.get(f"{path}&gzip=false")[2]


def decoded(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


class TestPlayback:
    def test_raw_bytes_are_the_sites_own(self, client):
        encodings = set()
        for _, timestamp, original, _, status, digest, _ in client.rows(filter="mimetype:text/html")[1:]:
            if status == "301":
                continue
            code, headers, body = client.get(f"web/{timestamp}id_/{original}")
            assert code == int(status)
            assert b32encode(hashlib.sha1(decoded(body), usedforsecurity=False).digest()).decode() == digest
            assert (headers["Content-Encoding"] == "gzip") is body.startswith(b"\x1f\x8b")
            assert f"{parsedate_to_datetime(headers['Memento-Datetime']):%Y%m%d%H%M%S}" == timestamp
            encodings.add(headers["Content-Encoding"])
        assert encodings == {None, "gzip"}

    def test_other_times_lead_to_the_nearest(self, client):
        timestamp, original = client.rows(fl="timestamp,original", filter="statuscode:200")[-1]
        for asked in ("20300101", timestamp[:12] + "59"):
            status, headers, _ = client.get(f"web/{asked}id_/http://{FERRY}")
            assert status == 302 if asked != timestamp else 200
            assert headers["Location"] == f"/archive/web/{timestamp}id_/{original}"

    def test_in_a_browser_it_has_a_toolbar_and_other_links(self, client):
        timestamp, original = client.rows(fl="timestamp,original", filter="statuscode:200")[-1]
        raw = decoded(client.get(f"web/{timestamp}id_/{original}")[2]).decode()
        shown = client.get(f"web/{timestamp}/{original}")[2].decode()
        assert "WAYBACK TOOLBAR" not in raw
        assert "WAYBACK TOOLBAR" in shown
        assert not re.search('href="/movie/', shown)
        assert f'href="/archive/web/{timestamp}/https://www.metacritic.com/' in shown

    def test_repeats_play_as_the_page_itself(self, client):
        rows = client.rows(
            "metacritic.com/movie/", matchType="prefix", fl="timestamp,original,digest", filter="statuscode:-", limit=1
        )
        timestamp, original, digest = rows[1]
        status, _, body = client.get(f"web/{timestamp}id_/{original}")
        assert status == 200
        assert b32encode(hashlib.sha1(decoded(body), usedforsecurity=False).digest()).decode() == digest

    def test_redirects_stay_in_the_archive(self, client):
        timestamp, original = client.rows(
            "metacritic.com/movie/the-mapmakers-daughter", fl="timestamp,original", limit=1
        )[1]
        status, headers, _ = client.get(f"web/{timestamp}id_/{original}")
        assert status == 301
        status, headers, _ = client.get(headers["Location"].removeprefix("/archive/"))
        assert status == 302
        status, _, body = client.get(headers["Location"].removeprefix("/archive/"))
        assert status == 200
        assert b"The Cartographer" in decoded(body)

    def test_no_redirect_leads_in_a_circle(self, client):
        rows = client.rows(
            "metacritic.com/movie/", matchType="prefix", fl="timestamp,original", filter="statuscode:301"
        )
        for timestamp, original in rows[1::10]:
            path = f"web/{timestamp}id_/{original}"
            for _ in range(4):
                status, headers, _ = client.get(path)
                if status == 200:
                    break
                path = headers["Location"].removeprefix("/archive/")
            assert status == 200

    @pytest.mark.parametrize(
        "rest", [f"web/2015id_/www.metacritic.com/movie/{NEVER}", "web/2015id_/http://example.com/", "save/x", ""]
    )
    def test_what_was_never_captured(self, client, rest):
        status, headers, _ = client.get(rest)
        assert status == 404
        assert "Memento-Datetime" not in headers

    def test_one_slash_behind_the_scheme_will_do(self, client):
        assert client.get(f"web/2015id_/http:/{FERRY}")[0] == 302

    def test_impossible_times(self, client):
        assert client.get(f"web/20159999id_/http://{FERRY}")[0] == 400


class TestFaults:
    def test_busy(self, client):
        client.archive.busy = 2
        answers = [client.get(path) for path in (f"cdx/search/cdx?url={FERRY}", f"web/2015id_/http://{FERRY}")]
        assert [(status, headers["Retry-After"]) for status, headers, _ in answers] == [(429, "1"), (429, "1")]
        assert client.get(f"web/2015id_/http://{FERRY}")[0] == 302

    def test_empty(self, client):
        client.archive.empty = 1
        assert client.get(f"cdx/search/cdx?url={FERRY}&output=json")[2] == b""
        assert client.rows()

    def test_too_many_look_ups(self, client):
        client.archive.cdx_limit_per_minute = 3
        client.archive.answered.clear()
        try:
            answers = [client.get(f"cdx/search/cdx?url={FERRY}") for _ in range(5)]
        finally:
            client.archive.cdx_limit_per_minute = None
        assert [status for status, _, _ in answers] == [200, 200, 200, 429, 429]
        assert 50 <= int(answers[-1][1]["Retry-After"]) <= 60

    def test_keeps_a_log(self, client):
        requests, times = len(client.archive.requests), len(client.archive.cdx_times)
        client.rows()
        client.get("web/2015id_/http://example.com/?a=b")
        assert client.archive.requests[requests:][1] == "/archive/web/2015id_/http://example.com/?a=b"
        assert len(client.archive.cdx_times) == times + 1
        assert client.archive.cdx_times == sorted(client.archive.cdx_times)
