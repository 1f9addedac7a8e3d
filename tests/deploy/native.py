"""The Dockerfile without a container engine.

Its steps are done in a Debian of their own, stage upon stage, and what comes of them is run as a container would be: as
a user that the system does not know, without capabilities, in namespaces, on a root that is read-only. Debian's Python
stands for that of the image, and a tmpfs for each volume. Everything lies in a mount namespace, and is gone with it.
"""

import ast
import json
import os
import re
import shlex
import signal
import string
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.crawl.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent
PYTHON = "/usr/bin/python3.11"
PACKAGES = "python3.11-venv,ca-certificates"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOBODY_KNOWN = 54321
# What a container has of its own, by what Docker gives it.
MOUNTS = 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"'
START = f"""set -e
root=$1 mounts=$2; shift 2
mount -t overlay overlay -o "$mounts" "$root"
for volume in $VOLUMES; do mkdir -p "$root$volume"; done
for file in $FILES; do mkdir -p "$root${{file%/*}}"; touch "$root$file"; done
mount -o remount,ro "$root"
set -- "$root" "$@"; {MOUNTS}
mount -o remount,noexec,nosuid,nodev "$root/tmp"
for volume in $VOLUMES; do
    mount -t tmpfs -o "$(stat -c uid=%u,gid=%g,mode=%a "$root$volume")" tmpfs "$root$volume"
done
for file in $FILES; do mount --bind "$BESIDE$file" "$root$file"; done
ip link set lo up
shift; exec "$@" """


@dataclass
class Stage:
    """What a stage of the Dockerfile is made of, as far as it has been made."""

    layers: list[str]
    """The folders that lie one on the other, the last on top."""

    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    user: str = "0"


def read(dockerfile: str) -> Iterator[tuple[str, list[str], str]]:
    """Give each instruction with its flags and what it says."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        words = line.split()
        if words:
            flags = [word for word in words[1:] if word.startswith("--")] if words[0] == "COPY" else []
            yield words[0], flags, line.split(None, 1 + len(flags))[-1]


def stages_of(dockerfile: str) -> dict[str, tuple[str, list[tuple[str, list[str], str]]]]:
    """Give for each stage what it is built upon, and its steps."""
    stages: dict[str, tuple[str, list[tuple[str, list[str], str]]]] = {}
    for name, flags, says in read(dockerfile):
        if name == "FROM":
            upon, _, stage = says.split()
            stages[stage] = (upon, [])
        else:
            stages[stage][1].append((name, flags, says))
    return stages


def pip_settings() -> tuple[dict[str, str], list[str]]:
    """Give what this machine's pip is told, as environment variables, and the places of this machine in it."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    env: dict[str, str] = {}
    for line in sorted(told.splitlines(), reverse=True):  # what the environment says comes last, and counts
        name, _, value = line.partition("=")
        env[f"PIP_{name.rpartition('.')[2].replace('-', '_').upper()}"] = str(ast.literal_eval(value))
    words = " ".join(env.values()).split()
    # An index of files may name files that lie beside it.
    places = [str(Path(word.removeprefix("file://")).parent) for word in words if word.startswith("file://")]
    return env, [place for place in {*places, *(word for word in words if word[0] == "/")} if Path(place).exists()]


