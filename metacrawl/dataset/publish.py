"""A folder that is a whole dataset at any moment, however many exports are killed.

The folder that people name is a link to one of the versions that lie beside it. A new version is shown by another link
that takes its place in one step; the version before stays for those who are still reading it.
"""

import datetime as dt
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from metacrawl.outcome import ConfigError, LockedError

PACKAGE = "datapackage.json"
DESCRIPTIONS = frozenset({PACKAGE, "croissant.json", "README.md", "SHA256SUMS"})
# What an older metacrawl has written, and nothing else.
OLDER = frozenset(
    f"{name}.{form}" for name in ("movies", "critic_reviews", "user_reviews") for form in ("jsonl", "csv")
)
LOCK, LINK, VERSIONS = "lock", "link", ".versions"


@contextmanager
def publishing(folder: Path) -> Iterator[Path]:
    """Give a new folder to write a dataset into, which is shown as `folder` when that ends well.

    Raises `ConfigError` for a folder that holds other things, `LockedError` where another export is at work, and
    `OSError`.
    """
    folder = folder.absolute()
    refuse_place(folder)
    refuse_others(folder)
    versions = versions_of(folder)
    versions.mkdir(parents=True, exist_ok=True)
    with locked(folder, versions):
        finish(folder, versions)
        take_over(folder, versions)
        shown = current(folder)
        clean(versions, {shown, before(versions, shown)})
        version = versions / new_name()
        version.mkdir()
        try:
            yield version
            persist(version)
            show(folder, version)
        except BaseException:
            # What is shown already stays, though what came after failed.
            if current(folder) != version.name:
                shutil.rmtree(version)
            raise
        clean(versions, {version.name, shown})


def remove_earlier(folder: Path) -> None:
    """Remove all versions but the one that is shown. Raises `LockedError` where an export is at work, and `OSError`."""
    folder = folder.absolute()
    versions = versions_of(folder)
    with locked(folder, versions):
        clean(versions, {current(folder)})


def versions_of(folder: Path) -> Path:
    """Name the folder that has the versions of a dataset."""
    return folder.with_name(f".{folder.name}{VERSIONS}")


def new_name() -> str:
    """Name a version: a later one comes later."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"


@contextmanager
def locked(folder: Path, versions: Path) -> Iterator[None]:
    """Keep other exports away. Raises `LockedError` where one is at work."""
    lock = FileLock(versions / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise LockedError(f"another export is writing {folder}: wait for it to end") from None
    try:
        yield
    finally:
        lock.release()


def refuse_place(folder: Path) -> None:
    """Raise `ConfigError` for a folder in whose place no link can be put, or that is a version of a dataset."""
    is_version = folder.parent.name.startswith(".") and folder.parent.name.endswith(VERSIONS)
    if folder.name in ("", "..") or folder == Path.cwd() or is_version:
        raise ConfigError(f"{folder} cannot become a link: name a folder that is neither this one nor a version")


def refuse_others(folder: Path) -> None:
    """Raise `ConfigError` for a folder that holds other things than a dataset, and `OSError` for what is none."""
    if folder.is_symlink():
        if folder.readlink().parent.name != versions_of(folder).name:
            raise ConfigError(f"{folder} is a link to {folder.readlink()}: give the dataset a folder of its own")
    elif folder.is_dir():
        names = {path.name for path in folder.iterdir()}
        if other := min(names - ours(folder, names), default=None):
            raise ConfigError(f"{folder} holds other things, such as {other}: give the dataset a folder of its own")
    elif folder.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))


def ours(folder: Path, names: set[str]) -> frozenset[str]:
    """Tell which of the names in a folder are those of a dataset's files."""
    if PACKAGE not in names:
        return OLDER
    try:
        described = json.loads((folder / PACKAGE).read_text(encoding="utf-8"))
        return DESCRIPTIONS | {resource["path"] for resource in described["resources"] if "metacrawl" in described}
    except (ValueError, TypeError, LookupError, OSError):
        return frozenset()


def finish(folder: Path, versions: Path) -> None:
    """Show what was about to be shown, where an export was killed between taking a folder over and that."""
    link = versions / LINK
    if not os.path.lexists(folder) and link.is_symlink() and (versions / link.readlink().name).is_dir():
        link.replace(folder)


def take_over(folder: Path, versions: Path) -> None:
    """Make a folder that is none of ours yet, but was found to be a dataset, the version before."""
    if folder.is_symlink() or not folder.exists():
        return
    version = versions / new_name()
    link = link_to(version)
    folder.rename(version)
    link.replace(folder)


def current(folder: Path) -> str:
    """Name the version that is shown; empty if none is."""
    return folder.readlink().name if folder.is_symlink() else ""


def before(versions: Path, shown: str) -> str:
    """Name the version before one."""
    return max((path.name for path in versions.iterdir() if path.name < shown), default="")


def clean(versions: Path, kept: set[str]) -> None:
    """Remove all versions but some, and what exports that were killed have left."""
    for path in versions.iterdir():
        if path.is_symlink():
            path.unlink()
        elif path.is_dir() and path.name not in kept:
            shutil.rmtree(path)


def persist(version: Path) -> None:
    """Have a version on disk before it is shown."""
    for path in (*version.iterdir(), version, version.parent):
        flush(path)


def flush(path: Path) -> None:
    """Wait until a file or a folder is on disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def show(folder: Path, version: Path) -> None:
    """Show a version in place of another one, in one step."""
    link_to(version).replace(folder)
    flush(folder.parent)


def link_to(version: Path) -> Path:
    """Make the link that is to be shown."""
    link = version.parent / LINK
    # Of an export that was killed here.
    link.unlink(missing_ok=True)
    link.symlink_to(Path(version.parent.name, version.name))
    return link
