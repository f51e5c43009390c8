"""The workbook: one table a sheet, with filters, frozen headings, real dates and bars; nothing in it is a formula."""

from __future__ import annotations

import datetime
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compliance.duties.findings import Finding
from compliance.outputs.documents import citations
from compliance.outputs.tabular import harmless
from compliance.outputs.wording import comparator
from compliance.register.changes import Document
from compliance.register.merge import Standing
from compliance.register.register import MeasureValue
from compliance.rulebook.diagnostics import printable
from compliance.rulebook.model import SEVERITIES, Escalation, Measure

if TYPE_CHECKING:
    from compliance.outputs.published import Published

MOST_ROWS = 1_000_000
LONGEST_TEXT = 32_000
NO_TEAM = "no team recorded"
FORMATS = {"date": "dd/mm/yyyy", "whole": "0", "number": "0.0", "text": "", "long": ""}
Cell = str | int | float | bool | datetime.date | None


@dataclass(frozen=True)
class Column:
    """A column: its heading, how wide it is, what it holds, and whether its numbers have bars."""

    heading: str
    width: int = 14
    kind: str = "text"
    bar: bool = False


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, its columns and its rows."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    nothing: str = "Nothing to show"
    """What stands in place of rows where there are none."""


def written(published: Published) -> bytes:
    """The workbook as XLSX, the same bytes for the same run."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        as_of = published.run.as_of
        book.set_properties(
            {
                "title": f"Compliance, {as_of}",
                "created": datetime.datetime.combine(as_of, datetime.time()),
                "author": "compliance",
            }
        )
        formats = _formats(book)
        for number, sheet in enumerate(sheets(published), start=1):
            _write(book, formats, sheet, number)
    return buffer.getvalue()


def sheets(published: Published) -> list[Sheet]:
    """The sheets in order, the same ones in every workbook."""
    made = [breaches(published), due_soon(published), by_team(published), risks(published), waivers(published.run.waivers)]
    made += [measures(published), changes(published), rules(published), data_quality(published)]
    return [cover(published, made), *made]


def _formats(book: Any) -> dict[str, Any]:
    top = {"valign": "top"}
    made = {kind: book.add_format({**top, **({"num_format": form} if form else {})}) for kind, form in FORMATS.items()}
    made["long"] = book.add_format({**top, "text_wrap": True})
    made["heading"] = book.add_format(
        {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#1F3A5F", "font_color": "white"}
    )
    return made


def _write(book: Any, formats: dict[str, Any], sheet: Sheet, number: int) -> None:
    page = book.add_worksheet(sheet.name)
    rows = sheet.rows[:MOST_ROWS] or [[sheet.nothing, *[None] * (len(sheet.columns) - 1)]]
    last = len(rows)
    columns = [{"header": column.heading, "header_format": formats["heading"]} for column in sheet.columns]
    page.add_table(0, 0, last, len(columns) - 1, {"columns": columns, "name": f"Table{number}", "style": "Table Style Light 1"})
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, column.width, formats[column.kind])
        if column.bar and sheet.rows:
            page.conditional_format(1, place, last, place, {"type": "data_bar", "bar_color": "#9DB8D9"})
    for at, row in enumerate(rows, start=1):
        for place, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
            _cell(page, at, place, value, formats[column.kind])
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.set_footer("&L&A&RPage &P of &N")


def _cell(page: Any, row: int, column: int, value: Cell, form: Any) -> None:
    """One cell, of the type its value has; text can never be a formula."""
    match value:
        case None | "":
            return
        case bool():
            page.write_string(row, column, "yes" if value else "no", form)
        case datetime.date():
            _date(page, row, column, value, form)
        case int() | float():
            page.write_number(row, column, value, form)
        case _:
            page.write_string(row, column, str(harmless(printable(value, limit=LONGEST_TEXT))), form)


def _date(page: Any, row: int, column: int, value: datetime.date, form: Any) -> None:
    """A date; those before Excel's first are text."""
    if value.year < 1900:
        page.write_string(row, column, value.isoformat(), form)
    else:
        page.write_datetime(row, column, value, form)


