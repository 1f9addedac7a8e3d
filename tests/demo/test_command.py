import re
import signal
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "metacrawl.demo"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_it_is_stopped(get, number):
    with subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            found = re.fullmatch(
                r"Demo site: (http://127\.0\.0\.1:\d+)/ \(64 films, 1,665 critic reviews, 4,406 user reviews\)"
                r" in the design of 2026\. Ctrl-C stops it\.\n",
                line,
            )
            assert found, line
            status, _, text = get(found[1], "/movie/nightjar")
            assert status == 200
            assert text.rstrip().endswith("</html>")
            process.send_signal(number)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


def test_used_port_is_one_line_on_stderr():
    with subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            port = re.search(r":(\d+)/", process.stdout.readline())[1]
            second = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, check=False)
        finally:
            process.kill()
    assert second.returncode == 2
    assert second.stdout == ""
    assert second.stderr.startswith(f"Port {port} cannot be used: ")
    assert second.stderr.count("\n") == 1


def test_help_names_the_options():
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    assert "--port" in shown
    assert "--seed" in shown
    assert "127.0.0.1" in shown
