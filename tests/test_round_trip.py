"""A made council, written in every format and read back: the same findings wherever the format carries the data.

Where it does not, the rule is not evaluated, the duty is unknown, or only the latest event is judged and said to be: never a
breach less in silence, and never one more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests import made_returns, ssd_data

from compliance.dataset.load import open_dataset
from compliance.duties.pack import Pack, compile_pack
from compliance.duties.status import BREACHES
from compliance.rulebook.load import Rulebook, load_rulebook
from compliance.run import Request, run
from compliance.sources.convert import Target, convert
from compliance.synth import synthesise, write

AS_OF = date(2021, 9, 30)
Tables = Mapping[str, Any]


@dataclass(frozen=True)
class Duty:
    """A duty as it is the same in every format: ids of rows are not."""

    rule: str
    about: str
    trigger: date | None
    due: date | None
    status: str
    note: str

    @property
    def is_breach(self) -> bool:
        """Whether it was not met in time."""
        return self.status in BREACHES

    @property
    def finding(self) -> tuple[Any, ...]:
        """What makes it the same finding."""
        return self.rule, self.about, self.trigger, self.due, self.status


@dataclass(frozen=True)
class Findings:
    """Every duty of a run, the rules that were evaluated, and what is said of the tables that each rests on."""

    duties: tuple[Duty, ...]
    evaluated: frozenset[str]
    starts: Mapping[str, date]
    is_latest: frozenset[str]

    def about(self, duty: Duty) -> list[Duty]:
        """The duties of the same rule about the same person."""
        return [each for each in self.duties if (each.rule, each.about) == (duty.rule, duty.about)]


class Packs:
    """The rulebook compiled once for each kind of data."""

    def __init__(self) -> None:
        self.made: dict[tuple[frozenset[str], frozenset[str]], Pack] = {}

    def __call__(self, schema: Any, rulebook: Rulebook, latest: frozenset[str], limited: frozenset[str]) -> Pack:
        """The pack for data of which these tables hold not all of history."""
        key = latest, limited
        if key not in self.made:
            self.made[key] = compile_pack(schema, rulebook, latest, limited)
        return self.made[key]


@pytest.fixture(scope="module")
def council() -> Tables:
    """A small made council."""
    return synthesise("herefordshire-2021", AS_OF, 7, 0.05).tables


@pytest.fixture(scope="module")
def judged() -> Callable[[Path], Findings]:
    """Judges what a path holds."""
    rulebook, packs = load_rulebook(), Packs()

    def judge(path: Path) -> Findings:
        done = run(Request([path], rulebook, AS_OF, with_risks=False, packs=packs))
        rows = done.evaluation.connection.execute(
            "SELECT rule, coalesce(person_id, carer_id, worker_id, subject_id) AS about, trigger_date, due_date, status, "
            "coalesce(note, '') FROM duties"
        ).fetchall()
        assert not done.evaluation.failed
        tables = {rule: {table for table, _ in one.needs} for rule, one in done.evaluation.pack.duties.items()}
        first = {each.table: each.stretch.first for each in done.dataset.coverage if each.stretch.first}
        latest = {table.name for table in done.dataset.tables.values() if table.history == "latest"}
        return Findings(
            tuple(Duty(*row) for row in rows),
            frozenset(done.evaluation.evaluated),
            {rule: max(first[one] for one in named & first.keys()) for rule, named in tables.items() if named & first.keys()},
            frozenset(rule for rule, named in tables.items() if named & latest),
        )

    return judge


@pytest.fixture(scope="module")
def tables(council: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The council as canonical tables."""
    folder = tmp_path_factory.mktemp("canonical") / "tables"
    write(synthesise("herefordshire-2021", AS_OF, 7, 0.05), folder, large_as_parquet=False)
    return folder


@pytest.fixture(scope="module")
def expected(tables: Path, judged: Callable[[Path], Findings]) -> Findings:
    """What is found in the canonical tables."""
    return judged(tables)


def ssd_csv(folder: Path, held: Tables, as_of: date) -> Path:
    """The Standard Safeguarding Dataset as CSV, with the day of the extract."""
    ssd_data.write_csv(folder, made_returns.ssd_rows(held, as_of))
    return folder


FORMATS: Mapping[str, Callable[[Path, Tables, date], Path]] = {
    "annex_a": made_returns.annex_a,
    "ssda903": made_returns.ssda903_csv,
    "cin_census": made_returns.cin_census,
    "csww": made_returns.csww,
    "ssd": ssd_csv,
    "dfe_api": made_returns.dfe_api,
}
COMMON_RULES = {"annex_a": 10, "ssda903": 6, "cin_census": 5, "csww": 1, "ssd": 10, "dfe_api": 5}
"""How many rules give the same duty in both at the least, so that no format passes by deciding nothing."""


