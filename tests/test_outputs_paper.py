"""The board paper: the tables of the Cabinet report's paragraphs 48 and 49, its length, and both its forms."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import docx
import pytest

from compliance.duties.findings import findings
from compliance.outputs.paper import pdf, word
from compliance.outputs.paper.blocks import Heading, Items, Paper, Sentences, Table
from compliance.outputs.paper.contents import MOST_INDICATORS, indicators, paper
from compliance.outputs.paper.programme import Item
from compliance.outputs.published import Published
from compliance.register.register import MeasureValue
from compliance.register.trend import Point, Series, month_ends
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, run
from conftest import HEREFORDSHIRE, ROOT, Command

HEADINGS = [
    "Purpose",
    "The improvement notice",
    "Ofsted’s priority actions",
    "Indicators",
    "Principal risks",
    "Resource implications",
    "What is asked of the board",
    "What cannot be seen",
]
ALLOCATION = [
    ("Improvement Board", "130", "130", "260"),
    ("Support for families", "100", "100", "200"),
    ("Legal", "551", "551", "1,102"),
    ("External legal fees", "525", "325", "850"),
    ("Human resources support", "364", "289", "653"),
    ("Assurance and transformation", "292", "85", "377"),
    ("Interim staffing", "890", "890", "1,780"),
    ("TOTAL", "2,852", "2,370", "5,222"),
]
FUNDING = [
    ("Earmarked reserves", "2,852", "2,370", "5,222"),
    ("DfE grant", "214", "-", "214"),
    ("TOTAL", "3,066", "2,370", "5,436"),
]
NOTICE = [
    ("Secretary of State appointment of an Improvement Adviser", "done"),
    ("Implementation of an improvement plan", "in progress"),
    ("Improvement Board with an independent chair", "done"),
    ("DfE reviews of progress against the plan at least every six months", "in progress"),
    ("Improvement support through Partners in Practice", "in progress"),
    ("Improvement Adviser's six-weekly reports to the Department", "in progress"),
]


@pytest.fixture(scope="module")
def published() -> Published:
    """The fixture's run with every breach."""
    result = run(Request([HEREFORDSHIRE], load_rulebook(ROOT / "rules")))
    return Published(result, tuple(findings(result.evaluation)))


@pytest.fixture(scope="module")
def made(published: Published) -> Paper:
    """The paper."""
    return paper(published)


def table(made: Paper, caption: str) -> Table:
    """The table of that caption."""
    return next(one for one in made.blocks if isinstance(one, Table) and one.caption.startswith(caption))


def test_it_has_the_shape_of_a_report_to_cabinet(made: Paper) -> None:
    assert [one.text for one in made.blocks if isinstance(one, Heading)] == HEADINGS
    assert "rule pack" in made.footer and "data of 30 September 2021" in made.footer


def test_the_finance_tables_are_those_of_paragraph_48(made: Paper) -> None:
    assert list(table(made, "Current allocation").rows) == ALLOCATION
    assert list(table(made, "Funding streams").rows) == FUNDING
    told = " ".join(one.text for one in made.blocks if isinstance(one, Sentences))
    assert "Spend and commitments to 31 August 2021 were £1,875k" in told
    assert "£1,463k Children and Families, £179k Legal, £203k HR and £30k Communications" in told
    assert "£1,500k" in told


def test_the_measures_of_the_notice_are_those_of_paragraph_49(made: Paper) -> None:
    rows = table(made, "Measures of the notice").rows
    assert [state for _, state, _ in rows] == [state for _, state in NOTICE]
    assert all(row[0].startswith(title) for row, (title, _) in zip(rows, NOTICE, strict=True))
    assert rows[3][2] == "due 31 October 2021"


def test_there_are_at_most_twelve_indicators_each_with_its_fraction(made: Paper, published: Published) -> None:
    rows = table(made, "Indicators").rows
    assert 8 <= len(rows) <= MOST_INDICATORS
    assert all(re.fullmatch(r"[\d,.]+ of [\d,.]+", row[2]) for row in rows)
    one = next(each for each in published.measures if each.rule.id == "ASSESSMENTS-45" and each.scope_type == "authority")
    share = f"{100 * one.numerator / one.denominator:.1f}%"
    assert rows[0][:3] == (one.rule.title, share, f"{one.numerator:,.0f} of {one.denominator:,.0f}")
    assert len(indicators(published)) == len(rows)
    assert {row[3] for row in rows} == {"not judged"}


def test_each_indicator_has_its_trend(published: Published) -> None:
    chosen = indicators(published)
    series = tuple(_series(one, (90, 91, 89, 90, 60)) for one in chosen)
    found = table(paper(dataclasses.replace(published, series=series)), "Indicators")
    days = {one.rule.id: one.rule.measure.better for one in chosen}
    words = {"higher": "worse", "lower": "better"}
    assert [row[3].partition(":")[0] for row in found.rows] == [words[days[one.rule.id]] for one in chosen]
    assert found.rows[0][3] == "worse: 90.0% in May 2021; signal"
    assert found.lines[0] == (90.0, 91.0, 89.0, 90.0, 60.0)
    few = tuple(
        dataclasses.replace(one, points=tuple(dataclasses.replace(each, denominator=9) for each in one.points)) for one in series
    )
    found = table(paper(dataclasses.replace(published, series=few)), "Indicators")
    assert found.rows[0][3] == "too few to say" and found.lines[0] == ()
    said = [one.text for one in paper(dataclasses.replace(published, series=series)).blocks if isinstance(one, Sentences)]
    assert any(one.startswith("Trend: 5 month ends") and "provisional" in one for one in said)


