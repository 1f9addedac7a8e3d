"""The unit for systemd is read without a complaint, and shuts the service in."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import lack

UNIT = Path(__file__).parents[2] / "deploy/metacrawl-schedule.service"
# Of 100: what systemd itself counts as what a service could do, were it taken over.
EXPOSURE = "15"


@pytest.fixture
def analyze(tmp_path):
    """Ask systemd about a unit."""
    if not shutil.which("systemd-analyze"):
        lack("the program systemd-analyze is missing")

    def run(unit, *what):
        path = tmp_path / UNIT.name
        path.write_text(unit.replace("/opt/metacrawl/.venv/bin/scrapy", sys.executable), encoding="utf-8")
        command = ["systemd-analyze", *what, str(path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    return run


def test_systemd_understands_all_of_the_unit(analyze):
    unit = UNIT.read_text(encoding="utf-8")
    assert analyze(unit, "verify").stderr == ""
    assert "ProtectSistem" in analyze(unit.replace("ProtectSystem", "ProtectSistem"), "verify").stderr


def test_the_service_can_do_little_but_its_work(analyze):
    unit = UNIT.read_text(encoding="utf-8")
    limit = ("security", "--offline=true", f"--threshold={EXPOSURE}")
    assert analyze(unit, *limit).returncode == 0, analyze(unit, *limit).stdout
    assert analyze(unit.replace("CapabilityBoundingSet=", "CapabilityBoundingSet=~"), *limit).returncode == 1


def test_secrets_come_from_files_that_systemd_hands_over():
    unit = UNIT.read_text(encoding="utf-8")
    for name in re.findall(r"METACRAWL_\w+_FILE=%d/(\w+)", unit):
        assert f"LoadCredential={name}:/etc/metacrawl/{name}" in unit
    assert not re.search(r"(?i)password|://", unit)
