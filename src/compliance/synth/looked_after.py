"""Looked-after children: who they are, periods of care, placements and legal statuses."""

from dataclasses import dataclass, field
from datetime import date

from compliance.synth import care_events, dates, people
from compliance.synth.child_in_need import first_meeting
from compliance.synth.front_door import assess, refer
from compliance.synth.world import CLEAN_BEFORE, Child, Row, Spell, World

AGE_BANDS = {"under_1": (0, 0), "1_to_4": (1, 4), "5_to_9": (5, 9), "10_to_15": (10, 15), "16_and_17": (16, 17)}
ETHNIC_GROUPS = {"white": people.WHITE, "mixed": people.MIXED, "asian": people.ASIAN, "other": ["OOTH"]}
OWN_FOSTER = ["U4", "U6", "U1", "U3", "U5"]
OTHER_SETTINGS = ["S1", "R1", "R3", "S1", "R5"]
NEIGHBOURS = ["Worcestershire", "Shropshire", "Gloucestershire", "Powys", "Monmouthshire"]
FAR_AWAY = ["Staffordshire", "Birmingham", "Lancashire", "Somerset", "Kent", "Nottinghamshire"]
# How a temporary approval of a connected person went, and how many days before the as-of day it began.
TEMPORARY = [
    ("running", 30),
    ("running", 52),
    ("running", 75),
    ("running", 100),
    ("expired", 143),
    ("expired", 171),
    ("extended", 128),
    ("extended", 140),
    ("extension_expired", 205),
    ("extended_after_expiry", 150),
    ("approved", 300),
    ("approved", 260),
    ("approved", 230),
    ("approved", 215),
    ("approved_late", 320),
    ("approved_late", 290),
]


@dataclass
class Care:
    """Return what is decided about a period of care before it is written."""

    child: Child
    start: date
    legal: str
    group: str
    placement_type: str = "U6"
    provider: str = "PR1"
    end: date | None = None
    end_reason: str | None = None
    temporary: str | None = None
    moves: list[date] = field(default_factory=list)
    many_moves: bool = False
    is_at_home: bool = False
    is_outside: bool = False
    is_far: bool = False
    row: Row = field(default_factory=dict)


def look_after(world: World) -> list[Care]:
    """Return every period of care of the two years, written to the tables."""
    cares = current(world) + ended(world)
    for care in cares:
        write(world, care)
    return cares


def current(world: World) -> list[Care]:
    """Return the children looked after on the as-of day, as published."""
    cares = [Care(child, world.as_of, "C2", "foster") for child in _children(world)]
    _place(world, cares)
    _provide(world, cares)
    _order(world, cares)
    _date(world, cares)
    _locate(world, cares)
    return cares


def _children(world: World) -> list[Child]:
    """Return the looked-after children with the published ages, sexes and ethnic groups."""
    figures, count = world.council.looked_after, world.council.count
    total = count(figures["total"])
    ages = [band for band, number in figures["ages"].items() for _ in range(count(number))][:total]
    sexes = ["F"] * count(figures["female"])
    sexes += ["M"] * (total - len(sexes))
    groups = [group for group, number in figures["ethnicity"].items() for _ in range(count(number))][:total]
    world.rng.shuffle(sexes)
    world.rng.shuffle(groups)
    families: list[str] = []
    children = []
    for band, sex, group in zip(ages, sexes, groups, strict=False):
        family = world.pick(families[-40:]) if families and world.chance(0.3) else None
        birth = people.birth_for(world, *AGE_BANDS[band], world.as_of)
        child = people.new_child(world, birth, sex=sex, ethnicity=world.pick(ETHNIC_GROUPS[group]), family=family)
        families.append(child.row["family_id"])
        children.append(child)
    return children


def _place(world: World, cares: list[Care]) -> None:
    """Give each child a kind of placement that suits their age, in the published numbers."""
    wanted = world.council.looked_after["placement"]
    free = list(cares)
    world.rng.shuffle(free)
    suits = {"semi_independent": (16, 18), "adoption": (0, 4), "home": (10, 18), "other": (10, 18), "parents": (0, 18)}
    for group, (youngest, oldest) in suits.items():
        fits = [care for care in free if youngest <= dates.age_on(care.child.birth, world.as_of) <= oldest]
        for care in fits[: world.council.count(wanted[group])]:
            care.group = group
            free.remove(care)