class Engine:
    """Builds stages and runs them, in a mount namespace that ends with it."""

    def __init__(self) -> None:
        self.stages = stages_of((ROOT / "Dockerfile").read_text(encoding="utf-8"))
        self.built: dict[str, Stage] = {}
        self.mounted: set[str] = set()

    def __enter__(self) -> Self:
        # A folder that is there everywhere, under which only this namespace has something.
        command = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt && echo && exec sleep infinity"]
        self.holder = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.holder.stdout
        assert self.holder.stdout.readline(), "mount namespaces are not to be had here"
        return self

    def __exit__(self, *_: object) -> None:
        self.holder.kill()
        self.holder.communicate()

    def inside(self, *command: str) -> list[str]:
        return ["nsenter", f"--target={self.holder.pid}", "--mount", "--", *command]

    def do(self, *command: str, env: Mapping[str, str] | None = None) -> None:
        """Have something done in the namespace; raises what it said when it failed."""
        done = subprocess.run(
            self.inside(*command), capture_output=True, text=True, check=False, timeout=300, env=env, cwd="/"
        )
        assert done.returncode == 0, f"{shlex.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"

    def base(self) -> Stage:
        """Make a Debian with nothing but Python."""
        command = ["mmdebstrap", "--quiet", "--variant=essential", f"--include={PACKAGES}", "bookworm", "/mnt/base"]
        self.do(*command, env=dict(os.environ))
        self.do("ln", "-s", PYTHON, "/mnt/base/usr/local/bin/python")
        self.do("cp", "/etc/resolv.conf", "/etc/hosts", "/mnt/base/etc/")
        return Stage(["/mnt/base"])

    def build(self, name: str) -> Stage:
        """Do the steps of a stage, and of those that it needs."""
        if name in self.built:
            return self.built[name]
        if name not in self.stages:
            return self.built.setdefault(name, self.base())
        upon, steps = self.stages[name]
        under = self.build(upon)
        for _, flags, _ in steps:
            for source in (flag.removeprefix("--from=") for flag in flags if flag.startswith("--from=")):
                self.show(source)
        stage = Stage(
            [*under.layers, f"/mnt/layers/{name}"],
            dict(under.env), under.workdir, list(under.entrypoint), list(under.command), under.user,
        )  # fmt: skip
        self.built[name] = stage
        self.show(name)
        for step in steps:
            self.step(name, stage, *step)
        return stage

    def show(self, name: str) -> str:
        """Mount a stage, to write into it; returns where."""
        place = f"/mnt/shown/{name}"
        stage = self.build(name)
        if name not in self.mounted:
            self.mounted.add(name)
            self.do("mkdir", "-p", place, stage.layers[-1], f"/mnt/beside/{name}")
            self.do("mount", "-t", "overlay", "overlay", "-o", self.overlay(stage.layers, f"/mnt/beside/{name}"), place)
        return place

    @staticmethod
    def overlay(layers: Sequence[str], work: str) -> str:
        return f"lowerdir={':'.join(reversed(layers[:-1]))},upperdir={layers[-1]},workdir={work}"

    def step(self, name: str, stage: Stage, instruction: str, flags: list[str], says: str) -> None:
        place = f"/mnt/shown/{name}"
        match instruction:
            case "ENV":
                for word in shlex.split(says):
                    key, _, value = word.partition("=")
                    stage.env[key] = string.Template(value).substitute(stage.env)
            case "WORKDIR":
                stage.workdir = says
                self.do("mkdir", "-p", f"{place}{says}")
            case "USER":
                stage.user = says
            case "ENTRYPOINT":
                stage.entrypoint, stage.command = json.loads(says), []
            case "CMD":
                stage.command = json.loads(says)
            case "COPY":
                self.copy(place, stage, dict(flag.split("=") for flag in flags), says.split())
            case "RUN":
                self.run_step(place, stage, says)
            case "LABEL":
                pass
            case _:
                raise NotImplementedError(instruction)

    def copy(self, place: str, stage: Stage, flags: Mapping[str, str], words: list[str]) -> None:
        *sources, target = words
        beside = f"/mnt/shown/{flags['--from']}" if "--from" in flags else str(ROOT)
        to = f"{place}{os.path.join(stage.workdir, target)}"  # noqa: PTH118 - a path of another root
        folder = target.endswith("/") or Path(beside, sources[0].lstrip("/")).is_dir() or "--from" in flags
        self.do("mkdir", "-p", to if folder else os.path.dirname(to))  # noqa: PTH120
        for source in sources:
            path = os.path.join(beside, source.lstrip("/"))  # noqa: PTH118
            what = ["sh", "-c", 'if [ -d "$1" ]; then cp -r --preserve=mode,links "$1/." "$2"; else cp "$1" "$2"; fi']
            self.do(*what, "copy", path, to)
            if "--chmod" in flags:
                self.do("chmod", flags["--chmod"], f"{to}{Path(source).name}")

    def run_step(self, place: str, stage: Stage, says: str) -> None:
        settings, places = pip_settings()
        binds = " && ".join(
            f"mkdir -p {place}{one} && mount --bind {one} {place}{one}"
            if Path(one).is_dir()
            else f"mount --bind {one} {place}{one}"
            for one in places
        )
        script = f'set -- {place} && {MOUNTS} && {binds or "true"} && cd "$1{stage.workdir}" && exec chroot "$1" '
        script += shlex.join(["sh", "-euc", f"cd {stage.workdir}; {says}"])
        self.do("unshare", "--mount", "sh", "-euc", script, env={**stage.env, **settings})

    @contextmanager
    def container(
        self, name: str, *command: str, volumes: Sequence[str] = (), files: Mapping[str, str] | None = None, **env: str
    ) -> Iterator["Container"]:
        """Run a stage's command, or another of its entry point, as a container; it is killed at the end."""
        stage = self.build(name)
        number = len(self.mounted)
        self.mounted.add(f"container {number}")
        beside, root = f"/mnt/containers/{number}/files", f"/mnt/containers/{number}/root"
        top, work = f"/mnt/containers/{number}/top", f"/mnt/containers/{number}/work"
        self.do("mkdir", "-p", beside, root, top, work)
        for file, says in (files or {}).items():
            self.do("sh", "-c", 'mkdir -p "${1%/*}" && printf %s "$2" > "$1"', "write", f"{beside}{file}", says)
        mounts = {"VOLUMES": " ".join(volumes), "FILES": " ".join(files or {}), "BESIDE": beside}
        start = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", START, "start", root]
        what = as_nobody(stage, root, [*stage.entrypoint, *(command or stage.command)], env)
        process = subprocess.Popen(
            self.inside(*start, self.overlay([*stage.layers, top], work), *what),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", env={"PATH": PATH, **mounts},
        )  # fmt: skip
        with process:
            try:
                yield Container(process, stage, env)
            finally:
                process.kill()


