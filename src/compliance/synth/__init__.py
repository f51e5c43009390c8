"""A made council: canonical tables of a published size, with planted breaches and the truth about them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from compliance.synth import (
    care_leavers,
    caseloads,
    children,
    court,
    fostering,
    health_year,
    looked_after,
    oversight,
    permanence,
    planted,
    quality,
    staff_checks,
    supervision,
    workforce,
)
from compliance.synth import write as _write
from compliance.synth.council import load_council, profiles
from compliance.synth.truth import TruthRow, tell_truth
from compliance.synth.world import World

__all__ = ["Synthetic", "TruthRow", "profiles", "synthesise", "write"]


@dataclass(frozen=True)
class Synthetic:
    """Return a made council: its tables, its breaches, whose it is and when it was taken."""

    tables: dict[str, list[dict[str, Any]]]
    truth: list[TruthRow]
    authority: dict[str, str]
    as_of: date


def synthesise(profile: str, as_of: date, seed: int, scale: float = 1.0) -> Synthetic:
    """Return a council of the size a profile gives, the same one every time for the same arguments."""
    council = load_council(profile, scale)
    world = World(council, as_of, Random(seed))
    planted.plant(world)
    cares = looked_after.look_after(world)
    children.know(world, cares, quality.other_councils_plans(world))
    care_leavers.prepare(world, cares)
    force = workforce.employ(world)
    fostering.foster(world, force, cares)
    staff_checks.inform(world)
    world.note_plans()
    caseloads.allocate(world, force)
    care_leavers.name_authors(world)
    quality.missing_episodes(world, cares)
    quality.audits(world)
    quality.guardianship(world)
    supervision.supervise(world, force)
    staff_checks.check(world, force)
    oversight.oversee(world, cares)
    permanence.settle(world, cares)
    court.go_to_court(world)
    caseloads.accompany(world, force)
    health_year.report(world, cares)
    quality.childrens_register(world)
    workforce.blank_one_start(force)
    tables = {name: rows for name, rows in sorted(world.tables.items()) if rows}
    truth = tell_truth(tables, as_of, council.code)
    return Synthetic(tables, truth, {"code": council.code, "name": council.name}, as_of)


def write(synthetic: Synthetic, folder: Path, *, large_as_parquet: bool = True) -> None:
    """Write a made council to a folder, leaving alone any other file there."""
    _write.write_tables(synthetic.tables, folder, large_as_parquet)
    _write.write_truth(synthetic.truth, synthetic.authority, synthetic.as_of, folder)
