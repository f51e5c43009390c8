"""What the yearly return asks of a child's health: a score, immunisations, development checks at 31 March."""

from datetime import date

from compliance.synth import dates
from compliance.synth.looked_after import Care
from compliance.synth.world import World


def report(world: World, cares: list[Care]) -> None:
    """Add what was recorded for the latest year of children in care all through it, one in ten of it wanting."""
    end = date(world.as_of.year, 3, 31)
    day = end if end <= world.as_of else date(end.year - 1, 3, 31)
    for care in cares:
        if care.start <= date(day.year - 1, 4, 1) and (care.end is None or care.end > day):
            _score(world, care, day)
            _checked(world, care, "immunisations", day, 90)
            if dates.age_on(care.child.birth, day) < 5:
                _checked(world, care, "development_check", day, 90)


def _score(world: World, care: Care, day: date) -> None:
    """Add a strengths and difficulties score of a child of 4 to 16, or the reason for none; for one in ten neither."""
    if not 5 <= dates.age_on(care.child.birth, day) <= 16 or not world.quota("sdq", 90).take():
        return
    scored = world.chance(0.92)
    world.add(
        "health_checks",
        health_check_id=world.new_id("H"),
        person_id=care.child.person_id,
        check_kind="sdq",
        check_date=dates.on_or_before(dates.days_after(day, -world.rng.randint(1, 200))),
        status="completed" if scored else "not_done",
        was_by_doctor=None,
        year_end_date=day,
        score=world.rng.randint(3, 28) if scored else None,
        no_score_reason=None if scored else world.pick(["SDQ2", "SDQ3", "SDQ4"]),
    )


def _checked(world: World, care: Care, kind: str, day: date, percent: float) -> None:
    """Add whether a check was up to date at the year's end."""
    world.add(
        "health_checks",
        health_check_id=world.new_id("H"),
        person_id=care.child.person_id,
        check_kind=kind,
        check_date=dates.on_or_before(dates.days_after(day, -world.rng.randint(1, 200))),
        status="completed" if world.quota(kind, percent).take() else "not_done",
        was_by_doctor=None,
        year_end_date=day,
        score=None,
        no_score_reason=None,
    )