UNREFERRED = "no referral on record"
NO_PLACE = {("cin_census", "FD-ASSESSMENT-45"): UNREFERRED, ("dfe_api", "FD-ASSESSMENT-45"): UNREFERRED}
"""Breaches of rows for which a format has no place, told by their remark: there an assessment hangs on a referral."""


def lost(expected: Findings, found: Findings) -> list[Duty]:
    """The breaches of rules that were evaluated that are neither found nor said to be beyond what the data can show."""
    same = {each.finding for each in found.duties}
    missed = [each for each in expected.duties if each.is_breach and each.rule in found.evaluated and each.finding not in same]
    return [each for each in missed if not is_said(each, expected, found)]


def is_said(breach: Duty, expected: Findings, found: Findings) -> bool:
    """Whether the data say why the breach is not found as it is.

    It began before what they cover, or is closed where they hold only the latest; the duty is unknown, says that earlier gaps
    are not judged or what is not recorded, stands as due on the day of the extract, of which a state without a date is, or is
    breached by another clock.
    """
    if breach.trigger and breach.rule in found.starts and breach.trigger < found.starts[breach.rule]:
        return True
    if breach.rule in found.is_latest and breach.status != "overdue":
        return True
    known = {each.finding for each in expected.duties}
    return any(
        each.status == "unknown"
        or "latest only" in each.note
        or "not recorded" in each.note
        or "not in the data" in each.note
        or (each.status == "due" and each.due == AS_OF)
        or (each.is_breach and each.finding not in known)
        for each in found.about(breach)
    )


def invented(expected: Findings, found: Findings) -> list[Duty]:
    """The breaches where the canonical tables show none of the same rule and person."""
    breached = {(each.rule, each.about) for each in expected.duties if each.is_breach}
    return [each for each in found.duties if each.is_breach and (each.rule, each.about) not in breached]


def named_alike(found: Findings, council: Tables) -> Findings:
    """The same findings with each worker by the id that the council gives: the workforce census knows only registrations."""
    workers = {row["registration_number"]: row["worker_id"] for row in council["workers"] if row.get("registration_number")}
    return replace(found, duties=tuple(replace(each, about=workers.get(each.about, each.about)) for each in found.duties))


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_gives_the_same_findings_or_says_why_not(
    form: str, council: Tables, expected: Findings, judged: Callable[[Path], Findings], tmp_path: Path
) -> None:
    path = FORMATS[form](tmp_path / form, council, AS_OF)
    (path / "dataset.yaml").write_text(f"extract_date: {AS_OF}\n")
    found = named_alike(judged(path), council) if form == "csww" else judged(path)
    less = [each for each in lost(expected, found) if not each.note.startswith(NO_PLACE.get((form, each.rule), "none"))]
    assert (less, invented(expected, found)) == ([], [])
    same = {each.finding for each in expected.duties} & {each.finding for each in found.duties}
    assert len({rule for rule, *_ in same}) >= COMMON_RULES[form]


def held(path: Path, skipped: frozenset[str] = frozenset()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without where it was read from."""
    dataset = open_dataset([path], as_of=AS_OF)
    return {
        name: dataset.connection.execute(
            f'SELECT * EXCLUDE (row_ref, source_id, source_row) FROM "{name}" ORDER BY ALL'
        ).fetchall()
        for name, table in dataset.tables.items()
        if table.present and name not in skipped
    }


@pytest.mark.parametrize(
    ("target", "name"), [("csv", "o"), ("parquet", "o"), ("xlsx", "o.xlsx"), ("duckdb", "o.db"), ("sqlite", "o.db")]
)
def test_canonical_tables_are_the_same_in_every_container(target: Target, name: str, tables: Path, tmp_path: Path) -> None:
    convert(open_dataset([tables]), tmp_path / name, target)
    assert held(tmp_path / name) == held(tables)


def test_the_looked_after_return_is_the_same_as_csv_and_xml(council: Tables, tmp_path: Path) -> None:
    """The XML of a return has no workers."""
    workers = frozenset({"workers", "allocations"})
    as_csv = held(made_returns.ssda903_csv(tmp_path / "csv", council, AS_OF), workers)
    as_xml = held(made_returns.ssda903_xml(tmp_path / "xml", council, AS_OF), workers)
    assert {name: rows for name, rows in as_xml.items() if rows} == {name: rows for name, rows in as_csv.items() if rows}
    assert len(as_csv["looked_after_reviews"]) > 100


def test_the_safeguarding_dataset_is_the_same_as_csv_and_sqlite(council: Tables, tmp_path: Path) -> None:
    """PostgreSQL by URL is held to the same tables in the tests of that reader."""
    rows = made_returns.ssd_rows(council, AS_OF)
    ssd_data.write_csv(tmp_path / "csv", rows)
    ssd_data.write_sqlite(tmp_path / "ssd.sqlite", rows)
    assert held(tmp_path / "csv") == held(tmp_path / "ssd.sqlite")
