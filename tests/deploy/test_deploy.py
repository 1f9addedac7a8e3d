"""Deploying to a real Scrapyd: what would run is checked, and what is broken is taken back."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT
from tests.deploy.scrapyd import DEPLOY, PASSWORD, USERNAME, Scrapyd

SPIDERS = ["critic_reviews", "movies", "user_reviews"]


@pytest.fixture(scope="module")
def server(egg, tmp_path_factory):
    """A Scrapyd that has one version."""
    with Scrapyd(tmp_path_factory.mktemp("scrapyd"), egg) as server:
        yield server


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(DEPLOY))


@pytest.fixture
def deploy(server, script):
    """Deploy bytes in this process; gives what stood against it, or nothing."""

    def deploy(egg, version):
        target = script["Target"](server.url, "metacrawl", USERNAME, PASSWORD)
        try:
            script["deploy"](target, egg, version, SPIDERS)
        except script["NotDeployedError"] as error:
            return str(error)
        return ""

    return deploy


@pytest.fixture
def changed(egg, tmp_path):
    """Make an egg whose file of a name is another."""

    def changed(name, text):
        path = tmp_path / "changed.egg"
        with zipfile.ZipFile(egg) as whole, zipfile.ZipFile(path, "w") as archive:
            for entry in whole.namelist():
                if not entry.endswith(".pyc"):
                    archive.writestr(entry, text if entry == name else whole.read(entry))
        return path

    return changed


BROKEN = {
    "a typing error": ("metacrawl/spiders/movies.py", "def", "SyntaxError: invalid syntax"),
    "no spider": ("metacrawl/settings.py", "SPIDER_MODULES = []", "its spiders are none, and not critic_reviews"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_taken_back(server, deploy, changed, name):
    file, text, says = BROKEN[name]
    assert says in deploy(changed(file, text).read_bytes(), "200")
    assert server.ask("listversions")["versions"] == ["1"]


def test_what_is_no_egg_is_not_taken(server, deploy):
    assert "egg is not a ZIP file" in deploy(b"egg", "200")
    assert server.ask("listversions")["versions"] == ["1"]


def test_what_scrapyds_own_client_leaves_is_broken(server, changed):
    """It takes an error for success as long as it comes with HTTP 200."""
    broken = changed("metacrawl/spiders/movies.py", "def")
    command = ["-m", "scrapyd_client.deploy", "test", "--egg", broken, "--version", "300"]
    run = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0
    assert server.ask("listversions")["versions"][-1] == "300"
    server.ask("delversion", version="300")


@pytest.mark.parametrize("version", ["9999999999", "r1-master"])
def test_a_version_that_would_run_instead_is_named(server, egg, deploy, version):
    shutil.copy(egg, server.eggs / f"{version}.egg")
    assert f"would run version {version} instead" in deploy(egg.read_bytes(), "400")
    assert "400" not in server.ask("listversions")["versions"]
    server.ask("delversion", version=version)


def test_the_latest_is_what_runs(server):
    """Told by its time; what building leaves in the checkout, `test_egg` looks at."""
    run = server.deploy()
    assert run.returncode == 0, run.stderr
    told = re.fullmatch(rf"deployed to {server.url}: metacrawl, version (\d{{10}}), spiders (.+)\n", run.stdout)
    assert told[2] == ", ".join(SPIDERS)
    assert server.ask("listversions")["versions"][-1] == told[1]
    assert PASSWORD not in run.stdout + run.stderr


def test_the_command_says_in_a_line_what_is_wrong(server, changed):
    before = server.ask("listversions")["versions"]
    run = server.deploy("--egg", changed("metacrawl/spiders/movies.py", "import unheard"))
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "not deployed: addversion.json: ModuleNotFoundError: No module named 'unheard'\n"
    assert server.ask("listversions")["versions"] == before


def test_what_may_have_been_left_behind_is_told(script):
    """The server is away as soon as it has been sent the egg."""

    class Target:
        url, there = "http://127.0.0.1:1/", True

        def ask(self, _, action, **__):
            self.there = self.there and action != "addversion.json"
            if not self.there:
                raise script["NotDeployedError"](f"{action} cannot be reached")
            return {"versions": []}

    says = r"^addversion\.json cannot be reached; and version 600 may be there still: listversions\.json cannot"
    with pytest.raises(script["NotDeployedError"], match=says):
        script["deploy"](Target(), b"", "600", SPIDERS)


def test_without_the_password_nothing_is_sent(script, server, monkeypatch):
    monkeypatch.setenv("HOME", str(server.folder))
    monkeypatch.setenv("SCRAPYD_USERNAME", USERNAME)
    monkeypatch.delenv("SCRAPYD_PASSWORD", raising=False)
    with pytest.raises(script["NotDeployedError"], match=r"^SCRAPYD_PASSWORD is not set: \[deploy:test\] needs it"):
        script["read_target"]("test")


def test_with_another_password_nothing_is_taken(script, server):
    target = script["Target"](server.url, "metacrawl", USERNAME, PASSWORD[:-1])
    with pytest.raises(script["NotDeployedError"], match=r"listversions\.json refuses these credentials$"):
        script["deploy"](target, b"", "500", SPIDERS)
    assert "500" not in server.ask("listversions")["versions"]


def test_a_password_may_look_like_a_variable(script, server, monkeypatch):
    monkeypatch.setenv("HOME", str(server.folder))
    monkeypatch.setenv("SCRAPYD_USERNAME", USERNAME)
    monkeypatch.setenv("SCRAPYD_PASSWORD", "costs $HOME or ${MORE}")
    target = script["read_target"]("test")
    assert target.password == os.environ["SCRAPYD_PASSWORD"]
    assert "costs" not in repr(target)


def test_a_target_that_is_not_there_is_named(script):
    with pytest.raises(script["NotDeployedError"], match=r"no \[deploy:nowhere\] in scrapy\.cfg"):
        script["read_target"]("nowhere")


def test_a_server_that_is_not_there_is_named(script):
    target = script["Target"]("http://127.0.0.1:1/", "metacrawl", USERNAME, PASSWORD)
    with pytest.raises(script["NotDeployedError"], match=r"^http://127\.0\.0\.1:1/\w+\.json cannot be reached: \w+$"):
        script["deploy"](target, b"", "1", SPIDERS)