def cover(published: Published, made: Sequence[Sheet]) -> Sheet:
    """What was run on what, what was found, and what the sheets hold."""
    run = published.run
    told = run.manifest()
    counts: Any = told["duties"]
    rows: list[list[Cell]] = [
        ["Council", ", ".join(one.name for one in run.dataset.authorities)],
        ["As of", run.as_of],
        ["Breaches listed", len([one for one in published.findings if one.breach])],
        ["of which open", sum(one.breach == "open" for one in published.findings)],
        *[[f"Duties {status}", count] for status, count in counts.items()],
        ["Risks", len(published.register.risks)],
        ["Rules evaluated", len(run.evaluation.evaluated)],
        ["Rules not evaluated", len(run.evaluation.not_evaluated)],
        ["Version", str(told["version"])],
        ["Rule pack", run.rulebook.digest],
        ["Input", run.dataset.digest],
        ["A breach", "a duty not met in time: open while it can still be put right, else closed"],
        ["Missing data", "is never counted as met: see Rules (not evaluated) and Data quality"],
    ]
    for sheet in made:
        cut = f", the first {MOST_ROWS} of them shown" if len(sheet.rows) > MOST_ROWS else ""
        rows.append([f"Sheet {sheet.name}", f"{len(sheet.rows)} rows{cut}"])
    return Sheet("Cover", [Column("What", 24), Column("Answer", 70, "long")], rows)


FINDING_COLUMNS = (
    Column("Severity", 10),
    Column("Rule", 24),
    Column("Duty", 46),
    Column("Theme", 18),
    Column("Standing", 18),
    Column("Status", 10),
    Column("Breach", 9),
    Column("Council", 12),
    Column("About", 14),
    Column("Id", 12),
    Column("Child", 12),
    Column("Worker", 12),
    Column("Team", 20),
    Column("Started", 12, "date"),
    Column("Due", 12, "date"),
    Column("Done", 12, "date"),
    Column("Days over", 11, "whole", bar=True),
    Column("What happened", 54),
    Column("Provision", 34),
    Column("Source", 30),
    Column("Waived until", 12, "date"),
    Column("Finding", 18),
)


def breaches(published: Published) -> Sheet:
    """Every breach chosen, worst first."""
    return Sheet("Breaches", FINDING_COLUMNS, [_finding(one, published) for one in published.findings])


def _finding(one: Finding, published: Published) -> list[Cell]:
    cited = published.run.rulebook.instruments[one.rule.instrument]
    waived = getattr(one, "waived", None)
    return [
        one.rule.severity,
        one.rule.id,
        one.rule.title,
        _words(one.rule.theme),
        _words(one.rule.standing),
        one.status,
        one.breach,
        one.authority,
        one.subject_type,
        one.subject_id,
        one.person_id,
        one.worker_id,
        one.team,
        one.trigger_date,
        one.due_date,
        one.done_date,
        one.days_over,
        one.message(),
        f"{cited.title}, {one.rule.provision}",
        one.evidence[-1].place() if one.evidence else None,
        waived.expires if waived else None,
        one.id,
    ]


def _words(name: str) -> str:
    return name.replace("_", " ")


DUE_COLUMNS = (
    Column("Due", 12, "date"),
    Column("Days left", 10, "whole", bar=True),
    Column("Severity", 10),
    Column("Rule", 24),
    Column("Duty", 46),
    Column("Theme", 18),
    Column("About", 14),
    Column("Id", 12),
    Column("Child", 12),
    Column("Worker", 12),
    Column("Team", 20),
    Column("Started", 12, "date"),
    Column("Finding", 18),
)


def due_soon(published: Published) -> Sheet:
    """Every duty that falls due within thirty days, the soonest first."""
    as_of = published.run.as_of
    rows = [
        [
            one.due_date,
            (one.due_date - as_of).days if one.due_date else None,
            one.rule.severity,
            one.rule.id,
            one.rule.title,
            _words(one.rule.theme),
            one.subject_type,
            one.subject_id,
            one.person_id,
            one.worker_id,
            one.team,
            one.trigger_date,
            one.id,
        ]
        for one in published.due_soon
    ]
    return Sheet("Due soon", DUE_COLUMNS, rows)


def by_team(published: Published) -> Sheet:
    """A line a team: open breaches by severity, closed ones, children, the longest, and what falls due."""
    found: dict[str, list[Finding]] = {}
    for one in published.findings:
        if one.breach:
            found.setdefault(one.team or NO_TEAM, []).append(one)
    soon = Counter(one.team or NO_TEAM for one in published.due_soon)
    columns = [
        Column("Team", 30),
        Column("Service", 20),
        Column("Open breaches", 10, "whole", bar=True),
        *[Column(f"Open, {severity}", 10, "whole") for severity in reversed(SEVERITIES)],
        Column("Children with an open breach", 12, "whole"),
        Column("Longest open, days", 12, "whole", bar=True),
        Column("Closed breaches", 10, "whole"),
        Column("Due in 30 days", 10, "whole", bar=True),
    ]
    names = sorted({*found, *soon}, key=lambda name: (-sum(one.breach == "open" for one in found.get(name, ())), name))
    return Sheet("Summary by team", columns, [_team(name, found.get(name, []), soon[name]) for name in names])


