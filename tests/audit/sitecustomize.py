"""Notes whatever is unpickled or unmarshalled, in the file that UNPICKLED names; Python imports it when it starts.

An audit event alone tells only of pickles with classes in them; what has none is noticed by the functions that read
pickles. Python's own reading of compiled modules is no event of ours.
"""

import os
import pickle
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

EVENTS = ("pickle.find_class", "marshal.load", "marshal.loads")
# Compiled modules: the interpreter's own, and those that pytest and coverage rewrite.
COMPILED = ("<frozen importlib._bootstrap_external>", "_pytest/assertion/rewrite.py", "zipimport.py", "zipimport>")


def note(what: str) -> None:
    """Note an event and who is to blame, unless it is a module that is imported."""
    frames = []
    frame = sys._getframe(1)  # noqa: SLF001 - there is no other way
    while frame and len(frames) < 8:
        if not frame.f_code.co_filename.endswith("sitecustomize.py"):
            frames.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        frame = frame.f_back
    if what.startswith("marshal.") and frames and frames[0].rpartition(":")[0].endswith(COMPILED):
        return
    if not (path := os.environ.get("UNPICKLED")):
        return
    line = f"{os.getpid()} {what}: {' < '.join(frames)}\n"
    # Not `open`: that may be what is watched.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, line.encode())
    os.close(file)


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Hear of everything; hence no more than a comparison for most of it."""
    if event in EVENTS:
        named = ".".join(map(str, arguments)) if event == "pickle.find_class" else ""
        note(f"{event} {named}".strip())


def watched(name: str, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    note(name)
    return function(*given, **named)


class Unpickler(pickle.Unpickler):
    """Reads pickles, and says so."""

    def load(self) -> Any:
        """Read one."""
        note("Unpickler.load")
        return super().load()


def install() -> None:
    """Watch this process."""
    sys.addaudithook(audit)
    pickle.loads = partial(watched, "pickle.loads", pickle.loads)
    pickle.load = partial(watched, "pickle.load", pickle.load)
    pickle.Unpickler = Unpickler


if os.environ.get("UNPICKLED"):
    install()
