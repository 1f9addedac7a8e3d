"""Shows what is published to a browser: the dataset by Datasette, and the report beside it.

    python deploy/look/serve.py FOLDER [--host ADDRESS] [--port NUMBER]

The folder is what has `dataset` (`scrapy export --to dataset --format sqlite`) and `report.html`. Datasette opens its
files once: it is started anew when an export has put another dataset in the place of the one it shows.
"""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

METADATA = Path(__file__).with_name("metadata.json")
INTERVAL = 2
# Seconds for what Datasette is sending somebody.
GRACE = 2


def main() -> NoReturn:
    """Show it until a signal comes, or until Datasette ends by itself."""
    parser = argparse.ArgumentParser(description="Show a published dataset, and the report.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default="8001")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(serve(given.folder, ["--host", given.host, "--port", given.port]))


def serve(folder: Path, place: list[str]) -> int:
    """Run Datasette on each dataset in turn; returns how it ended, when that was by itself."""
    database = folder / "dataset" / "metacrawl.sqlite"
    options = [*place, "--metadata", str(METADATA), "--static", f"published:{folder}"]
    while True:
        # The dataset is a link, which leads to the version that is shown; before the first night there is none.
        version = database.resolve()
        shown = ["--immutable", str(version)] if version.exists() else []
        server = subprocess.Popen([sys.executable, "-m", "datasette", "serve", *options, *shown])
        try:
            while database.resolve() == version:
                if server.poll() is not None:
                    return server.returncode
                time.sleep(INTERVAL)
        finally:
            server.terminate()
            try:
                server.wait(GRACE)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


if __name__ == "__main__":
    main()
