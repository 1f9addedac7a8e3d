"""The rules of CONTRIBUTING.md that a machine can hold us to."""

import ast
import importlib
import pkgutil
import re
from dataclasses import fields
from pathlib import Path

import pytest
from scrapy.settings import default_settings
from scrapy.utils.misc import load_object

import metacrawl
from metacrawl import items, settings, spiders
from metacrawl.commands.crawl import ARGUMENTS
from metacrawl.demo.content import build_world
from metacrawl.layouts import LAYOUTS
from metacrawl.outcome import Outcome
from metacrawl.spiders.arguments import READERS
from metacrawl.spiders.base import FilmSpider

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "metacrawl"
MODULES = sorted(PACKAGE.rglob("*.py"))
LIST_ITEMS = {
    **dict.fromkeys(("directors", "writers", "cast"), items.Credit),
    "rankings": items.Ranking,
    "awards": items.Award,
}


def names_in(path: Path) -> set[str]:
    """All names and attributes that a module uses."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name)
    }


def imports_in(path: Path) -> set[str]:
    """All modules that a module imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return found | {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}


def within(path: Path, *places: str) -> bool:
    return path.relative_to(PACKAGE).as_posix().startswith(places)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
class TestEveryModule:
    def test_fits_in_the_head(self, path):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300

    def test_selects_only_where_the_layouts_are_applied(self, path):
        if not within(path, "layouts/", "extract.py", "loaders.py", "selectors.py"):
            assert not names_in(path) & {"xpath", "css", "re_first", "add_xpath", "nested_xpath", "jmespath"}

    def test_speaks_sql_only_in_the_database_and_the_frontier(self, path):
        # One form of a dataset is a database of its own.
        if not within(path, "database/", "frontier/", "dataset/as_sqlite.py"):
            assert not re.search(r"\bsa\.(select|insert|update|delete|text)\b", path.read_text(encoding="utf-8"))
            assert not re.search(
                r"\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b", path.read_text(encoding="utf-8")
            )

    def test_makes_requests_only_in_spiders_and_sources(self, path):
        # The frontier makes again what was made there.
        if not within(path, "spiders/", "sources/", "frontier/payload.py"):
            assert not re.search(r"\bRequest\(", path.read_text("utf-8"))
            assert not names_in(path) & {"follow", "follow_all"} or within(path, "frontier/")

    def test_reads_the_environment_only_in_the_settings(self, path):
        if not within(path, "settings.py"):
            assert not names_in(path) & {"environ", "getenv"}

    def test_unpickles_nothing(self, path):
        assert not imports_in(path) & {"pickle", "marshal", "shelve", "dill"}