def _provide(world: World, cares: list[Care]) -> None:
    """Give each placement a type and a provider, so that the published numbers of each hold."""
    by_group = {group: [care for care in cares if care.group == group] for group in world.council.looked_after["placement"]}
    for care in by_group["parents"]:
        care.placement_type, care.provider = "P1", "PR0"
    for number, care in enumerate(by_group["semi_independent"]):
        care.placement_type, care.provider = ("P2" if number % 5 == 4 else "H5"), "PR4"
    for number, care in enumerate(by_group["home"]):
        care.placement_type, care.provider = ("K1" if number % 20 == 7 else "K2"), ("PR1" if number == 0 else "PR4")
    for number, care in enumerate(by_group["other"]):
        care.placement_type, care.provider = OTHER_SETTINGS[number % 5], "PR4"
    for number, care in enumerate(by_group["adoption"]):
        care.placement_type, care.provider = ("A6" if number % 4 else "A5"), ("PR1" if number > 1 else "PR5")
    _provide_foster(world, cares, by_group["foster"])


def _provide_foster(world: World, cares: list[Care], foster: list[Care]) -> None:
    """Divide the foster placements between the council's own carers, agencies and voluntary bodies."""
    figures, count = world.council.looked_after["provider"], world.council.count
    own = count(figures["own"]) - sum(care.provider == "PR1" for care in cares if care.group != "foster")
    private = count(figures["private"]) - sum(care.provider == "PR4" for care in cares)
    for number, care in enumerate(foster):
        if number < own:
            care.provider = "PR1"
            care.placement_type = world.pick(OWN_FOSTER, [38, 40, 12, 7, 3])
        else:
            care.provider = "PR4" if number < own + private else "PR5"
            care.placement_type = world.pick(["U4", "U6"], [45, 55])


def _order(world: World, cares: list[Care]) -> None:
    """Give each child a legal status in the published numbers, starting with those the placement decides."""
    left = {status: world.council.count(number) for status, number in world.council.looked_after["legal_status"].items()}
    young = [care for care in cares if dates.age_on(care.child.birth, world.as_of) < 7 and care.group == "foster"]
    teens = [care for care in cares if dates.age_on(care.child.birth, world.as_of) >= 13 and care.group != "parents"]
    wanted = {
        "J1": [care for care in cares if care.placement_type == "R5"],
        "E1": [care for care in cares if care.group == "adoption"] + young,
        "C1": [care for care in cares if care.group == "parents"][: world.council.count(7)]
        + young
        + [care for care in cares if care.group == "foster"],
        "V2": [care for care in teens if care.group == "semi_independent"][::2] + teens,
    }
    for care in cares:
        care.legal = ""
    for status, fits in wanted.items():
        for care in fits:
            if left[status] and not care.legal:
                care.legal = status
                left[status] -= 1
    for care in cares:
        care.legal = care.legal or "C2"


def _date(world: World, cares: list[Care]) -> None:
    """Give each period of care a start that suits age, order and placement; about sixty start in the last year."""
    recent = world.council.count(world.council.looked_after["started_a_year"] * 0.72)
    temporary = _temporary(world, cares)
    for care in cares:
        if care in temporary:
            continue
        youngest = max(care.child.birth, dates.days_after(world.as_of, -3400))
        if care.legal in ("C1", "J1"):
            care.start = world.working_day(dates.days_after(world.as_of, -330), dates.days_after(world.as_of, -12))
        elif care.legal == "V2" and recent > 40:
            care.start = world.working_day(dates.days_after(world.as_of, -360), dates.days_after(world.as_of, -5))
        else:
            latest = dates.days_after(world.as_of, -400 if dates.age_on(care.child.birth, world.as_of) > 1 else -250)
            care.start = world.working_day(youngest, max(latest, youngest))
        care.start = max(care.start, dates.on_or_after(dates.days_after(care.child.birth, 2)))
    settled = [care for care in cares if care.legal == "C2" and care.group == "foster" and care not in temporary]
    started = sum(care.start >= world.year for care in cares)
    for care in settled[: max(0, recent - started)]:
        care.start = max(care.start, world.working_day(dates.days_after(world.as_of, -360), dates.days_after(world.as_of, -200)))
    with_parents = [care for care in cares if care.group == "parents" and care.legal == "C2"]
    number = world.council.count(3)
    for care, ago in zip(with_parents[:number], [40, 120, 210] * number, strict=False):
        care.start, care.temporary = dates.on_or_after(dates.days_after(world.as_of, -ago)), "before_assessment"
        care.start = max(care.start, dates.on_or_after(dates.days_after(care.child.birth, 2)))
    for care in with_parents[number : 2 * number]:
        care.is_at_home = True


