"""The oracle for care proceedings, from section 32 of the Children Act 1989 and the practice note on extensions."""

from datetime import date

from compliance.synth import dates
from compliance.synth.oracle import Facts
from compliance.synth.world import Row

LAW_FROM = date(2014, 4, 22)
KINDS = ("care", "supervision")
LAST_DAY = 181


def proceedings(facts: Facts) -> None:
    """Record applications not disposed of in 26 weeks that begin with the day of issue, or by the day set by an extension."""
    for row in facts.all("proceedings"):
        issued = row["issue_date"]
        if issued is None or issued < LAW_FROM or row["application_kind"] not in KINDS:
            continue
        extended = [each["extended_to_date"] for each in _extensions(facts, row)]
        due = max(extended, default=dates.days_after(issued, LAST_DAY))
        facts.deadline("CT-PROCEEDINGS-26-WEEKS", row["proceedings_id"], row["person_id"], issued, due, row["final_order_date"])


def _extensions(facts: Facts, row: Row) -> list[Row]:
    """Return the extensions of a timetable that were granted by the as-of day, in order."""
    granted = [
        each
        for each in facts.by("court_hearings", "proceedings_id", row["proceedings_id"])
        if each["extended_to_date"] is not None and each["hearing_date"] <= facts.as_of
    ]
    return sorted(granted, key=lambda each: (each["hearing_date"], each["extended_to_date"]))


def extensions(facts: Facts) -> None:
    """Record extensions of more than eight weeks from the end they extend, or the later day of the grant, or without a reason."""
    for row in facts.all("proceedings"):
        granted = _extensions(facts, row)
        if row["issue_date"] is None:
            continue
        ends = [dates.days_after(row["issue_date"], LAST_DAY), *(each["extended_to_date"] for each in granted)]
        for end, each in zip(ends, granted, strict=False):
            _extension(facts, each, max(each["hearing_date"], end))


def _extension(facts: Facts, row: Row, start: date) -> None:
    """Record one extension, whose eight weeks start on a day."""
    until, subject, person = row["extended_to_date"], row["hearing_id"], row["person_id"]
    done = until if until <= facts.as_of else None
    facts.deadline("CT-EXTENSION-8-WEEKS", subject, person, start, dates.days_after(start, 56), done)
    if row["extension_reason"] is None:
        facts.lacking("CT-EXTENSION-REASON", subject, person, row["hearing_date"])


RULES = {
    proceedings: ["CT-PROCEEDINGS-26-WEEKS"],
    extensions: ["CT-EXTENSION-8-WEEKS", "CT-EXTENSION-REASON"],
}
