"""The images that the Dockerfile makes do what docker-compose.yml has them do, shut in as it shuts them in."""

import json
import os
import shutil
from pathlib import Path

import pytest

from metacrawl.demo.content import build_world
from tests.conftest import lack
from tests.crawl.waiting import wait_for
from tests.deploy.composed import CONTACT, config
from tests.deploy.native import Engine

ROOT = Path(__file__).parent.parent.parent
RUNS = "/var/lib/metacrawl/runs"
SECRETS = {
    "/run/secrets/database_url": f"sqlite:///{RUNS}/metacrawl.db\n",
    "/run/secrets/scrapyd_password": "a-password-that-is-long-enough\n",
}
CREDENTIALS = "metacrawl:a-password-that-is-long-enough"
SITE = "http://127.0.0.1:8000"
ASK = """
import base64, sys, urllib.error, urllib.request
path, credentials, data = sys.argv[1:]
given = {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()} if credentials else {}
try:
    answer = urllib.request.urlopen(urllib.request.Request(path, data.encode() or None, given), timeout=60)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read().decode())
"""


@pytest.fixture
def engine():
    for program in ("mmdebstrap", "unshare", "nsenter", "setpriv", "ip"):
        if shutil.which(program) is None:
            lack(f"the program {program} is missing")
    if os.geteuid():
        lack("this takes root, to make a root of its own")
    with Engine() as engine:
        yield engine


@pytest.fixture
def services(tmp_path):
    (tmp_path / ".env").write_text(CONTACT, encoding="utf-8")
    return json.loads(config(tmp_path, "--profile", "scale").stdout)["services"]


def started(engine, service, *command, files=None, **env):
    """Run a service as Compose would have it run, or another command of its image."""
    given = [one["target"] for one in [*service.get("secrets", []), *service.get("configs", [])]]
    known = {**SECRETS, "/etc/metacrawl/schedule.toml": (ROOT / "deploy" / "schedule.toml").read_text("utf-8")}
    return engine.container(
        service["build"]["target"],
        *(command or service["command"] or ()),
        volumes=[one["target"] for one in service["volumes"]],
        files={file: known[file] for file in given} | (files or {}),
        **{**service.get("environment", {}), **env},
    )


def ask(container, path, credentials=CREDENTIALS, data=""):
    """Ask who listens in the container; gives the status and the answer."""
    status, _, answer = container.execute("python", "-c", ASK, path, credentials, data).stdout.partition(" ")
    return int(status or 0), answer


def wait_until_well(container, service):
    kind, *check = service["healthcheck"]["test"]
    assert kind == "CMD"
    wait_for(lambda: container.execute(*check).returncode == 0, 120, every=0.5)


def test_the_images_work(engine, services, subtests):
    """In one test, for one Debian."""
    for check in (scheduler, demo, scrapyd, scrapyd_refuses, look):
        with subtests.test(check.__name__):
            check(engine, services)


def scheduler(engine, services):
    """It has no more than it needs, and ends when it is told to."""
    with started(engine, services["scheduler"]) as container:
        wait_until_well(container, services["scheduler"])
        # A worker has the same image; it needs a PostgreSQL, but how it is asked can be seen here.
        wait_until_well(container, services["worker"])
        assert container.execute("id", "-u").stdout == "54321\n"
        assert "CapBnd:\t0000000000000000\n" in container.execute("cat", "/proc/1/status").stdout
        for place in ("/", "/opt/venv", "/etc/metacrawl", "/var/lib/metacrawl"):
            assert "Read-only file system" in container.execute("touch", f"{place}/x").stderr
        assert container.execute("touch", f"{RUNS}/x").returncode == 0
        for program in ("gcc", "chromium", "pip", "scrapyd", "datasette"):
            assert container.execute("sh", "-c", f"command -v {program}").returncode == 127
        for module in ("pip", "setuptools"):
            assert container.execute("python", "-c", f"import {module}").returncode == 1
        container.stop()
        code, said = container.ended()
    assert code == 0
    assert "Job night (30 2 * * *): due next at" in said


def demo(engine, services):
    """All of a crawl and an export: without a network, and with what the package carries."""
    with started(engine, services["scheduler"], "demo", "--to", f"{RUNS}/demo") as container:
        code, said = container.ended()
    assert (code, said.splitlines()[-1]) == (0, "Every field of every record is as on the site.")


def scrapyd(engine, services):
    with started(engine, services["scrapyd"], METACRAWL_SITE_URL=SITE) as container:
        wait_until_well(container, services["scrapyd"])
        here = "http://127.0.0.1:6800/"
        assert ask(container, f"{here}daemonstatus.json", "")[0] == 401
        assert ask(container, f"{here}daemonstatus.json", "metacrawl:another")[0] == 401
        # There is no other code than the image's, and no way to put some there.
        for way in ("addversion", "delversion", "delproject"):
            assert ask(container, f"{here}{way}.json", data="project=metacrawl&version=1")[0] == 404
        spiders = json.loads(ask(container, f"{here}listspiders.json?project=metacrawl")[1])["spiders"]
        assert spiders == ["critic_reviews", "movies", "user_reviews"]
        with container.beside("python", "-m", "metacrawl.demo"):
            wait_for(lambda: ask(container, SITE, "")[0] == 200)
            data = f"project=metacrawl&spider=movies&movie={build_world().films[0].slug}&reviews=none&jobid=night-1"
            assert json.loads(ask(container, f"{here}schedule.json", data=data)[1])["status"] == "ok"
            wait_for(lambda: "finished" in ask(container, f"{here}status.json?job=night-1")[1], 120, every=0.5)
        assert "In the database: 1 film, 0 critic reviews" in container.execute("scrapy", "status").stdout
        container.stop()
        assert container.ended()[0] == 0


def scrapyd_refuses(engine, services):
    with started(engine, services["scrapyd"], files={"/run/secrets/scrapyd_password": "short"}) as container:
        code, said = container.ended()
    assert code == 2
    assert said.startswith("scrapyd: SCRAPYD_PASSWORD is too short")


def look(engine, services):
    with started(engine, services["look"]) as container:
        wait_until_well(container, services["look"])
        assert "Read-only file system" in container.execute("touch", "/x").stderr
        container.stop()
        assert container.ended()[0] == 0
