"""Where else a name may stand than in a record: in messages, in records of runs, on pages kept as evidence."""

import gzip
import html
import json
import re
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

from metacrawl import runfile
from metacrawl.encoding import decode
from metacrawl.outcome import ConfigError, printable

REMOVED = "[forgotten]"
# The parts of a run's record that are made of messages; the others name films and numbers.
TOLD = frozenset({"message", "first", "why"})
UNICODE_ESCAPE = re.compile(r"(?<!\\)\\++u([0-9a-fA-F]{4})")


class Name:
    """A name, however it is written."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def in_message(self) -> re.Pattern[str]:
        """Finds it in a message, which may tell a URL."""
        spellings = {
            self.name,
            printable(self.name),
            *(way(self.name, errors="replace") for way in (quote, quote_plus)),
        }
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(spellings)))})(?!\w)")

    def removed_from(self, value: Any, *, told: bool = True) -> Any:
        """Give a message without it, or a run's record."""
        if isinstance(value, dict):
            return {key: self.removed_from(part, told=key in TOLD) for key, part in value.items()}
        if isinstance(value, list):
            return [self.removed_from(part, told=told) for part in value]
        return self.in_message.sub(REMOVED, value) if told and isinstance(value, str) else value

    def is_in(self, page: str) -> bool:
        """Tell whether it is in the source of a page, HTML or JSON."""
        return self.name in page or unescaped(self.name) in unescaped(page)


def unescaped(source: str) -> str:
    """Undo what HTML, JSON and URLs do to characters, and take all white space for the same."""
    # JSON may stand in an attribute of HTML, and HTML in JSON.
    text = UNICODE_ESCAPE.sub(lambda found: chr(int(found[1], 16)), html.unescape(source))
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\\", "")
    return " ".join(unquote_plus(html.unescape(text)).split())


def remove_evidence(folder: Path, name: Name) -> int:
    """Remove the pages that have a name on them, and those that cannot be read; returns how many."""
    paths = [path for path in folder.glob("*.gz") if has(path, name)]
    for path in paths:
        path.unlink()
    return len(paths)


def has(path: Path, name: Name) -> bool:
    try:
        return name.is_in(decode(gzip.decompress(path.read_bytes())))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return True


def clean_records(folder: Path, name: Name) -> int:
    """Write the records of runs in a folder again without a name; returns how many had it.

    Raises `ConfigError` for one that cannot be read.
    """
    cleaned = 0
    for path in folder.glob("*-run-*.json"):
        try:
            account = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise ConfigError(f"{path} is no record of a run: look what is in it, and move it away") from None
        without = name.removed_from(account, told=False)
        if without != account:
            # In its place: somebody may have named it anew.
            runfile.put(path, without)
            cleaned += 1
    # What a process that was killed while it wrote has left.
    for path in folder.glob("*-run-*.tmp"):
        path.unlink()
    return cleaned
