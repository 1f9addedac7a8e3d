"""Makes the secrets that docker-compose.yml reads, in a folder that only you can enter; those that are there stay.

python3 deploy/make_secrets.py
"""

import secrets
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "secrets"


def main() -> None:
    """Make what is missing, and name it."""
    FOLDER.mkdir(exist_ok=True)
    FOLDER.chmod(0o700)
    password = make("database_password", secrets.token_urlsafe(32))
    make("database_url", f"postgresql+psycopg://metacrawl:{password}@postgres/metacrawl")
    make("scrapyd_password", secrets.token_urlsafe(32))


def make(name: str, value: str) -> str:
    """Write a secret unless it is there; returns what the file says."""
    file = FOLDER / name
    if not file.exists():
        file.write_text(f"{value}\n", encoding="ascii")
        # Docker gives each container the file as it is, and the users in there are others than you.
        file.chmod(0o644)
        print(f"made {file}")
    return file.read_text(encoding="ascii").strip()


if __name__ == "__main__":
    main()