def _temporary(world: World, cares: list[Care]) -> list[Care]:
    """Return the children placed with connected persons under temporary approval, each with how that went."""
    fits = [care for care in cares if care.group == "foster" and care.provider == "PR1" and care.legal in ("C1", "V2")]
    chosen = []
    for care, (outcome, ago) in zip(fits, TEMPORARY * max(1, round(world.council.scale)), strict=False):
        day = dates.on_or_after(dates.days_after(world.as_of, -ago))
        if day <= dates.days_after(care.child.birth, 2):
            continue
        care.start, care.temporary, care.placement_type = day, outcome, "U3"
        chosen.append(care)
    return chosen


def _locate(world: World, cares: list[Care]) -> None:
    """Put the published number of children outside the area, a quarter of all of them over 20 miles away."""
    figures, count = world.council.looked_after, world.council.count
    outside = count(figures["outside_area"])
    far = round(len(cares) * figures["over_20_miles_outside_percent"] / 100)
    likely = {"home": 3.0, "other": 3.0, "foster": 1.0, "adoption": 1.5, "semi_independent": 1.0, "parents": 0.2}
    order = sorted(cares, key=lambda care: world.rng.random() / (likely[care.group] * (2 if care.provider == "PR4" else 1)))
    for number, care in enumerate(order[:outside]):
        care.is_outside, care.is_far = True, number < far
    movers = [care for care in cares if care.start < world.year and care.group in ("foster", "home", "semi_independent", "other")]
    movers = [care for care in movers if care.placement_type not in ("U4", "U1")]
    for care in movers[: round(len(cares) * figures["three_placements_percent"] / 100)]:
        care.many_moves = True


ENDINGS = [
    ("E17", 16),
    ("E5", 9),
    ("E6", 5),
    ("E12", 26),
    ("E11", 4),
    ("E45", 38),
    ("E4A", 88),
    ("E4B", 10),
    ("E13", 16),
    ("E41", 14),
    ("E3", 6),
    ("E8", 16),
]


def ended(world: World) -> list[Care]:
    """Return periods of care that ended in the two years, as many a year as published, by the ways care ends."""
    reasons = [reason for reason, weight in ENDINGS for _ in range(weight)]
    number = world.council.count(world.council.looked_after["ceased_a_year"])
    short = world.council.count(world.council.looked_after["started_a_year"] * 0.21)
    cares = []
    for first in (world.window, world.year):
        for index in range(number):
            day = world.working_day(first, dates.days_after(dates.years_after(first, 1), -4))
            reason = "E4A" if index < short else world.pick(reasons)
            cares.append(_ended(world, min(day, dates.days_after(world.as_of, -3)), reason, index < short))
    return cares


def _ended(world: World, day: date, reason: str, is_short: bool) -> Care:
    """Return a period of care that ended on a day for a reason; those who reach 18 leave on their birthday."""
    ages = {"E17": (18, 18), "E5": (18, 18), "E6": (18, 18), "E12": (1, 5), "E11": (1, 4), "E45": (1, 12)}
    youngest, oldest = ages.get(reason, (2, 15))
    birth = dates.years_after(day, -18) if youngest == 18 else people.birth_for(world, youngest, oldest, day)
    longest = 200 if is_short else 3200 if youngest == 18 else 1500
    start = world.working_day(max(dates.days_after(birth, 5), dates.days_after(day, -longest)), dates.days_after(day, -30))
    if not is_short:
        start = min(start, dates.on_or_before(dates.days_after(day, -260)))
        start = max(start, dates.on_or_after(dates.days_after(birth, 2)))
    legal = "E1" if reason in ("E11", "E12") else "V2" if is_short or reason in ("E4B", "E8") else "C2"
    kind, provider = ("A6", "PR1") if legal == "E1" else world.pick([("U6", "PR1"), ("U4", "PR4"), ("U6", "PR4"), ("K2", "PR4")])
    group = "adoption" if legal == "E1" else "home" if kind == "K2" else "foster"
    return Care(
        people.new_child(world, birth),
        start,
        legal,
        group,
        kind,
        provider,
        end=day,
        end_reason=reason,
        is_outside=world.chance(0.3),
    )


