"""Secrets that stand in files: how they are made, and how settings read them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from metacrawl import settings

ROOT = Path(__file__).parent.parent.parent
SECRETS = (
    "METACRAWL_DATABASE_URL",
    "METACRAWL_AUTHORS_KEY",
    "METACRAWL_WEBHOOK_URL",
    "METACRAWL_SMTP_URL",
    "SCRAPYD_PASSWORD",
)


@pytest.fixture
def make(tmp_path):
    """Run the script in a checkout of its own, for somebody whose files nobody else can read; gives the folder."""
    script = tmp_path / "deploy" / "make_secrets.py"
    script.parent.mkdir()
    shutil.copy(ROOT / "deploy" / "make_secrets.py", script)

    def run():
        subprocess.run([sys.executable, script], check=True, umask=0o077, stdout=subprocess.DEVNULL)
        return tmp_path / "secrets"

    return run


def contents(folder):
    return {file.name: file.read_text("ascii").strip() for file in folder.iterdir()}


def test_secrets_are_made_for_the_containers_and_for_nobody_else(make):
    folder = make()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o644}
    made = contents(folder)
    assert min(map(len, made.values())) >= 32
    assert made["database_url"] == f"postgresql+psycopg://metacrawl:{made['database_password']}@postgres/metacrawl"
    assert len(set(made.values())) == 3


def test_what_is_there_stays(make):
    folder = make()
    (folder / "scrapyd_password").unlink()
    before = contents(folder)
    after = contents(make())
    assert after.items() > before.items()


def test_no_secret_is_committed():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/secrets/", "/.env"} <= set(ignored)


class TestSettings:
    NAME = "METACRAWL_WEBHOOK_URL"

    @pytest.fixture
    def file(self, tmp_path, monkeypatch):
        file = tmp_path / "webhook_url"
        file.write_text("https://chat.example/hook\n", encoding="utf-8")
        monkeypatch.delenv(self.NAME, raising=False)
        monkeypatch.setenv(f"{self.NAME}_FILE", str(file))
        return file

    def test_are_read_from_the_file_without_its_last_newline(self, file):
        assert settings.secret(self.NAME) == "https://chat.example/hook"

    def test_may_be_empty_beside_the_file(self, file, monkeypatch):
        monkeypatch.setenv(self.NAME, "")
        assert settings.secret(self.NAME) == "https://chat.example/hook"

    def test_without_a_file_are_those_of_the_environment(self, monkeypatch):
        monkeypatch.delenv(f"{self.NAME}_FILE", raising=False)
        monkeypatch.setenv(self.NAME, "https://chat.example/other")
        assert settings.secret(self.NAME, "default") == "https://chat.example/other"
        monkeypatch.delenv(self.NAME)
        assert settings.secret(self.NAME, "default") == "default"

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (None, "cannot be read: No such file or directory"),
            (b"\xff", "cannot be read: it is no text"),
            (b"\n", "is empty"),
        ],
        ids=["missing", "binary", "empty"],
    )
    def test_that_cannot_be_had_end_the_program(self, file, capsys, content, why):
        file.unlink()
        if content:
            file.write_bytes(content)
        with pytest.raises(SystemExit) as ended:
            settings.secret(self.NAME)
        assert ended.value.code == 2
        assert capsys.readouterr().err == f"metacrawl: {self.NAME}_FILE={file} {why}\n"

    def test_that_are_given_twice_end_the_program(self, file, monkeypatch, capsys):
        monkeypatch.setenv(self.NAME, "https://chat.example/other")
        with pytest.raises(SystemExit):
            settings.secret(self.NAME)
        assert (
            capsys.readouterr().err == f"metacrawl: {self.NAME} and {self.NAME}_FILE are both set: which one counts?\n"
        )

    @pytest.mark.parametrize("name", SECRETS)
    def test_of_commands_are_read_so(self, tmp_path, name):
        """One that cannot be had ends the command in a line, before it does anything."""
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), f"{name}_FILE": str(tmp_path / "missing")}
        command = [sys.executable, "-c", "import metacrawl.settings"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        said = f"metacrawl: {name}_FILE={tmp_path / 'missing'} cannot be read: No such file or directory\n"
        assert (run.returncode, run.stderr) == (2, said)

    def test_lead_the_real_command_to_its_database(self, scrapy, tmp_path):
        file = tmp_path / "database_url"
        file.write_text(f"sqlite:///{tmp_path / 'other.db'}\n", encoding="utf-8")
        run = scrapy("status", METACRAWL_DATABASE_URL="", METACRAWL_DATABASE_URL_FILE=file)
        assert f"there is no database sqlite:///{tmp_path / 'other.db'}" in run.stderr
