"""Outputs that look back: what changed since an earlier run, how measures stood at earlier month ends, and files all or none."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from lxml import html

from compliance.errors import UsageError
from compliance.outputs.files import write_private_together
from compliance.register.beside import trend_beside
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, run
from conftest import Command
from register_data import council


def test_the_page_and_the_workbook_say_what_changed(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    before = compliance("check", data, "--rules", rules, "--as-of", "2021-09-14", "--save", tmp_path / "before")
    assert before.returncode == 1, before.stderr
    page, book = tmp_path / "a.html", tmp_path / "a.xlsx"
    outputs = ("--output", f"html={page}", "--output", f"xlsx={book}")
    result = compliance(
        "report", data, "--rules", rules, "--as-of", "2021-09-30", "--since", tmp_path / "before", "--months", 3, *outputs
    )
    assert result.returncode == 0, result.stderr
    tree = html.document_fromstring(page.read_text())
    section = tree.xpath("//section[@id='changes']")[0]
    assert section.xpath("./h2")[0].text == "Changes since 14 Sep 2021"
    counts = [each.text_content() for each in section.xpath("./ul[@class='tally']/li")]
    assert counts[:5] == ["1 + new", "0 ✓ cleared", "2 = still open", "0 ▲ of those, worse", "0 ~ waived"]
    assert counts[5:] == ["0 + new", "0 ✓ cleared", "0 ▲ worse", "0 ▼ better"]
    assert "child C3: was due by 2021-09-14, done 2021-09-20, 6 days late" in section.text_content()
    risk = " ".join(tree.xpath("//details[@class='risk']")[0].text_content().split())
    assert "2 children" in risk and "0 in Jul 2021, 2 now" in risk and "level since the last run" in risk
    rows = [row[:2] for row in openpyxl.load_workbook(book)["Changes"].iter_rows(min_row=2, values_only=True)]
    assert sorted(word for word, _ in rows) == ["new", "still open", "still open"]


def test_trends_leave_the_answers_of_the_run_as_they_were(tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    result = run(Request([data], load_rulebook(rules)))
    connection = result.evaluation.connection
    asked = ("FROM duties ORDER BY ALL", "FROM measures ORDER BY ALL", "FROM known.referrals ORDER BY ALL")
    before = [connection.execute(sql).fetchall() for sql in asked]
    series = trend_beside(result, 3)
    assert [one.rule.id for one in series] == ["T-SHARE", "T-RISK"]
    assert [connection.execute(sql).fetchall() for sql in asked] == before
    assert not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name LIKE 'kept_%'").fetchall()


def test_a_report_of_another_council_is_refused(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    compliance("check", data, "--rules", rules, "--save", tmp_path / "before")
    (data / "dataset.yaml").write_text("authority: {code: E06000020, name: Telford and Wrekin}\nextract_date: 2021-09-30\n")
    page = tmp_path / "a.html"
    result = compliance("report", data, "--rules", rules, "--since", tmp_path / "before", "--output", f"html={page}")
    assert result.returncode == 2
    assert "of another council" in result.stderr
    assert not page.exists()


def test_a_second_output_that_cannot_be_written_leaves_nothing_written(compliance: Command, tmp_path: Path) -> None:
    data, rules = council(tmp_path)
    first, second = tmp_path / "a.json", tmp_path / "missing" / "b.html"
    first.write_text("as it was")
    result = compliance("check", data, "--rules", rules, "--output", f"json={first}", "--output", f"html={second}")
    assert result.returncode == 2
    assert "cannot write here: No such file or directory" in result.stderr
    assert first.read_text() == "as it was"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file() and path.name.startswith((".a", "a"))) == ["a.json"]


@pytest.mark.parametrize(("second", "words"), [("folder", "it is a folder"), ("a", "two outputs cannot be the same file")])
def test_what_no_writing_could_do_is_refused_before_any(tmp_path: Path, second: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=words):
        write_private_together([(tmp_path / "a", b"1"), (tmp_path / second, b"2")])
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_files_written_together_are_whole_and_private(tmp_path: Path) -> None:
    write_private_together([(tmp_path / "a", b"1"), (tmp_path / "b", b"2")])
    assert [(path.name, path.read_bytes(), path.stat().st_mode & 0o777) for path in sorted(tmp_path.iterdir())] == [
        ("a", b"1", 0o600),
        ("b", b"2", 0o600),
    ]
