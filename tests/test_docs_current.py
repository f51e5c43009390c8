"""The documentation is what the rules and commands are: generated pages are current, and nothing is left out."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from tests.docs import DOCS, REPORT, ROOT, commands, exit_codes, pages, report_page, rulebook

from compliance.dataset.schema import load_schema
from compliance.duties.validate import problems
from compliance.errors import ComplianceError
from compliance.risks.examples import AllExamples
from compliance.risks.facts import SCOPES
from compliance.rulebook.load import load_rulebook
from compliance.rulebook.model import Escalation, FactPattern, Rule

COMMAND_PAGE = DOCS / "commands.md"


@pytest.mark.parametrize(("path", "text"), [pytest.param(*page, id=page[0].name) for page in pages()])
def test_a_generated_page_is_current(path: Path, text: str) -> None:
    assert text == _read(path), f"{path} is out of date: make docs"


def test_the_answers_beside_the_cabinet_report_are_current() -> None:
    assert report_page() == _read(REPORT), "docs/report-coverage.md is out of date: make docs"


def test_no_page_is_left_of_a_theme_that_is_gone() -> None:
    written = {path for path, _ in pages()}
    assert set((DOCS / "rules").glob("*.md")) <= written


def test_every_rule_has_a_place_in_the_reference() -> None:
    headings = {
        line[4:] for path in (DOCS / "rules").glob("*.md") for line in _read(path).splitlines() if line.startswith("### ")
    }
    assert headings == set(rulebook().rules)


@pytest.mark.parametrize(("names", "command"), [pytest.param(*one, id=" ".join(one[0]) or "compliance") for one in commands()])
def test_every_command_and_option_is_documented(names: tuple[str, ...], command: click.Command) -> None:
    section = _section(" ".join(("compliance", *names)))
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert any(name in section for name in option.opts), f"{option.opts} of {names}"
    if names:
        assert command.help, f"{names} says nothing of itself"


def test_every_option_says_what_it_does() -> None:
    silent = [
        f"{' '.join(names)} {option.opts[-1]}"
        for names, command in commands()
        for option in command.params
        if isinstance(option, click.Option)
        and not option.help
        and not option.hidden
        and not isinstance(option.type, click.Choice)
    ]
    assert silent == []


def test_every_exit_code_is_documented() -> None:
    page = _read(COMMAND_PAGE)
    assert set(exit_codes()) == {0, 1, *(one.exit_code for one in _errors(ComplianceError))}
    assert all(f"| {code} | " in page for code in exit_codes())


def test_the_rule_language_names_every_kind_and_every_part_of_a_rule() -> None:
    page = _read(DOCS / "rule-language.md")
    assert [kind for kind in Rule.kinds if f"**{kind}**" not in page] == []


def test_every_kind_of_fact_is_described() -> None:
    page = _read(DOCS / "escalation.md")
    kinds = {pattern.fact for rule in rulebook().of_kind("escalation") for pattern in _patterns(rule)}
    assert [kind for kind in sorted(kinds) if f"### {kind}" not in page] == []


def test_every_property_that_a_pattern_reads_is_described() -> None:
    page = _read(DOCS / "escalation.md")
    unsaid = {
        (pattern.fact, name)
        for rule in rulebook().of_kind("escalation")
        for pattern in _patterns(rule)
        for name in pattern.where
        if f"`{name}`" not in page.split(f"### {pattern.fact}", 1)[1].split("\n#", 1)[0]
    }
    assert unsaid == set()


def test_every_scope_of_a_tally_is_described() -> None:
    page = _read(DOCS / "escalation.md")
    assert [scope for scope in SCOPES if f"`{scope}`" not in page] == []


def test_links_between_pages_lead_somewhere() -> None:
    for path in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#]+\.md)[^)]*\)", _read(path)):
            if not target.startswith("http"):
                assert (path.parent / target).is_file(), f"{path.relative_to(ROOT)}: {target}"


def test_the_rule_that_the_tutorial_writes_passes_its_examples(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", _read(DOCS / "add-a-rule.md"), flags=re.DOTALL)
    unfinished, finished = (tmp_path / name for name in ("unfinished.yaml", "finished.yaml"))
    unfinished.write_text(blocks[0], encoding="utf-8")
    finished.write_text(blocks[1], encoding="utf-8")
    schema, local = load_schema(), load_rulebook(extra=[finished])
    assert [str(one.message) for one in problems(load_rulebook(extra=[unfinished]), schema)] == [
        "there is no column `responded_date` here"
    ]
    assert all(one.passed for one in AllExamples(schema, local).run(local.rules["QA-COMPLAINT-ANSWERED"]))


def _patterns(rule: Rule) -> list[FactPattern]:
    assert isinstance(rule.body, Escalation)
    return rule.body.when


def _errors(kind: type[ComplianceError]) -> list[type[ComplianceError]]:
    return [one for child in kind.__subclasses__() for one in (child, *_errors(child))]


def _section(heading: str) -> str:
    """What the page on commands says under a heading."""
    parts = re.split(r"^## ", _read(COMMAND_PAGE), flags=re.MULTILINE)
    return next(part for part in parts if part.split("\n", 1)[0] == heading)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
