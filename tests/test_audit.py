"""The audit of the locked packages: what fails it, and what it says where it could find out nothing."""

import datetime as dt
import re
import runpy
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / ".ci" / "audit.py"
TODAY = dt.date(2026, 6, 15)
FINE = {"name": "oak", "version": "1.0", "vulns": []}
BAD = {
    "name": "elm",
    "version": "2.0",
    "vulns": [
        {"id": "PYSEC-0000-1", "aliases": ["CVE-0000-1"], "fix_versions": ["2.1"], "description": "Invented hole."},
    ],
}
SKIPPED = {"name": "ash", "skip_reason": "Dependency not found on PyPI and could not be audited: ash (3.0)"}


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def run(script, monkeypatch, tmp_path, capsys):
    """Run the script with a report in place of pip-audit's of some file; gives its exit code and what it prints."""

    def run(report, exceptions="", stderr="", of=""):
        file = tmp_path / "exceptions.toml"
        file.write_text(exceptions, encoding="utf-8")

        def answer(command, **_):
            return subprocess.CompletedProcess(command, 1, report if of in command[-1] else ALL_WELL, stderr)

        monkeypatch.setattr(subprocess, "run", answer)
        monkeypatch.setitem(script["main"].__globals__, "EXCEPTIONS", file)
        with pytest.raises(SystemExit) as ended:
            script["main"]()
        return ended.value.code, capsys.readouterr().out

    return run


def excuse(**changes):
    return {"package": "elm", "id": "CVE-0000-1", "until": TODAY, "reason": "never called"} | changes


def test_a_known_vulnerability_is_a_failure(script):
    [told] = script["audit"]([FINE, BAD], [], TODAY)
    assert told == "elm 2.0 PYSEC-0000-1: Invented hole. (mended in 2.1)"


def test_an_exception_excuses_it_by_any_of_its_names(script):
    assert script["audit"]([BAD], [excuse()], TODAY) == []
    assert script["audit"]([BAD], [excuse(id="PYSEC-0000-1")], TODAY) == []


@pytest.mark.parametrize("other", [{"id": "CVE-0000-2"}, {"package": "oak"}], ids=["id", "package"])
def test_an_exception_for_something_else_does_not(script, other):
    assert script["audit"]([BAD], [excuse(**other)], TODAY)


def test_an_exception_whose_time_is_over_is_a_failure(script):
    yesterday = TODAY - dt.timedelta(days=1)
    assert script["audit"]([FINE], [excuse(until=yesterday)], TODAY) == [f"elm CVE-0000-1: excused until {yesterday}"]


def test_what_was_not_audited_is_named(script):
    assert list(script["unknown"]([FINE, SKIPPED])) == ["NOT AUDITED, 1 of 2: ash"]
    assert list(script["unknown"]([FINE, BAD])) == []


REPORT = '{"dependencies": [{"name": "%s", %s}], "fixes": []}'
ALL_WELL = REPORT % ("oak", '"version": "1.0", "vulns": []')
HOLE = '"version": "2.0", "vulns": [{"id": "X-1", "aliases": [], "fix_versions": [], "description": "Invented."}]'


def test_the_exit_code_tells(run):
    code, said = run(ALL_WELL)
    assert (code, said) == (0, "1 packages, and no known vulnerability\n")
    code, said = run(REPORT % ("elm", HOLE))
    assert (code, said) == (1, "elm 2.0 X-1: Invented. (mended in no version)\n")
    over = '[[exceptions]]\npackage = "elm"\nid = "X-1"\nuntil = 2020-01-01\nreason = "none"\n'
    assert run(REPORT % ("elm", HOLE), over)[0] == 1
    assert run(REPORT % ("elm", HOLE), over.replace("2020", "2999"))[0] == 0


@pytest.mark.parametrize(
    ("report", "stderr"),
    [
        (REPORT % ("ash", '"skip_reason": "Dependency not found on PyPI and could not be audited: ash (3.0)"'), ""),
        ("", "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='advisories.invalid', port=443)"),
        ("", "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed"),
    ],
    ids=["skipped", "unreachable", "refused"],
)
def test_an_audit_that_found_out_nothing_passes_and_says_so(run, report, stderr):
    code, said = run(report, stderr=stderr)
    assert code == 0
    assert said.startswith("!!! deploy/requirements.lock: NOTHING WAS AUDITED")
    assert "no known vulnerability" not in said
    # Nor does it take the answer about one file for that about another.
    code, said = run(report, stderr=stderr, of="look")
    assert code == 0
    assert said.startswith("!!! deploy/look/requirements.lock: NOTHING WAS AUDITED")


def test_every_lock_is_audited(run, script):
    root = script["ROOT"]
    locks = {path.relative_to(root).as_posix() for path in [*root.glob("*.lock"), *root.glob("deploy/**/*.lock")]}
    # What is in the first is in the second, too: tests/test_lock.py.
    assert locks == {"requirements.lock", *script["LOCKS"]}
    for lock in script["LOCKS"]:
        assert run(REPORT % ("elm", HOLE), of=lock)[0] == 1


@pytest.mark.parametrize(
    "stderr", ["error: unrecognized arguments", "No usable temporary directory found"], ids=["arguments", "disk"]
)
def test_anything_else_without_a_report_is_a_failure(run, stderr):
    assert "pip-audit failed" in run("", stderr=stderr)[0]


def test_each_exception_has_its_reason_also_the_example(script):
    file = script["EXCEPTIONS"].read_text(encoding="utf-8")
    example = re.sub(r"^#  ? ?", "", file[file.index("#   [[") :], flags=re.MULTILINE)
    exceptions = script["tomllib"].loads(f"{file}\n{example}")["exceptions"]
    assert exceptions
    for one in exceptions:
        assert set(one) == {"package", "id", "until", "reason"}
        assert one["reason"]
