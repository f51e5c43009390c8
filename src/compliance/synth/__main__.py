"""`python -m compliance.synth`: write a made council to a folder."""

import argparse
import sys
import time
from datetime import date
from pathlib import Path

from compliance.synth import profiles, synthesise, write


def main() -> None:
    """Write a council as the arguments ask, and say on stderr how large it is."""
    parser = argparse.ArgumentParser(prog="python -m compliance.synth", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--profile", choices=profiles(), default="herefordshire-2021")
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2021, 9, 30))
    parser.add_argument("--seed", type=int, default=2021)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--csv", action="store_true", help="write large tables as CSV too, not Parquet")
    options = parser.parse_args()
    began = time.monotonic()
    made = synthesise(options.profile, options.as_of, options.seed, options.scale)
    write(made, options.out, large_as_parquet=not options.csv)
    rows = sum(len(table) for table in made.tables.values())
    sys.stderr.write(f"{rows} rows, {len(made.truth)} breaches, {time.monotonic() - began:.1f} s\n")


if __name__ == "__main__":
    main()
