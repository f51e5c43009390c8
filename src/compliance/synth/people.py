"""Children and young people: age, sex, ethnicity, families."""

from datetime import date

from compliance.synth import dates
from compliance.synth.world import Child, World

WHITE = ["WBRI"] * 93 + ["WOTH"] * 5 + ["WROM", "WIRT"]
MIXED = ["MWBC", "MWBA", "MWAS", "MOTH"]
ASIAN = ["AIND", "APKN", "ABAN", "AOTH"]
# Shares of all residents at the 2021 census: white 97%, mixed 1%, Asian 1%, Black and other 1%.
COUNTY = [(WHITE, 96.5), (MIXED, 1.1), (ASIAN, 1.2), (["BAFR", "BCRB"], 0.4), (["OOTH"], 0.5), (["NOBT", "REFU"], 0.3)]


def new_child(
    world: World, birth: date, *, sex: str | None = None, ethnicity: str | None = None, family: str | None = None
) -> Child:
    """Return a new child with a row in people."""
    groups, weights = zip(*COUNTY, strict=True)
    row = world.add(
        "people",
        person_id=world.new_id("C"),
        family_id=family or world.new_id("F"),
        birth_date=birth,
        sex=sex or world.pick(["F", "M"], [48, 52]),
        ethnicity=ethnicity or world.pick(world.pick(groups, weights)),
        is_disabled=world.pick([False, True, None], [88, 10, 2]),
        is_unaccompanied_asylum_seeker=False,
    )
    child = Child(row["person_id"], birth, row)
    world.children[child.person_id] = child
    return child


def birth_for(world: World, youngest: int, oldest: int, day: date) -> date:
    """Return a date of birth that makes a child so many years old on a day, from youngest to oldest."""
    first = dates.days_after(dates.years_after(day, -(oldest + 1)), 2)
    last = dates.days_after(dates.years_after(day, -youngest), -1)
    return world.between(first, last)


def any_birth(world: World, day: date) -> date:
    """Return the date of birth of a child known to the service on a day: any age under 17."""
    youngest, oldest = world.pick([(0, 0), (1, 4), (5, 9), (10, 15), (16, 16)], [8, 24, 28, 34, 6])
    return birth_for(world, youngest, oldest, day)
