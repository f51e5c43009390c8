"""`make bench`: how long a check takes, as ratios measured in one run; these machines are shared, so seconds alone say little."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
HEREFORDSHIRE = ROOT / "fixtures" / "herefordshire-2021-09-30"
RUNS = 3


def seconds(*arguments: object, times: int = RUNS, **environment: str) -> float:
    """The median wall time of a command."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        result = subprocess.run(
            [sys.executable, *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )
        if result.returncode:
            raise SystemExit(f"{' '.join(map(str, arguments))}: exit {result.returncode}: {result.stderr}")
        taken.append(time.perf_counter() - start)
    return median(taken)


def check(dataset: Path, **environment: str) -> float:
    """The median wall time of a full check."""
    arguments = ("-m", "compliance", "check", dataset, "--as-of", "2021-09-30", "--format", "json", "--fail-on", "never")
    return seconds(*arguments, **environment)


def stages() -> str:
    """The stages of one check, as the command gives them."""
    command = [sys.executable, "-m", "compliance", "check", str(HEREFORDSHIRE), "--as-of", "2021-09-30", "--timings", "-q"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stderr.strip()


def main() -> None:
    """Prints the ratios."""
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
    print(f"a council five times as big {large:6.2f} s   {large / small:6.2f} x the one")


if __name__ == "__main__":
    main()
