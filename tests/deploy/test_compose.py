"""docker-compose.yml, as Compose itself reads it; that needs no engine."""

import json
from pathlib import Path

import pytest
from scrapy.utils.project import get_project_settings

from metacrawl.schedule.file import read_schedule
from tests.deploy.composed import CONTACT, config

ROOT = Path(__file__).parent.parent.parent
SERVICES = ("look", "postgres", "scheduler", "scrapyd", "worker")
CRAWLERS = ("scheduler", "scrapyd", "worker")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """What is started with all that there is."""
    folder = tmp_path_factory.mktemp("compose")
    (folder / ".env").write_text(f"{CONTACT}\nMETACRAWL_SWEEP_DAYS=90\n", encoding="utf-8")
    (folder / "secrets").mkdir()
    for name in ("database_password", "database_url", "scrapyd_password"):
        (folder / "secrets" / name).write_text("a-canary-that-sings", encoding="utf-8")
    run = config(folder, "--profile", "scale")
    assert (run.returncode, run.stderr) == (0, "")
    assert "a-canary-that-sings" not in run.stdout
    return json.loads(run.stdout)


def seconds(duration):
    minutes, _, rest = duration.rpartition("m")
    return 60 * int(minutes or 0) + int(rest.removesuffix("s"))


def openings(service):
    """Tell in what way a service is not shut in."""
    expected = {
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
    }
    yield from (name for name, value in expected.items() if service.get(name) != value)
    yield from {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc"} & service.keys()
    yield from {"mem_limit", "pids_limit", "healthcheck", "stop_grace_period"} - service.keys()
    if not service.get("user", "").partition(":")[0].strip("0").isdigit():
        yield "user"
    if "max-size" not in service["logging"]["options"]:
        yield "logging"
    yield from (port["target"] for port in service.get("ports", []) if port.get("host_ip") != "127.0.0.1")
    # What is written stays in a volume that has a name; the socket of Docker itself is nowhere.
    yield from (one["target"] for one in service.get("volumes", []) if one["type"] != "volume")


def test_these_are_the_services(rendered):
    assert sorted(rendered["services"]) == list(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_each_is_shut_in(rendered, name):
    assert list(openings(rendered["services"][name])) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"read_only": False}, "read_only"),
        ({"user": "0:0"}, "user"),
        ({"user": ""}, "user"),
        ({"cap_drop": []}, "cap_drop"),
        ({"privileged": True}, "privileged"),
        ({"ports": [{"target": 6800, "published": "6800"}]}, 6800),
        ({"volumes": [{"type": "bind", "target": "/var/run/docker.sock"}]}, "/var/run/docker.sock"),
    ],
    ids=str,
)
def test_an_opening_would_be_found(rendered, change, found):
    assert list(openings(rendered["services"]["scrapyd"] | change)) == [found]


def test_only_who_looks_can_come_in(rendered):
    assert [name for name in SERVICES if rendered["services"][name].get("ports")] == ["look"]


def test_only_who_has_to_gets_out_or_to_the_database(rendered):
    networks = {name: set(rendered["services"][name]["networks"]) for name in SERVICES}
    assert networks == {
        **{name: {"inside", "outside"} for name in CRAWLERS},
        "postgres": {"inside"},
        "look": {"desk"},
    }
    assert rendered["networks"]["inside"]["internal"] is True
    assert rendered["networks"]["desk"]["driver_opts"] == {"com.docker.network.bridge.enable_ip_masquerade": "false"}


@pytest.mark.parametrize("name", SERVICES)
def test_each_gets_the_secrets_that_it_reads_as_files(rendered, name):
    service = rendered["services"][name]
    files = {value for key, value in service.get("environment", {}).items() if key.endswith("_FILE")}
    assert files == {one["target"] for one in service.get("secrets", [])}
    assert not [key for key in service.get("environment", {}) if key.endswith(("_PASSWORD", "_URL", "_KEY"))] or (
        service["environment"]["METACRAWL_SCRAPYD_URL"] == "http://scrapyd:6800/"
    )


@pytest.mark.parametrize("name", CRAWLERS)
def test_settings_come_from_one_file(rendered, name):
    environment = rendered["services"][name]["environment"]
    assert environment["METACRAWL_CONTACT"] == "you@example.org"
    assert environment["METACRAWL_SWEEP_DAYS"] == "90"


def test_each_has_the_time_that_it_needs_to_end(rendered):
    """A crawl ends within 8 seconds of the signal, and a database writes all that it has."""
    times = {name: seconds(rendered["services"][name]["stop_grace_period"]) for name in SERVICES}
    assert all(times[name] >= 30 for name in CRAWLERS)
    assert times["postgres"] >= 60


def test_each_starts_when_what_it_needs_is_well(rendered):
    needs = {
        name: {other: how["condition"] for other, how in rendered["services"][name].get("depends_on", {}).items()}
        for name in SERVICES
    }
    well = "service_healthy"
    assert needs == {
        "postgres": {},
        "scrapyd": {"postgres": well},
        "scheduler": {"postgres": well, "scrapyd": well},
        "worker": {"scheduler": well},
        "look": {},
    }


def test_what_is_kept_has_a_name(rendered):
    assert set(rendered["volumes"]) == {"database", "published", "runs", "scrapyd"}
    (published,) = rendered["services"]["look"]["volumes"]
    assert (published["source"], published["read_only"]) == ("published", True)


def test_workers_come_when_they_are_asked_for(tmp_path):
    (tmp_path / ".env").write_text(CONTACT, encoding="utf-8")
    assert "worker" not in json.loads(config(tmp_path).stdout)["services"]


def test_nothing_starts_without_a_contact(tmp_path):
    run = config(tmp_path)
    assert run.returncode != 0
    assert "METACRAWL_CONTACT=you@example.org into .env" in run.stderr


def test_the_schedule_is_one(rendered):
    """It publishes where the one who looks can see it."""
    assert Path(rendered["configs"]["schedule"]["file"]).parts[-2:] == ("deploy", "schedule.toml")
    (job,) = read_schedule(ROOT / "deploy" / "schedule.toml", get_project_settings())
    written = {step.words[step.words.index("--to") + 1] for step in job.steps if not step.is_crawl}
    assert written == {"published/dataset", "published/report.html"}