def _team(name: str, found: Sequence[Finding], soon: int) -> list[Cell]:
    still_open = [one for one in found if one.breach == "open"]
    severities = Counter(one.rule.severity for one in still_open)
    return [
        name,
        next((one.service for one in found if one.service), None),
        len(still_open),
        *[severities[severity] for severity in reversed(SEVERITIES)],
        len({one.person_id for one in still_open if one.person_id}),
        max((one.days_over or 0 for one in still_open), default=None),
        len(found) - len(still_open),
        soon,
    ]


def risks(published: Published) -> Sheet:
    """Every risk, highest first."""
    columns = [
        Column("Score", 8, "whole", bar=True),
        Column("Band", 10),
        Column("Likelihood", 10, "whole"),
        Column("Impact", 8, "whole"),
        Column("Risk", 46),
        Column("For", 12),
        Column("Id", 16),
        Column("Because", 54),
        Column("Causes", 8, "whole"),
        Column("Who must act", 22),
        Column("Owner", 22),
        Column("Direction", 10),
        Column("Current score", 9, "whole"),
        Column("Target score", 9, "whole"),
        Column("Controls", 30),
        Column("Actions", 30),
        Column("Treatment", 12),
        Column("First raised", 12, "date"),
        Column("Last changed", 12, "date"),
        Column("Next review", 12, "date"),
        Column("Confidence", 11),
        Column("Waived until", 12, "date"),
        Column("If nothing is done", 46),
        Column("Priority action", 12),
        Column("Notice measure", 12),
        Column("Rule", 26),
        Column("Risk id", 18),
    ]
    rows: list[list[Cell]] = []
    for one in published.register.risks:
        body = one.rule.body
        assert isinstance(body, Escalation)
        rows.append(
            [
                one.score,
                one.band,
                one.likelihood,
                one.impact,
                one.title,
                one.scope_type,
                one.scope_id,
                one.reason,
                one.cause_count,
                _words(one.rung),
                *_decided(published.register.standings[one.id]),
                body.consequence,
                body.priority_action,
                body.notice_measure,
                one.rule.id,
                one.id,
            ]
        )
    return Sheet("Risks", columns, rows)


def _decided(one: Standing) -> list[Cell]:
    """What people decided of a risk, and how it has moved."""
    decision = one.decision
    return [
        one.owner,
        one.direction,
        one.current.score,
        one.target.score if one.target else None,
        "; ".join(decision.controls) if decision else None,
        "; ".join(f"{each.action} ({each.owner or 'nobody'}, {each.due})" for each in decision.actions) if decision else None,
        decision.treatment if decision else None,
        one.first_raised,
        one.last_changed,
        decision.next_review if decision else None,
        one.confidence,
        one.waived.expires if one.waived else None,
    ]


WAIVER_COLUMNS = (
    Column("State", 16),
    Column("Finding", 18),
    Column("Rule", 24),
    Column("For", 24),
    Column("Reason", 40),
    Column("Approver", 24),
    Column("Granted", 12, "date"),
    Column("Expires", 12, "date"),
    Column("Covers", 9, "whole"),
)


def waivers(found: Iterable[Mapping[str, Any]]) -> Sheet:
    """Every waiver with its state."""
    return Sheet("Waivers", WAIVER_COLUMNS, [_waiver(one) for one in found], "No waiver is on record")


def _waiver(one: Mapping[str, Any]) -> list[Cell]:
    scope = one["scope"]
    granted, expires = (datetime.date.fromisoformat(one[name]) for name in ("granted", "expires"))
    for_whom = f"{scope['type']} {scope['id']}" if scope else None
    head = [one["state"], one["finding"], one["rule"], for_whom, one["reason"], one["approver"]]
    return [*head, granted, expires, one["covers"]]


def measures(published: Published) -> Sheet:
    """Every measure for every scope, with its fraction, target and comparators."""
    columns = [
        Column("Measure", 28),
        Column("Title", 54),
        Column("For", 12),
        Column("Id", 22),
        Column("Value", 10, "number"),
        Column("Unit", 10),
        Column("Numerator", 12, "number"),
        Column("Denominator", 12, "number"),
        Column("Target", 10, "number"),
        Column("Better", 9),
        Column("England", 10, "number"),
        Column("England, year", 9, "whole"),
        Column("Source", 40),
    ]
    return Sheet("Measures", columns, [_measure(one, published.run.as_of) for one in published.measures])


def _measure(one: MeasureValue, as_of: datetime.date) -> list[Cell]:
    body = one.rule.body
    assert isinstance(body, Measure)
    newest = comparator(one, "england", as_of)
    return [
        one.rule.id,
        one.rule.title,
        one.scope_type,
        one.scope_id,
        one.value,
        _words(body.unit),
        one.numerator,
        one.denominator,
        one.target,
        body.better,
        newest.value if newest else None,
        newest.date.year if newest else None,
        newest.source if newest else None,
    ]