def test_everything_up_to_the_records_runs_without_the_engine():
    seen: set[str] = set()
    waiting = ["metacrawl.extract"]
    while waiting:
        name = waiting.pop()
        path = ROOT / Path(*name.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        for module in imports_in(path) - seen:
            seen.add(module)
            if module.startswith("metacrawl"):
                waiting.append(module)
    assert not [module for module in seen if module.split(".")[0] in {"scrapy", "twisted", "sqlalchemy"}]


def test_a_layout_holds_nothing_but_rules():
    for path in (PACKAGE / "layouts").glob("era_*.py"):
        ours = {module for module in imports_in(path) if not module.startswith("metacrawl.layouts.")}
        assert ours <= {"collections.abc", "metacrawl.urls"}


def test_every_rule_names_a_field_of_its_record():
    for layout in LAYOUTS:
        for rules in layout.pages.values():
            for block in (*rules.movie, *([rules.films] if rules.films else [])):
                assert set(block.rules) <= {field.name for field in fields(items.Movie)}
            for name, block in rules.lists.items():
                assert set(block.rules) <= {field.name for field in fields(LIST_ITEMS[name])}
            for reviews, record in (
                (rules.critic_reviews, items.CriticReview),
                (rules.user_reviews, items.UserReview),
            ):
                if reviews:
                    assert set(reviews.block.rules) <= {field.name for field in fields(record)}


def test_no_rule_selects_by_a_class_that_carries_a_value():
    for path in (PACKAGE / "layouts").glob("*.py"):
        assert not re.search(r"""has\([^)]*["'](positive|mixed|negative|tbd|perfect)["']""", path.read_text("utf-8"))


def test_a_spider_is_named_as_its_file_and_class():
    for module in pkgutil.iter_modules(spiders.__path__, "metacrawl.spiders."):
        for spider in vars(importlib.import_module(module.name)).values():
            if isinstance(spider, type) and issubclass(spider, FilmSpider) and spider.__module__ == module.name:
                name = module.name.rsplit(".", 1)[-1]
                if name == "base":
                    continue
                assert spider.name == name
                assert spider.__name__ == "".join(map(str.title, name.split("_"))) + "Spider"
                assert len(Path(module.module_finder.path, f"{name}.py").read_text("utf-8").splitlines()) <= 120


def test_every_argument_is_in_the_help():
    assert {name for name in READERS if f"{name}=" not in ARGUMENTS} == set()


def test_every_setting_and_argument_of_ours_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ours = {name for name in vars(settings) if name.startswith("METACRAWL_")}
    assert ours == set(re.findall(r"^\| `(METACRAWL_\w+)` \|", readme, re.MULTILINE))
    takes = set(FilmSpider.takes) | {"reviews"}
    table = readme.partition("| argument |")[2].partition("\n\n")[0]
    assert takes == set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def test_every_outcome_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\d, ]+) \|", readme, re.MULTILINE)
    told = {(label, int(code)) for label, codes in rows for code in codes.split(",")}
    assert told == {(outcome.label, outcome.value) for outcome in Outcome}


def test_protecting_settings_are_what_they_should_be():
    """Scrapy's defaults differ."""
    expected = {
        "ROBOTSTXT_OBEY": True,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 1,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "COOKIES_ENABLED": False,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_TIMEOUT": 30,
        "DOWNLOAD_MAXSIZE": 5 * 1024 * 1024,
        "REDIRECT_MAX_TIMES": 5,
        "MEMUSAGE_LIMIT_MB": 1024,
        "HTTPPROXY_ENABLED": False,
        "TWISTED_DNS_RESOLVER": "metacrawl.resolver.PublicResolver",
        "LOG_FORMATTER": "metacrawl.log.SafeLog",
    }
    assert {name: getattr(settings, name) for name in expected} == expected
    assert not {429, 503} & set(settings.RETRY_HTTP_CODES)
    assert dict.fromkeys(("data", "file", "ftp", "s3")) == settings.DOWNLOAD_HANDLERS
    assert settings.USER_AGENT.startswith("metacrawl/")
    places = {**default_settings.DOWNLOADER_MIDDLEWARES_BASE, **settings.DOWNLOADER_MIDDLEWARES}
    first = min((place, name) for name, place in places.items() if place is not None)
    assert first == (10, "metacrawl.middlewares.offsite.OffsiteGuard")


def test_no_answer_passes_a_middleware_of_ours_before_its_slot_is_let_go():
    """Scrapy calls nobody where one fails with an answer: the slot's gate would stay shut."""
    places = settings.DOWNLOADER_MIDDLEWARES
    gate = places["metacrawl.middlewares.retry_after.RetryAfterMiddleware"]
    inside = [load_object(name) for name, place in places.items() if place is not None and place > gate]
    assert inside
    assert [kind for kind in inside if hasattr(kind, "process_response")] == []


def test_the_readme_tells_the_demo_sites_size():
    world = build_world()
    reviews = world.critic_review_count + world.user_review_count
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{len(world.films)} invented films, {reviews:,} reviews" in readme


def test_the_version_is_one_that_python_knows():
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?", metacrawl.__version__)
