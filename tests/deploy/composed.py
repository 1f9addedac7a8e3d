"""Compose, as a program: it reads docker-compose.yml without an engine."""

import shutil
import subprocess
from pathlib import Path

import compose

ROOT = Path(__file__).parent.parent.parent
# Not the script of the same name, which ends with 0 whatever this says.
PROGRAM = Path(compose.__file__).with_name("docker-compose")
CONTACT = "METACRAWL_CONTACT=you@example.org"


def config(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Have Compose read the file, in a folder where it lies alone."""
    shutil.copy(ROOT / "docker-compose.yml", folder)
    command = [PROGRAM, "--project-directory", folder, *options]
    return subprocess.run(
        [*map(str, command), "config", "--format", "json"], capture_output=True, text=True, check=False, env={}
    )