CHANGE_COLUMNS = (
    Column("Change", 16),
    Column("Finding", 18),
    Column("Severity", 10),
    Column("Rule", 24),
    Column("Duty", 46),
    Column("About", 14),
    Column("Id", 12),
    Column("Team", 20),
    Column("Due", 12, "date"),
    Column("What happened", 54),
)


def changes(published: Published) -> Sheet:
    """The breaches against the last earlier run, or against the baseline."""
    found = published.changes
    if found is not None:
        worse = {one["id"] for one in found.worse}
        lists = (("new", found.new), ("still open", found.still_open), ("cleared", found.cleared), ("waived", found.waived))
        rows = [_changed("worse" if one["id"] in worse else word, one) for word, listed in lists for one in listed]
        return Sheet("Changes", CHANGE_COLUMNS, rows, "Nothing has changed")
    if published.known is None:
        return Sheet("Changes", CHANGE_COLUMNS, [], "No earlier run was given to compare with")
    return Sheet("Changes", CHANGE_COLUMNS, _against(published.known, published))


def _changed(word: str, one: Document) -> list[Cell]:
    due = datetime.date.fromisoformat(one["due_date"]) if one["due_date"] else None
    about = one["subject"]
    head = [word, one["id"], one["severity"], one["rule"], one["title"]]
    return [*head, about["type"], about["id"], one["team"], due, one["message"]]


def _against(known: frozenset[str], published: Published) -> list[Sequence[Cell]]:
    found = [one for one in published.findings if one.breach]
    rows: list[Sequence[Cell]] = [
        [
            "unchanged" if one.id in known else "new",
            one.id,
            one.rule.severity,
            one.rule.id,
            one.rule.title,
            one.subject_type,
            one.subject_id,
            one.team,
            one.due_date,
            one.message(),
        ]
        for one in found
    ]
    gone = sorted(known - {one.id for one in found})
    rows += [["no longer found", name, *[None] * (len(CHANGE_COLUMNS) - 2)] for name in gone]
    return sorted(rows, key=lambda row: str(row[0]))


def rules(published: Published) -> Sheet:
    """Every rule: its law, whether it was evaluated, and how many of its duties stand how."""
    run = published.run
    statuses = ("met", "late", "overdue", "missed", "due", "lapsed", "unknown")
    counts: dict[str, dict[str, int]] = {}
    for rule, status, count in run.evaluation.connection.execute(
        "SELECT rule, status, count(*) FROM duties GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        counts.setdefault(rule, {})[status] = count
    columns = [
        Column("Rule", 28),
        Column("Kind", 12),
        Column("Title", 54),
        Column("Theme", 18),
        Column("Severity", 10),
        Column("Standing", 18),
        Column("Instrument", 40),
        Column("Provision", 24),
        Column("Link", 40),
        Column("Law read", 10),
        Column("Evaluated", 10),
        Column("Why not", 40),
        *[Column(status.capitalize(), 9, "whole") for status in statuses],
    ]
    left = {one.rule: one.reason for one in run.evaluation.not_evaluated}
    done = set(run.evaluation.evaluated)
    rows: list[list[Cell]] = []
    for rule in sorted(run.rulebook.rules.values(), key=lambda each: each.id):
        cited = citations(rule, run.rulebook)[0]
        rows.append(
            [
                rule.id,
                rule.kind,
                rule.title,
                _words(rule.theme),
                rule.severity,
                _words(rule.standing),
                cited["instrument"],
                cited["provision"],
                cited["url"],
                rule.verified,
                rule.id in done if rule.kind != "escalation" else None,
                left.get(rule.id),
                *[counts.get(rule.id, {}).get(status) for status in statuses],
            ]
        )
    return Sheet("Rules", columns, rows)


def data_quality(published: Published) -> Sheet:
    """Every row set aside, value blanked and impossible fact."""
    columns = [Column("Kind", 12), Column("Table", 24), Column("Column", 22), Column("Key", 16), Column("Value", 24)]
    columns += [Column("File", 28), Column("Sheet", 14), Column("Row", 8, "whole"), Column("What is wrong", 60)]
    return Sheet("Data quality", columns, list(_quality(published)))


def _quality(published: Published) -> Iterator[list[Cell]]:
    for one in published.remarks:
        yield [one.kind, one.table, one.column, None, one.value, one.file, one.sheet, one.row, one.reason]
    for each in published.quality:
        yield [each.code, each.table, each.column, each.key, None, each.file, each.sheet, each.row, each.message]
