"""`make bench`: how long a check takes, and how much memory, as ratios measured in one run.

These machines are shared, so seconds alone say little; what the user's own instructions take (CPU) says more than the clock.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.large_extracts import large_annex_a, large_database, large_visits
from tests.return_files import large_census, large_return

ROOT = Path(__file__).parents[1]
HEREFORDSHIRE = ROOT / "fixtures" / "herefordshire-2021-09-30"
RUNS = 3
DAY = "2024-03-31"
READ = (
    "import sys; from datetime import date; from pathlib import Path; from compliance.dataset.load import open_dataset; "
    f"open_dataset([Path(sys.argv[1])], as_of=date.fromisoformat('{DAY}'))"
)


@dataclass(frozen=True)
class Taken:
    """What a command took: seconds by the clock, seconds of the processor, and the most memory, in megabytes."""

    wall: float
    cpu: float
    memory: float


def taken(*arguments: object, **environment: str) -> Taken:
    """What a command takes, with the processes that it starts; refused where it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={**os.environ, **environment},
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(map(str, arguments))}: exit {child.returncode}: {said.read().decode()}")
    return Taken(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def seconds(*arguments: object, times: int = RUNS, **environment: str) -> float:
    """The median wall time of a command."""
    return median(taken(*arguments, **environment).wall for _ in range(times))


def check(dataset: Path, **environment: str) -> float:
    """The median wall time of a full check."""
    arguments = ("-m", "compliance", "check", dataset, "--as-of", "2021-09-30", "--format", "json", "--fail-on", "never")
    return seconds(*arguments, **environment)


def stages() -> str:
    """The stages of one check, as the command gives them."""
    command = [sys.executable, "-m", "compliance", "check", str(HEREFORDSHIRE), "--as-of", "2021-09-30", "--timings", "-q"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stderr.strip()


EXTRACTS: tuple[tuple[str, str, Callable[[Path], int]], ...] = (
    ("Annex A of a large council", "annex_a.xlsx", large_annex_a),
    ("CIN census, 20,000 children", "census.xml", lambda path: large_census(path, 20_000)),
    ("SSDA903, 59,000 children", "return", lambda path: large_return(path, 59_000)),
    ("canonical, a million visits", "visits", lambda path: large_visits(path, 1_000_000)),
    ("SSD (SQLite), a million visits", "ssd.sqlite", lambda path: large_database(path, 1_000_000)),
)


def extracts(start: Taken) -> None:
    """Prints what reading, and reading and judging, each large extract takes, beside a bare interpreter's start."""
    print(f"{'':32}{'rows':>10}{'':>8}{'wall s':>8}{'cpu s':>8}{'MB':>7}{'x start':>9}{'µs/row':>8}")
    for words, name, make in EXTRACTS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            rows = make(path)
            judge = ("-m", "compliance", "check", path, "--as-of", DAY, "--fail-on", "never", "-q")
            for what, arguments in (("read", ("-c", READ, path)), ("judged", judge)):
                used = taken(*arguments)
                numbers = (
                    f"{used.wall:8.2f}{used.cpu:8.2f}{used.memory:7.0f}{used.cpu / start.cpu:9.0f}{used.cpu / rows * 1e6:8.1f}"
                )
                print(f"{words:32}{rows:10,}{what:>8}{numbers}", flush=True)
                words = ""


def main() -> None:
    """Prints the ratios."""
    bare = taken("-c", "pass")
    start = seconds("-c", "pass")
    small = check(HEREFORDSHIRE)
    print(f"bare interpreter            {start:6.2f} s")
    print(f"one council, check          {small:6.2f} s   {small / start:6.1f} x the interpreter's start")
    uncached = check(HEREFORDSHIRE, COMPLIANCE_NO_CACHE="1")
    print(f"the same, rules compiled    {uncached:6.2f} s   {uncached / small:6.2f} x a check with the rules kept")
    print(f"stages: {stages()}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "compliance", "synth", "--out", folder, "--scale", "5"], check=True)
        large = check(Path(folder))
    print(f"a council five times as big {large:6.2f} s   {large / small:6.2f} x the one", flush=True)
    extracts(bare)


if __name__ == "__main__":
    main()
