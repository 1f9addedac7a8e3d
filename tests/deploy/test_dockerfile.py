"""The Dockerfile, by its linter and by what it says; that it works, test_native.py shows."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.native import read, stages_of

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STAGES = stages_of(TEXT)
TARGETS = ("metacrawl", "scrapyd", "browser", "look")


def lint(text):
    program = Path(sys.executable).with_name("hadolint")
    return subprocess.run([program, "-"], input=text, capture_output=True, text=True, check=False)


def steps_of(stage):
    """Give all steps that an image is made of, those of what it builds upon first."""
    upon, steps = STAGES[stage]
    return [*(steps_of(upon) if upon in STAGES else []), *steps]


def test_the_linter_has_nothing_to_say():
    assert "hadolint" not in TEXT, "nothing is hidden from it"
    run = lint(TEXT)
    assert (run.returncode, run.stdout) == (0, "")


def test_the_linter_would_say_so():
    run = lint("FROM debian\nRUN apt-get install chromium\nENTRYPOINT scrapy\n")
    assert run.returncode != 0
    assert {"DL3006", "DL3008", "DL3025"} <= set(re.findall(r"DL\d+", run.stdout))


def test_what_it_is_built_upon_is_pinned():
    alien = {upon for upon, _ in STAGES.values() if upon not in STAGES}
    assert len(alien) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", alien.pop())


@pytest.mark.parametrize("target", TARGETS)
def test_each_image_is_run_by_nobody_and_without_a_shell(target):
    steps = steps_of(target)
    user = [says for name, _, says in steps if name == "USER"][-1]
    assert user == "10001:0"
    (entrypoint,) = [says for name, _, says in steps if name == "ENTRYPOINT"]
    assert json.loads(entrypoint)


@pytest.mark.parametrize("target", TARGETS)
def test_only_one_image_has_a_browser_and_none_what_installs(target):
    runs = " ".join(says for name, _, says in steps_of(target) if name == "RUN")
    assert ("chromium" in runs) == (target == "browser")
    assert "pip" not in runs


def test_nothing_is_installed_but_what_is_locked():
    for _, _, says in read(TEXT):
        for what in re.findall(r"pip --python /opt/venv (.*?)(?: && |$)", says):
            assert what.startswith(("install --require-hashes --no-deps -r", "install --no-deps --no-index", "wheel"))


def test_no_secret_is_part_of_it():
    assert not re.search(r"PASSWORD|SECRET|_KEY|DATABASE_URL|secrets/", TEXT)


def test_what_it_copies_and_nothing_else_is_given_to_it():
    first, *others = [
        line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    assert first == "*"
    given = {line.removeprefix("!") for line in others if line.startswith("!")}
    copied = {
        source
        for name, flags, says in read(TEXT)
        if name == "COPY" and not any(flag.startswith("--from") for flag in flags)
        for source in says.split()[:-1]
    }
    assert all((ROOT / source).exists() for source in copied)
    assert given == {source.split("/")[0] for source in copied}


def test_the_lock_of_the_one_who_looks_is_whole():
    folder = ROOT / "deploy" / "look"
    lock = (folder / "requirements.lock").read_text(encoding="utf-8")
    for line in (folder / "requirements.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or f"\n{line} \\\n    --hash=sha256:" in lock
    assert not re.search(r"://|--(extra-)?index-url|--find-links", lock)
