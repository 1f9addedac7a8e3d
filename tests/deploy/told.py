"""What docs/deploy.md tells people to type: the tests type it, too."""

import os
import re
import subprocess
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/deploy.md"
SHELL = ("/bin/bash", "-euo", "pipefail", "-c")


def told(mark: str, language: str = "sh") -> str:
    """Give what stands behind a mark."""
    block = rf"<!-- {re.escape(mark)} -->\n+```{language}\n(.*?)^```"
    found = re.search(block, PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"docs/deploy.md has nothing behind <!-- {mark} -->"
    return found[1]


def type_in(mark: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Do what stands behind a mark, in a folder whose own `bin` has programs that go before others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("METACRAWL_")}
    kept["PATH"] = f"{folder / 'bin'}:{kept['PATH']}"
    command = [*SHELL, told(mark)]
    return subprocess.run(
        command, cwd=folder, env=kept | environment, capture_output=True, text=True, timeout=300, check=False
    )


def stand_in(folder: Path, name: str, script: str) -> None:
    """Put a program into the folder's own `bin`."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(script, encoding="utf-8")
    (folder / "bin" / name).chmod(0o755)