def as_nobody(stage: Stage, root: str, command: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Give the command that does it in another root: as a user that nobody knows, and that can become no other."""
    words = ["setpriv", f"--reuid={NOBODY_KNOWN}", "--regid=0", "--clear-groups", "--no-new-privs"]
    words += ["--bounding-set=-all", "--inh-caps=-all", "env", f"--chdir={stage.workdir}"]
    environment = [f"{name}={value}" for name, value in {**stage.env, **env}.items()]
    return ["env", "-i", *environment, *(["chroot", root] if root else []), *words, *command]


@dataclass
class Container:
    process: subprocess.Popen[str]
    stage: Stage
    env: Mapping[str, str]

    def ended(self, timeout: float = 120) -> tuple[int, str]:
        """Wait for its end; returns the exit code and what it said."""
        said, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, said

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Do something in it, as `docker exec` does."""
        return subprocess.run(self.entered(command), capture_output=True, text=True, check=False, timeout=120)

    @contextmanager
    def beside(self, *command: str) -> Iterator[None]:
        """Have something else run in it."""
        with subprocess.Popen(self.entered(command), stdout=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.kill()

    def entered(self, command: Sequence[str]) -> list[str]:
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--net", "--root", "--"]
        return [*enter, *as_nobody(self.stage, "", command, self.env)]

    @property
    def pid(self) -> int:
        """The process that is number 1 in there, once it is what was asked for."""
        wait_for(lambda: f"\nUid:\t{NOBODY_KNOWN}\t" in self.first("status") or self.process.poll() is not None)
        return int(self.children())

    def children(self) -> str:
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")

    def first(self, what: str) -> str:
        """Tell what the system says of the first process, if there is one already."""
        number = self.children().strip()
        return Path(f"/proc/{number}/{what}").read_text(encoding="utf-8") if number else ""

    def stop(self) -> None:
        """Ask it to end."""
        os.kill(self.pid, signal.SIGTERM)