def test_a_trend_of_small_numbers_is_not_published(published: Published) -> None:
    series = tuple(_series(one, (4, 50)) for one in indicators(published))
    public = dataclasses.replace(published, series=series, public=True)
    found = table(paper(public), "Indicators")
    assert found.rows[0][3] == "not shown: small numbers" and found.lines[0] == ()


def _series(one: MeasureValue, values: tuple[int, ...]) -> Series:
    days = month_ends(date(2021, 9, 30), len(values))
    points = tuple(Point(day, value, 100, float(value)) for day, value in zip(days, values, strict=True))
    return Series(one.rule, one.authority, one.rule.measure.unit, one.rule.measure.better, points)


def test_nobody_is_named(made: Paper, published: Published) -> None:
    people = {name for one in published.findings for name in (one.person_id, one.worker_id) if name}
    said = " ".join(cell for one in made.blocks if isinstance(one, Table) for row in one.rows for cell in row)
    said += " ".join(item for one in made.blocks if isinstance(one, Items) for item in one.items)
    assert not people & set(re.findall(r"[A-Z]+\d+", said))


def test_for_publication_small_numbers_are_not_given(published: Published) -> None:
    public = paper(dataclasses.replace(published, public=True))
    assert ("Classification", "open") in public.facts
    assert "5 or fewer carers" in {row[2] for row in table(public, "Principal risks").rows}


@pytest.mark.parametrize(
    ("status", "due", "completed", "planned", "state"),
    [
        ("completed", None, None, None, "done"),
        ("in_progress", "2021-08-01", "2021-07-30", None, "done"),
        ("in_progress", "2021-09-30", None, None, "in progress"),
        ("in_progress", "2021-09-29", None, None, "overdue"),
        ("in_progress", "2021-09-29", None, "2021-10-20", "rescheduled"),
        ("at_risk", None, None, None, "at risk"),
        ("cancelled", "2021-09-29", None, None, "cancelled"),
    ],
)
def test_how_an_item_stands(status: str, due: str | None, completed: str | None, planned: str | None, state: str) -> None:
    days = [date.fromisoformat(text) if text else None for text in (due, completed, planned)]
    assert Item("A", "action", "An action", status, *days, date(2021, 9, 30)).state == state


def test_the_pdf_has_two_to_six_pages_and_is_tagged(published: Published) -> None:
    content = pdf.written(published)
    assert content.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 6
    assert b"/StructTreeRoot" in content
    series = tuple(_series(one, (90, 91, 89, 90, 60)) for one in indicators(published))
    drawn = pdf.written(dataclasses.replace(published, series=series))
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", drawn)) <= 6
    assert pdf.written(published) == content


def test_what_the_data_says_is_never_markup(published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = '#read("/etc/passwd") *bold* $x$ <w:t>'
    made = Paper(
        "T", (("Council", hostile),), [Sentences(hostile), Items((hostile,)), Table("C", ("A",), (1,), ((hostile,),))], "f"
    )
    monkeypatch.setattr(pdf, "paper", lambda _: made)
    monkeypatch.setattr(word, "paper", lambda _: made)
    document = docx.Document(io.BytesIO(word.written(published)))
    assert document.tables[0].rows[1].cells[0].text == hostile
    content = pdf.written(published)
    if shutil.which("pdftotext"):
        (tmp_path / "a.pdf").write_bytes(content)
        text = subprocess.run(
            ["pdftotext", "-layout", "a.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        assert text.count('#read("/etc/passwd") *bold* $x$ <w:t>') == 4


def test_the_word_document_says_the_same(published: Published, made: Paper) -> None:
    content = word.written(published)
    document = docx.Document(io.BytesIO(content))
    assert [each.text for each in document.paragraphs if each.style.name == "Heading 2"] == HEADINGS
    tables = [one for one in made.blocks if isinstance(one, Table)]
    for got, wanted in zip(document.tables, tables, strict=True):
        assert [tuple(cell.text for cell in row.cells) for row in got.rows] == [wanted.headings, *wanted.rows]
    assert word.written(published) == content


def test_report_writes_every_output_of_one_run(compliance: Command, tmp_path: Path) -> None:
    kinds = ("html", "xlsx", "pdf", "docx")
    outputs = [word for kind in kinds for word in ("--output", f"{kind}={tmp_path / f'out.{kind}'}")]
    result = compliance("report", HEREFORDSHIRE, "--no-trend", *outputs)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    for kind in kinds:
        path = tmp_path / f"out.{kind}"
        assert path.stat().st_mode & 0o777 == 0o600
        assert f"{kind}: {path}" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing option '--output'"),
        (["--output", "odt=x"], "not FORMAT=PATH"),
        (["--publish", "--output", "xlsx=x"], "--publish does not cover xlsx"),
    ],
)
def test_report_refuses(compliance: Command, arguments: list[str], words: str) -> None:
    result = compliance("report", HEREFORDSHIRE, *arguments)
    assert result.returncode == 2
    assert words in result.stderr
