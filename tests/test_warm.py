"""What the tests start is as a process that was started anew, but for the time it takes."""

import os
import subprocess

import pytest

from tests import warm


def python(*arguments):
    return warm.run(*arguments, environment=dict(os.environ) | {"GIVEN": "for it alone"}, timeout=60)


def test_a_module_runs_with_its_own_arguments_environment_and_exit_code():
    assert python("scrapy", ["crawl", "none"]).returncode == 2
    asked = python("timeit", ["-n1", "-r1", "-s", "import os, sys; print(os.environ['GIVEN'], sys.argv[1:])"])
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.startswith("for it alone ['-n1', ")


def test_processes_order_their_sets_differently():
    found = [python("timeit", ["-n1", "-r1", "-s", "print(hash('text'))"]).stdout.split()[0] for _ in range(2)]
    assert len(set(found)) == 2


def test_a_process_can_be_killed(tmp_path):
    process = warm.start(
        "timeit",
        ["-n1", "-r1", "import threading; threading.Event().wait()"],
        environment=dict(os.environ),
        stdout=tmp_path / "stdout",
        stderr=tmp_path / "stderr",
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.1)
    process.kill()
    assert process.wait(timeout=60) == -9
    assert process.poll() == -9
