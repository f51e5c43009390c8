"""What is held about those who work: registration, checks before they began, training, appraisal, the panel's members."""

from datetime import date

from compliance.synth import dates, supervision
from compliance.synth.foster_support import record
from compliance.synth.workforce import SUPERVISED, Workforce
from compliance.synth.world import CLEAN_BEFORE, Pace, Row, World, paced

BEFORE_WORK = ["identity", "dbs", "personal_reference", "employer_reference", "qualification", "employment_history"]
YEARLY = Pace(due=lambda last, _: dates.months_after(last, 12), late=0.14, overrun=(5, 60), earliest=0.9, first_earliest=0.9)


def check(world: World, force: Workforce) -> None:
    """Add every check, training and appraisal of the workforce, and of the members of the fostering panel."""
    for row in force.workers:
        if row["role"] in SUPERVISED:
            _register(world, row)
    for index, row in enumerate(force.of("first_line_manager")):
        if index % 6:
            met = min(dates.days_after(row["start_date"], 60), world.as_of)
            record(world, "worker", row["worker_id"], "practice_supervisor_standard", met)
    for index, row in enumerate(_fostering(force)):
        _vet(world, row, lacks=BEFORE_WORK[index % len(BEFORE_WORK)] if index % 5 == 2 else None)
        _train(world, row, index)
    _name_assessors(world, force)
    _panel(world)


def _register(world: World, row: Row) -> None:
    """Add the looks at a social worker's registration: when they began, and yearly after."""
    first = dates.working_days_before(row["start_date"], 5)
    for day in [first, *paced(world, first, row["end_date"], YEARLY)]:
        record(world, "worker", row["worker_id"], "registration", day)


def _fostering(force: Workforce) -> list[Row]:
    """Return the workers of the fostering service."""
    teams = {row["team_id"] for row in force.teams if row["service"] == "fostering"}
    return [row for row in force.workers if row["team_id"] in teams or row["role"] == "supervising_social_worker"]


def _vet(world: World, row: Row, lacks: str | None) -> None:
    """Add the checks of Schedule 1 before a worker began, but for one that some lack."""
    for item in BEFORE_WORK:
        if item != lacks:
            day = dates.working_days_before(row["start_date"], world.rng.randint(5, 30))
            record(world, "worker", row["worker_id"], item, day)


def _train(world: World, row: Row, index: int) -> None:
    """Add trainings, of which one worker in eight lacks one, and appraisals, of which one in six lacks this year's."""
    for number, item in enumerate(("induction", "safeguarding_training")):
        day = dates.on_or_after(dates.days_after(row["start_date"], world.rng.randint(20, 170)))
        if (index + number) % 8 and day <= min(row["end_date"] or world.as_of, world.as_of):
            record(world, "worker", row["worker_id"], item, day)
    for day in paced(world, row["start_date"], row["end_date"], YEARLY):
        if index % 6 != 1 or day < world.year:
            supervision.add(world, row, "appraisal", day, None)


def _name_assessors(world: World, force: Workforce) -> None:
    """Name on each application with a report a supervising social worker then in post, most of them trained to assess."""
    workers = sorted(force.now("supervising_social_worker"), key=lambda row: (row["start_date"], row["worker_id"]))
    first: dict[str, date] = {}
    reported = [row for row in world.tables["foster_carer_applications"] if row["report_date"]]
    for index, row in enumerate(sorted(reported, key=lambda row: (row["report_date"], row["application_id"]))):
        then = [worker for worker in workers if worker["start_date"] <= row["report_date"]] or workers[:1]
        row["worker_id"] = then[index % len(then)]["worker_id"]
        first.setdefault(row["worker_id"], row["report_date"])
    for worker_id, day in first.items():
        late = day >= CLEAN_BEFORE and world.quota("assessor", 35).take()
        record(world, "worker", worker_id, "assessor_training", min(dates.days_after(day, 45 if late else -30), world.as_of))


def inform(world: World) -> None:
    """Add the information of Schedule 3 held on each applicant by the day of the report, but for one in sixteen since 2020."""
    for row in world.tables["foster_carer_applications"]:
        if row["report_date"] is None:
            continue
        for item in ("schedule_3_part_1", "schedule_3_part_2"):
            late = row["report_date"] >= CLEAN_BEFORE and world.quota(item, 6).take()
            day = dates.working_days_after(row["report_date"], 8) if late else dates.working_days_before(row["report_date"], 4)
            record(world, "foster_carer", row["carer_id"], item, day)


def _panel(world: World) -> None:
    """Add the check of each panel member before they joined, and their induction in ten weeks; the juniors lack one each."""
    for index, row in enumerate(world.tables["panel_members"]):
        added, member = row["added_date"], row["panel_member_id"]
        if index != 3:
            record(world, "panel_member", member, "dbs", dates.days_after(added, -20))
        if index != 4:
            record(world, "panel_member", member, "induction", dates.days_after(added, 40))