def write(world: World, care: Care) -> None:
    """Write a period of care: its referral, orders, placements, episodes and everything done for the child."""
    referral = _referral(world, care)
    care.row = world.add(
        "care_periods",
        care_period_id=world.new_id("L"),
        person_id=care.child.person_id,
        start_date=care.start,
        end_date=care.end,
        end_reason=care.end_reason,
        is_short_break_series=False,
    )
    orders = _orders(world, care)
    placements = _placements(world, care, orders)
    _episodes(world, care, orders, placements)
    care_events.support(world, care, orders, placements)
    start = max(care.start, dates.days_after(world.as_of, -world.rng.randint(250, 560)))
    birthday = dates.years_after(care.child.birth, 16)
    moved = birthday if start < birthday < (care.end or world.as_of) else None
    start = max(referral["referral_date"], start) if care.start >= world.window else start
    if care.end is None or start < care.end:
        start = referral["referral_date"] if referral["referral_date"] >= world.year else start
        world.spells.append(Spell(care.child, start, care.end, "lac", moved))


def _referral(world: World, care: Care) -> Row:
    """Return the referral that led to care, assessed shortly before it if it falls in the two years."""
    authorised = dates.working_days_before(care.start, world.rng.randint(1, 7))
    day = max(dates.working_days_before(authorised, world.rng.randint(6, 44)), dates.on_or_after(care.child.birth))
    authorised = max(authorised, day)
    closed = None
    if care.end:
        closed = min(world.working_day(care.end, dates.days_after(care.end, 12)), world.as_of)
    reasons = {"E12": "RC1", "E11": "RC1", "E45": "RC4", "E41": "RC3", "E3": "RC5", "E17": "RC6"}
    referral = refer(world, care.child, day, closed, "strategy_discussion", reasons.get(care.end_reason or "", "RC7"))
    if day >= world.window:
        assess(world, care.child, referral, authorised, True)
        first_meeting(world, care.child, authorised, is_open=False, late=0.0)
    return referral


def _orders(world: World, care: Care) -> list[Row]:
    """Return the legal statuses of a period of care, one after the other."""
    steps = [(care.start, care.legal)]
    stop = care.end or world.as_of
    if care.legal in ("C2", "E1") and care.temporary != "before_assessment":
        made = dates.on_or_after(dates.days_after(care.start, world.rng.randint(120, 230)))
        steps = [(care.start, "C1"), (made, care.legal)] if made < dates.days_after(stop, -20) else [(care.start, care.legal)]
    rows = []
    for index, (day, status) in enumerate(steps):
        end = steps[index + 1][0] if index + 1 < len(steps) else care.end
        given = day < CLEAN_BEFORE or world.chance(0.88)
        consents = {"consents_needed": 1, "consents_recorded": int(given)} if status == "V2" else {}
        rows.append(
            world.add(
                "legal_statuses",
                legal_status_id=world.new_id("LS"),
                person_id=care.child.person_id,
                legal_status=status,
                start_date=day,
                end_date=end,
                consents_needed=consents.get("consents_needed"),
                consents_recorded=consents.get("consents_recorded"),
            )
        )
    return rows


def _placements(world: World, care: Care, orders: list[Row]) -> list[Row]:
    """Return the placements of a period of care, each starting on the day the one before it ends."""
    days = [care.start, *_moves(world, care, orders)]
    rows = []
    for index, day in enumerate(days):
        last = index == len(days) - 1
        rows.append(_placement(world, care, day, care.end if last else days[index + 1], last))
    return rows


