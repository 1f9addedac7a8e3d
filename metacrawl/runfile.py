"""The account of a run as a file, for whoever has no access to the database."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metacrawl.files import whole_file

logger = logging.getLogger(__name__)


def keep(folder: str, account: Mapping[str, Any]) -> None:
    """Write the account into a folder; one that cannot be written is logged, for the database has the account, too."""
    try:
        write(Path(folder), account)
    except OSError as error:
        logger.error("The record of the run cannot be written to METACRAWL_RUNS=%s: %s", folder, error.strerror)  # noqa: TRY400


def write(folder: Path, account: Mapping[str, Any]) -> Path:
    """Write the account into a folder, whole or not at all. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    started = account["started_at"].replace("-", "").replace(":", "")
    path = folder / f"{started}-run-{account['run']}.json"
    put(path, account)
    return path


def put(path: Path, account: Mapping[str, Any]) -> None:
    # Several workers may end a run at once.
    with whole_file(path, path.with_suffix(f".{os.getpid()}.tmp")) as file:
        json.dump(account, file, ensure_ascii=False, indent=1)
        file.write("\n")
