"""deploy/serve.py starts Scrapyd only where it is safe to, and hands it what it was told."""

import configparser
import os
import runpy
import subprocess
import sys
from ipaddress import IPv4Address

import pytest
import requests
from scrapyd.config import Config

from tests.crawl.waiting import wait_for
from tests.deploy.scrapyd import CREDENTIALS, PASSWORD, SERVE, USERNAME, Scrapyd
from tests.postgres import free_port

PAGES = ("", "jobs", "logs/", "logs/metacrawl/movies/1.log", "nothing-here")


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SERVE))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Scrapyd(tmp_path_factory.mktemp("scrapyd")) as server:
        yield server


def services():
    """Name the endpoints that a Scrapyd has."""
    return [name for name, _ in Config().items("services")]


@pytest.mark.parametrize("auth", [None, (USERNAME, "wrong"), ("wrong", PASSWORD), ("", "")], ids=str)
def test_without_credentials_everything_is_refused(server, auth):
    places = (*services(), *PAGES)
    assert "addversion.json" in places
    for method in ("GET", "POST", "OPTIONS"):
        answers = {place: requests.request(method, server.url + place, auth=auth, timeout=10) for place in places}
        assert {place: answer.status_code for place, answer in answers.items()} == dict.fromkeys(places, 401)


def test_with_credentials_it_answers(server):
    """What shows that the test above could fail, with the one after."""
    assert server.ask("daemonstatus")["status"] == "ok"
    assert requests.get(server.url, auth=CREDENTIALS, timeout=10).status_code == 200


def test_scrapyd_itself_asks_for_no_credentials(tmp_path):
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCRAPYD_")}
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "scrapyd", "--pidfile="],
        cwd=tmp_path,
        env=environment | {"SCRAPYD_HTTP_PORT": str(port)},
        stdout=log,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}/daemonstatus.json"

    def answers():
        try:
            return requests.get(url, timeout=10).status_code == 200
        except requests.ConnectionError:
            return False

    try:
        wait_for(answers)
    finally:
        process.kill()
        process.wait(timeout=30)
        log.close()


@pytest.mark.parametrize(
    ("username", "password", "says"),
    [
        ("", "", "set SCRAPYD_USERNAME and SCRAPYD_PASSWORD: without them anybody could run any code here"),
        ("operator", "", "set SCRAPYD_USERNAME and SCRAPYD_PASSWORD"),
        ("", "x" * 16, "set SCRAPYD_USERNAME and SCRAPYD_PASSWORD"),
        ("operator", "x" * 15, "SCRAPYD_PASSWORD is too short: make it 16 characters or more"),
        ("oper:ator", "x" * 16, "SCRAPYD_USERNAME must have no colon"),
    ],
)
def test_credentials_that_protect_nothing_are_refused(script, username, password, says):
    with pytest.raises(ValueError, match=says):
        script["check_credentials"](username, password)


def test_good_credentials_are_not(script):
    script["check_credentials"]("operator", "x" * 16)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.9.10", "::1", "10.1.2.3", "172.20.0.5", "192.168.1.1", "fd00::1"]
)
def test_it_may_listen_where_few_can_reach_it(script, address):
    script["check_address"](address)


@pytest.mark.parametrize("address", [str(IPv4Address(0)), "::", "8.8.8.8", "2001:4860:4860::8888", "localhost", ""])
def test_it_may_not_listen_where_strangers_can_reach_it(script, address):
    with pytest.raises(ValueError, match="bind_address"):
        script["check_address"](address)


