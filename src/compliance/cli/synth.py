"""`compliance synth`: a made council with planted breaches and the truth about them."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import click

from compliance.cli.options import DAY
from compliance.errors import UsageError


@click.command("synth")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write to.")
@click.option("--profile", default="herefordshire-2021", show_default=True, help="The council to imitate.")
@click.option("--as-of", type=DAY, default=datetime.date(2021, 9, 30), show_default=True, help="The day of the extract.")
@click.option("--seed", type=int, default=2021, show_default=True, help="The same seed gives the same files.")
@click.option(
    "--scale", type=click.FloatRange(min=0.01, max=200), default=1.0, show_default=True, help="Times the profile's size."
)
@click.option("--csv", "as_csv", is_flag=True, help="Write large tables as CSV too, not Parquet.")
def command(out: Path, profile: str, as_of: datetime.date, seed: int, scale: float, as_csv: bool) -> None:
    """Make the tables of a council of published size, with known breaches written beside them as truth.csv.

    No row describes a real child, carer or worker.
    """
    from compliance.synth import profiles, synthesise, write

    if profile not in profiles():
        raise UsageError(f"no profile is called {profile}", help=f"a profile is one of {', '.join(profiles())}")
    start = time.perf_counter()
    made = synthesise(profile, as_of, seed, scale)
    write(made, out, large_as_parquet=not as_csv)
    rows = sum(len(table) for table in made.tables.values())
    click.echo(f"{rows} rows and {len(made.truth)} planted breaches in {time.perf_counter() - start:.1f} s: {out}", err=True)
