"""What docs/deploy.md has people type is there and understood, as far as that can be told without Docker's engine."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

from tests.conftest import ROOT
from tests.deploy.composed import PROGRAM
from tests.deploy.told import PAGE, stand_in, told, type_in

RUNBOOK = ROOT / "docs/runbook.md"
# Stands in for Docker: files are read as by `up`, and commands of ours are run here.
DOCKER = """#!/bin/sh
case "$*" in
    "compose up "*) exec {compose} config --quiet ;;
    "compose exec scheduler "*) shift 4; exec {python} -m scrapy "$@" ;;
esac
exit 1
"""


def test_compose_understands_every_command():
    environment = os.environ | {"METACRAWL_CONTACT": "test@example.org"}
    rendered = subprocess.run(
        [PROGRAM, "--profile", "*", "config", "--format", "json"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    services = json.loads(rendered.stdout)["services"].keys()
    commands = re.findall(r"docker compose ([^\n`#&<>]+)", PAGE.read_text("utf-8").replace("\\\n", " "))
    assert len(commands) > 15
    assert subprocess.run([PROGRAM, "up", "--detached", "--help"], capture_output=True, check=False).returncode == 1
    for words in map(shlex.split, commands):
        # Of `exec` the rest is the container's.
        ours = words[: words.index("exec") + 1] if "exec" in words else words
        asked = subprocess.run([PROGRAM, *ours, "--help"], capture_output=True, text=True, check=False)
        assert (asked.returncode, asked.stderr) == (0, ""), words
        command = next(word for word in words if word not in {"--profile", "scale"})
        assert f"compose {command} " in asked.stdout, words
        if command in {"exec", "stop", "restart"}:
            named = [word for word in words[words.index(command) + 1 :] if not word.startswith("-")]
            assert {*(named[:1] if command == "exec" else named)} <= services, words


def test_the_way_from_nothing_to_a_nightly_dataset(tmp_path):
    for name in ("docker-compose.yml", "Dockerfile", "scrapy.cfg"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    stand_in(tmp_path, "docker", DOCKER.format(compose=PROGRAM, python=sys.executable))
    stand_in(tmp_path, "nano", '#!/bin/sh\ntest -w "$1"\n')
    ours = {"METACRAWL_SCHEDULE": "deploy/schedule.toml", "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    run = type_in("compose", tmp_path, **ours)
    assert run.returncode == 0, run.stderr
    assert re.search(r"^ night +30 2 \* \* \*", run.stdout, re.MULTILINE)
    assert run.stdout.endswith("In the database: 0 films, 0 critic reviews, 0 user reviews\n")


def test_word_of_a_bad_night_goes_out_from_the_scheduler(tmp_path):
    (tmp_path / "webhook.yml").write_text(told("webhook", "yaml"), encoding="utf-8")
    environment = os.environ | {"METACRAWL_CONTACT": "test@example.org"}
    files = ("-f", ROOT / "docker-compose.yml", "-f", tmp_path / "webhook.yml")
    rendered = subprocess.run(
        [PROGRAM, *files, "config", "--format", "json"], env=environment, capture_output=True, text=True, check=True
    )
    scheduler = json.loads(rendered.stdout)["services"]["scheduler"]
    assert {secret["source"] for secret in scheduler["secrets"]} == {"database_url", "scrapyd_password", "webhook_url"}
    assert {"METACRAWL_WEBHOOK_URL_FILE", "METACRAWL_DATABASE_URL_FILE"} < scheduler["environment"].keys()


def test_it_takes_no_more_than_ten_lines():
    assert len(told("compose").splitlines()) <= 10


def test_every_file_that_is_named_is_there():
    page = PAGE.read_text("utf-8")
    for path in re.findall(r"(?<![\w/])deploy/[\w./-]*\w", page):
        assert (ROOT / path).exists(), path
    for path, _ in re.findall(r"\]\(([\w./-]+)(#[\w-]+)?\)", page):
        assert (PAGE.parent / path).exists(), path


def test_the_runbook_knows_what_the_schedule_says():
    code = "".join(
        path.read_text("utf-8") for folder in ("metacrawl", "deploy") for path in (ROOT / folder).rglob("*.py")
    )
    table = RUNBOOK.read_text("utf-8").partition("\n## The schedule\n")[2].partition("\n## ")[0]
    said = re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)
    assert len(said) > 5
    assert [part for line in said for part in line.split("…") if part.strip() not in code] == []