def _moves(world: World, care: Care, orders: list[Row]) -> list[date]:
    """Return the days on which the child moved: several in the last year for the few who move often."""
    stop = care.end or world.as_of
    length = (stop - care.start).days
    if care.temporary or care.is_at_home or (care.group == "parents" and care.legal == "C1"):
        return []
    if care.group == "parents":
        first = dates.days_after(orders[-1]["start_date"], 5)
        return [world.working_day(first, max(first, dates.days_after(stop, -30)))]
    if care.many_moves:
        ago = sorted(world.rng.sample(range(20, 330), world.pick([2, 3], [75, 25])), reverse=True)
        days = [dates.on_or_before(dates.days_after(world.as_of, -number)) for number in ago]
        return sorted({day for day in days if day > dates.days_after(care.start, 3)})
    if care.group == "adoption":
        return [dates.on_or_before(dates.days_after(stop, -min(world.rng.randint(60, 240), length - 40)))] if length > 80 else []
    count = 0 if length < 150 else world.pick([0, 1, 2], [50, 35, 15])
    if care.group == "semi_independent":
        count = max(count, 1) if length > 60 else 0
    moves = {dates.on_or_before(dates.days_after(care.start, world.rng.randint(20, max(21, length - 30)))) for _ in range(count)}
    recent = sorted(day for day in moves if day > care.start)
    return recent if sum(day > dates.days_after(world.year, -5) for day in recent) < 2 else recent[:1]


def _placement(world: World, care: Care, day: date, end: date | None, is_last: bool) -> Row:
    """Return one placement; the last is the published kind, those before it were with foster carers."""
    kind, provider = (care.placement_type, care.provider) if is_last else ("U6", world.pick(["PR1", "PR4"], [60, 40]))
    outside = care.is_outside if is_last else world.chance(0.25)
    far = care.is_far if is_last else outside and world.chance(0.7)
    to_18 = kind in ("U1", "U4") and is_last
    later = dates.on_or_after(dates.days_after(day, world.rng.randint(30, 500)))
    match = later if to_18 and later < (end or world.as_of) and world.chance(0.7) else None
    agrees = match and dates.age_on(care.child.birth, world.as_of) >= 10 and world.chance(0.6)
    agreed = min(dates.days_after(match, 60), end or world.as_of) if match and agrees else None
    row = world.add(
        "placements",
        placement_id=world.new_id("PL"),
        person_id=care.child.person_id,
        care_period_id=care.row["care_period_id"],
        household_id=None,
        start_date=day,
        end_date=end,
        placement_type=kind,
        placement_basis=_basis(care, kind, match is not None),
        placement_provider=provider,
        change_reason=None
        if end is None
        else "CARPL"
        if is_last
        else world.pick(["CARPL", "CREQB", "CREQO", "STAND", "CLOSE", "OTHER"]),
        local_authority=world.council.name if not outside else world.pick(FAR_AWAY if far else NEIGHBOURS),
        is_in_area=not outside,
        is_in_adjoining_area=outside and not far,
        distance_miles=round(world.rng.uniform(20.5, 140) if far else world.rng.uniform(1, 19.5), 1),
        is_intended_to_last_to_18=to_18 or (None if world.chance(0.05) else False),
        long_term_match_date=match,
        reduced_visits_agreed_date=agreed,
        has_own_bedroom=True,
        postcode="recorded",
        destination_postcode=None if end is None else "recorded",
        is_emergency=kind == "U3" and care.temporary is not None,
    )
    world.placements.append(row)
    return row


def _basis(care: Care, kind: str, matched: bool) -> str | None:
    """Return the legal basis of a placement, where the type does not show it."""
    if kind == "P1":
        return "parents_before_assessment" if care.temporary else "parents_after_assessment"
    if care.temporary:
        return "temporary_connected_person"
    if kind.startswith("A"):
        return "for_adoption"
    if kind.startswith("U"):
        return "long_term_foster" if matched else "approved_carer"
    return "other_person_responsible" if kind == "R5" else None


def _episodes(world: World, care: Care, orders: list[Row], placements: list[Row]) -> None:
    """Add an episode for each stretch of one order and one placement."""
    moves = {row["start_date"] for row in placements}
    changes = {row["start_date"] for row in orders}
    days = sorted(moves | changes)
    for index, day in enumerate(days):
        last = index == len(days) - 1
        reason = "S" if index == 0 else "B" if day in moves & changes else "P" if day in moves else "L"
        world.add(
            "episodes",
            episode_id=world.new_id("EP"),
            person_id=care.child.person_id,
            care_period_id=care.row["care_period_id"],
            placement_id=[row for row in placements if row["start_date"] <= day][-1]["placement_id"],
            start_date=day,
            start_reason=reason,
            legal_status=[row for row in orders if row["start_date"] <= day][-1]["legal_status"],
            end_date=care.end if last else days[index + 1],
            end_reason=care.end_reason if last else "X1",
            home_postcode="recorded",
        )