def run_serve(folder, *arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCRAPYD_")}
    command = [sys.executable, str(SERVE), "state", *map(str, arguments)]
    given = {"SCRAPYD_USERNAME": USERNAME, "SCRAPYD_PASSWORD": PASSWORD} | environment
    return subprocess.run(
        command, cwd=folder, env=kept | given, capture_output=True, text=True, timeout=60, check=False
    )


def test_it_says_in_a_line_why_it_does_not_start(tmp_path):
    file = tmp_path / "password"
    file.write_text("x" * 15, encoding="utf-8")
    run = run_serve(tmp_path, SCRAPYD_PASSWORD="", SCRAPYD_PASSWORD_FILE=file.name)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "scrapyd: SCRAPYD_PASSWORD is too short: make it 16 characters or more\n"


def test_an_address_in_a_file_or_a_variable_is_checked_too(tmp_path):
    everywhere = str(IPv4Address(0))
    conf = tmp_path / "open.conf"
    conf.write_text(f"[scrapyd]\nbind_address = {everywhere}\n", encoding="utf-8")
    for run in (run_serve(tmp_path, "--conf", conf), run_serve(tmp_path, SCRAPYD_BIND_ADDRESS=everywhere)):
        assert run.returncode == 2
        assert run.stderr.startswith(f"scrapyd: bind_address {everywhere} can be reached from outside")


def test_the_password_may_stand_in_a_file(script, tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    environ = {"SCRAPYD_PASSWORD_FILE": str(file)}
    script["read_password"](environ)
    assert environ == {"SCRAPYD_PASSWORD": PASSWORD}
    with pytest.raises(ValueError, match="both SCRAPYD_PASSWORD and SCRAPYD_PASSWORD_FILE are set"):
        script["read_password"]({"SCRAPYD_PASSWORD": "other", "SCRAPYD_PASSWORD_FILE": str(file)})
    with pytest.raises(OSError, match=f"SCRAPYD_PASSWORD_FILE={file}x cannot be read: No such file"):
        script["read_password"]({"SCRAPYD_PASSWORD_FILE": f"{file}x"})


# Stands in for Scrapyd: it ends by itself, or when it is asked to, and starts a crawl at this very moment.
ENDING = """
import signal, subprocess, sys

def end(*_):
    subprocess.Popen(["sleep", "60"])
    sys.exit()

signal.signal(signal.SIGTERM, end)
print("up", flush=True)
signal.pause() if {asked} else end()
"""


@pytest.mark.parametrize("asked", [True, False])
def test_no_crawl_is_left_behind_that_scrapyd_starts_at_its_end(tmp_path, asked):
    package = tmp_path / "scrapyd"
    package.mkdir()
    package.joinpath("__init__.py").write_text(
        "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n", encoding="utf-8"
    )
    package.joinpath("__main__.py").write_text(ENDING.format(asked=asked), encoding="utf-8")
    given = {"SCRAPYD_USERNAME": USERNAME, "SCRAPYD_PASSWORD": PASSWORD, "SCRAPYD_BIND_ADDRESS": "127.0.0.1"}
    command = [sys.executable, str(SERVE), str(tmp_path / "state")]
    environment = os.environ | given | {"PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        if asked:
            process.terminate()
        assert process.wait(timeout=30) == (0 if asked else 1)


def test_lines_of_a_file_take_the_place_of_ours(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    conf = tmp_path / "mine.conf"
    conf.write_text("[scrapyd]\nmax_proc = 7\n[services]\naddversion.json =\n", encoding="utf-8")
    script["prepare"](tmp_path / "state", conf)
    found = configparser.ConfigParser()
    found.read(tmp_path / "state" / "scrapyd.conf")
    assert found["scrapyd"]["max_proc"] == "7"
    assert found["scrapyd"]["jobstorage"] == "scrapyd.jobstorage.SqliteJobStorage"
    assert found["services"]["addversion.json"] == ""


def test_what_we_ship_is_safe():
    found = configparser.ConfigParser()
    found.read(SERVE.with_name("scrapyd.conf"))
    shipped = found["scrapyd"]
    assert shipped["bind_address"] == "127.0.0.1"
    assert (shipped["username"], shipped["password"]) == ("", "")
    assert (shipped["items_dir"], shipped["jobs_dir"], shipped["debug"]) == ("", "", "off")
