"""Brings the program to a Scrapyd server, as an egg, and sees that it would run there; else takes it back.

    SCRAPYD_USERNAME=… SCRAPYD_PASSWORD=… python deploy/deploy.py [TARGET] [--egg FILE]

Targets are sections `[deploy:TARGET]` of scrapy.cfg or ~/.scrapy.cfg. The version is the second of the deployment:
Scrapyd runs the highest one, and of whole numbers that is the latest.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from scrapy.utils.conf import get_sources

ROOT = Path(__file__).resolve().parent.parent
# For an egg: what setup.py and pyproject.toml read.
PARTS = ("metacrawl", "scrapy.cfg", "setup.py", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")
# Seconds; the server imports the egg before it answers.
TIMEOUT = 120


class NotDeployedError(Exception):
    """What stood against it, in a line."""


@dataclass(frozen=True)
class Target:
    """A project on a Scrapyd server."""

    url: str
    project: str
    username: str
    password: str = field(repr=False)

    def ask(self, method: str, action: str, **given: Any) -> dict[str, Any]:
        """Ask the server, and give its answer; raises `NotDeployedError` also for an error that it answers with 200."""
        url, place = urljoin(self.url, action), "data" if method == "POST" else "params"
        given[place] = {"project": self.project, **given.get(place, {})}
        with requests.Session() as session:
            # Neither proxies nor the password of ~/.netrc.
            session.trust_env = False
            session.auth = (self.username, self.password)
            try:
                response = session.request(method, url, timeout=TIMEOUT, allow_redirects=False, **given)
            except requests.RequestException as error:
                raise NotDeployedError(f"{url} cannot be reached: {type(error).__name__}") from None
        if response.status_code == 401:
            raise NotDeployedError(f"{url} refuses these credentials")
        try:
            answer: dict[str, Any] = response.json()
            well = response.status_code == 200 and answer["status"] == "ok"
        except (ValueError, KeyError, TypeError):
            raise NotDeployedError(f"{url} answers as no Scrapyd does: HTTP {response.status_code}") from None
        if not well:
            raise NotDeployedError(f"{action}: {last_line(str(answer.get('message', '')))}")
        return answer


def main() -> None:
    """Deploy, and say what came of it; exits with 1 where nothing has."""
    parser = argparse.ArgumentParser(description="Deploy to a Scrapyd server.")
    parser.add_argument("target", nargs="?", default="local", help="a section [deploy:TARGET] of scrapy.cfg")
    parser.add_argument("--egg", type=Path, help="deploy this file instead of what is in the checkout")
    given = parser.parse_args()
    try:
        target = read_target(given.target)
        with tempfile.TemporaryDirectory() as folder:
            egg = (given.egg or build(Path(folder))).read_bytes()
        version, spiders = str(int(time.time())), spiders_here()
        deploy(target, egg, version, spiders)
    except (NotDeployedError, OSError) as error:
        print(f"not deployed: {error}", file=sys.stderr)
        sys.exit(1)
    print(f"deployed to {target.url}: {target.project}, version {version}, spiders {', '.join(spiders)}")


def read_target(name: str) -> Target:
    """Find a target; its values may name variables of the environment, which must be set."""
    config = ConfigParser(interpolation=None)
    config.read([*get_sources(use_closest=False), ROOT / "scrapy.cfg"], encoding="utf-8")
    section = f"deploy:{name}"
    if not config.has_section(section):
        raise NotDeployedError(f"no [{section}] in scrapy.cfg or ~/.scrapy.cfg")
    found = {}
    for key in ("url", "project", "username", "password"):
        value = config.get(section, key, fallback="")
        unset = [variable for variable in re.findall(r"\$\{?(\w+)", value) if not os.environ.get(variable)]
        if unset or not value:
            raise NotDeployedError(f"{', '.join(unset) or key} is not set: [{section}] needs it for {key}")
        found[key] = os.path.expandvars(value)
    if "@" in urlsplit(found["url"]).netloc:
        raise NotDeployedError(f"the url of [{section}] has a password in it: give username and password")
    return Target(**found | {"url": found["url"].rstrip("/") + "/"})


def build(folder: Path) -> Path:
    """Build an egg of the checkout, from a copy: building leaves files behind."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder)
    egg = folder / "project.egg"
    command = [sys.executable, "-m", "scrapyd_client.deploy", "--build-egg", str(egg)]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if built.returncode or not egg.exists():
        raise NotDeployedError(f"the egg cannot be built: {last_line(built.stderr)}")
    return egg


def spiders_here() -> list[str]:
    """Name the spiders of the checkout."""
    command = [sys.executable, "-m", "scrapy", "list"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise NotDeployedError(f"the checkout cannot list its spiders: {last_line(listed.stderr)}")
    return sorted(listed.stdout.split())


def deploy(target: Target, egg: bytes, version: str, spiders: list[str]) -> None:
    """Upload, and check what would run; what is not right is withdrawn, and raises `NotDeployedError`."""
    # Before anything is there that would have to be withdrawn.
    target.ask("GET", "listversions.json")
    try:
        target.ask("POST", "addversion.json", data={"version": version}, files={"egg": ("project.egg", egg)})
        check(target, version, spiders)
    except NotDeployedError as error:
        try:
            withdraw(target, version)
        except NotDeployedError as other:
            raise NotDeployedError(f"{error}; and version {version} may be there still: {other}") from None
        raise


def withdraw(target: Target, version: str) -> None:
    """Delete a version, if it has come so far as to be there."""
    if version in target.ask("GET", "listversions.json")["versions"]:
        target.ask("POST", "delversion.json", data={"version": version})


def check(target: Target, version: str, spiders: list[str]) -> None:
    """Raise `NotDeployedError` unless this version is the one that runs, with these spiders."""
    latest = target.ask("GET", "listversions.json")["versions"][-1]
    if latest != version:
        raise NotDeployedError(f"{target.url} would run version {latest} instead: delete that first")
    found = target.ask("GET", "listspiders.json", params={"_version": version})["spiders"]
    if sorted(found) != spiders:
        raise NotDeployedError(f"its spiders are {', '.join(found) or 'none'}, and not {', '.join(spiders)}")


def last_line(text: str) -> str:
    """Give the line that tells most of a traceback, safe to print."""
    line = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason given")
    return "".join(character if character.isprintable() else "?" for character in line)[:300]


if __name__ == "__main__":
    main()
