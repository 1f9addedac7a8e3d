"""The schedule file: which jobs there are, when they are due and what they do; docs/schedule.md is its reference."""

import argparse
import datetime as dt
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings
from scrapy.spiderloader import get_spider_loader

from metacrawl.commands import export, report
from metacrawl.outcome import ConfigError
from metacrawl.schedule.model import Crawl, Job, Step
from metacrawl.spiders import arguments
from metacrawl.spiders.base import FilmSpider

NAME = re.compile(r"[a-z0-9-]{1,40}")
KEYS = ("when", "run")
# What a step may be, beside a crawl.
COMMANDS: Mapping[str, type[ScrapyCommand]] = {"export": export.Command, "report": report.Command}

hint = partial(arguments.hint, otherwise="; there are")


def read_schedule(path: Path, settings: BaseSettings) -> list[Job]:
    """Read the jobs. Raises `ConfigError` that names the file, the job, and what is wrong with it."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"METACRAWL_SCHEDULE={path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    name = "timezone"
    try:
        zone = read_zone(found.pop("timezone", "UTC"))
        jobs = []
        for name, table in found.items():
            jobs.append(read_job(name, table, zone, settings))
    except ConfigError as error:
        raise ConfigError(f"{path}: {name}: {error}") from None
    if not jobs:
        raise ConfigError(f'{path} has no job, such as [night] with when = "30 2 * * *" and run = ["report"]')
    return jobs


def read_zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (LookupError, ValueError, OSError):
        raise ConfigError(f"{name} is no time zone such as Europe/Berlin") from None


def read_job(name: str, table: object, zone: ZoneInfo, settings: BaseSettings) -> Job:
    """Read a job. Raises `ConfigError`."""
    if not isinstance(table, Mapping):
        raise ConfigError("this is no job: a job is a table, such as [night]; beside them there is only timezone")
    if not NAME.fullmatch(name):
        raise ConfigError("a job's name is up to 40 small letters, digits and hyphens")
    for key in table:
        if key not in KEYS:
            raise ConfigError(f"unknown key {key}{hint(key, KEYS)}")
    when, trigger = read_when(table.get("when"), zone)
    run = table.get("run")
    if not (isinstance(run, list) and run and all(isinstance(step, str) for step in run)):
        raise ConfigError('run must be a list of commands, such as ["crawl movies -a browse=new", "report"]')
    return Job(name, when, trigger, tuple(read_step(step, settings) for step in run))


def read_when(when: object, zone: ZoneInfo) -> tuple[str, CronTrigger]:
    """Read when a job is due, as cron has it; gives it in words of one form, too. Raises `ConfigError`."""
    fields = when.split() if isinstance(when, str) else []
    if len(fields) != 5:
        raise ConfigError('when must be minute, hour, day, month and weekday, such as "30 2 * * *"')
    _, _, day, _, weekday = fields
    # Cron counts from Sunday, the library from Monday; where both are given, cron takes either, the library both.
    if re.search(r"\d", weekday):
        raise ConfigError(f'when = "{when}": weekdays by name, such as sun or mon-fri')
    if "*" not in {day, weekday}:
        raise ConfigError(f'when = "{when}": either a day of the month or a weekday, and * for the other')
    try:
        trigger = CronTrigger.from_crontab(" ".join(fields), zone)
    except ValueError as error:
        raise ConfigError(f'when = "{when}": {error}') from None
    if trigger.get_next_fire_time(None, dt.datetime.now(dt.UTC)) is None:
        raise ConfigError(f'when = "{when}" is never')
    return " ".join(fields if zone.key == "UTC" else [*fields, zone.key]), trigger


def read_step(text: str, settings: BaseSettings) -> Step:
    """Read a command. Raises `ConfigError` that names it."""
    try:
        words = shlex.split(text)
        check_step(words, settings)
    except (ConfigError, ValueError) as error:
        raise ConfigError(f'"{text}": {error}') from None
    return Step(tuple(words))


def check_step(words: Sequence[str], settings: BaseSettings) -> None:
    """Check a command as it does itself, as far as that can be done now. Raises `ConfigError`."""
    command = words[0] if words else ""
    if command == "crawl":
        check_crawl(read_crawl(words), settings)
    elif command in COMMANDS:
        check_command(COMMANDS[command](), words, settings)
    else:
        raise ConfigError(f"no step {command}{hint(command, ['crawl', *COMMANDS])}")


def read_crawl(words: Sequence[str]) -> Crawl:
    """Read what a step that crawls asks for. Raises `ConfigError`."""
    options, values = words[2::2], words[3::2]
    if len(words) % 2 or set(options) - {"-a"} or not all("=" in value for value in values):
        raise ConfigError("a crawl takes a spider and its arguments, each as -a NAME=VALUE, and nothing else")
    return Crawl(words[1], dict(value.split("=", 1) for value in values))


def check_crawl(crawl: Crawl, settings: BaseSettings) -> None:
    """Raise `ConfigError` for what `scrapy crawl` would refuse."""
    spiders = get_spider_loader(settings)
    if crawl.spider not in spiders.list():
        raise ConfigError(f"no spider {crawl.spider}{hint(crawl.spider, sorted(spiders.list()))}")
    for name in crawl.arguments:
        if name.startswith("_"):
            raise ConfigError(f"{name}= is not for people to give")
    spider = spiders.load(crawl.spider)
    if issubclass(spider, FilmSpider):
        arguments.read_arguments(crawl.arguments, spider.takes)


class Parser(argparse.ArgumentParser):
    """A command line's parser that does not end the process."""

    def error(self, message: str) -> NoReturn:
        """Raise `ConfigError`."""
        raise ConfigError(message)


def check_command(command: ScrapyCommand, words: Sequence[str], settings: BaseSettings) -> None:
    """Raise `ConfigError` for options that the command does not know, or lacks."""
    command.settings = settings  # type: ignore[assignment]
    parser = Parser(prog=words[0], add_help=False)
    command.add_options(parser)
    given, rest = parser.parse_known_args(words[1:])
    if rest:
        raise ConfigError(f"{words[0]} takes no {rest[0]}")
    if words[0] == "export" and given.to is None:
        raise ConfigError("where to? for instance --to dataset")
