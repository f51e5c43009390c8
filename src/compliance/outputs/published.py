"""What one run publishes, computed once, and the writers of each format."""

from __future__ import annotations

import datetime
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from compliance.dataset.quality import QualityFinding, quality
from compliance.dataset.remarks import RowRemark, remarks
from compliance.duties.findings import Finding, Selection, findings
from compliance.errors import UsageError
from compliance.outputs.files import write_private_together
from compliance.outputs.risk_counts import RiskCounts, risk_counts
from compliance.register.changes import Changes, compare
from compliance.register.decisions import NO_DECISIONS, Decisions
from compliance.register.pseudonyms import Pseudonyms
from compliance.register.register import DUE_SOON_DAYS, MeasureValue, Register, measures, register
from compliance.register.saved import SavedRun
from compliance.register.trend import Series
from compliance.register.waivers import Waivers
from compliance.rulebook.model import Rule
from compliance.run import Run

WRITERS = {
    "text": "compliance.outputs.plain_text:written",
    "json": "compliance.outputs.documents:check_json",
    "jsonl": "compliance.outputs.documents:findings_jsonl",
    "csv": "compliance.outputs.tabular:written",
    "parquet": "compliance.outputs.parquet:written",
    "junit": "compliance.outputs.junit:written",
    "sarif": "compliance.outputs.sarif:written",
    "github": "compliance.outputs.annotations:github",
    "gitlab": "compliance.outputs.annotations:gitlab",
    "xlsx": "compliance.outputs.workbook:written",
    "html": "compliance.outputs.page:written",
    "pdf": "compliance.outputs.paper.pdf:written",
    "docx": "compliance.outputs.paper.word:written",
}
"""Where the function that writes each format stands: it takes what is published and gives bytes."""


@dataclass(frozen=True)
class Published:
    """One run and the findings chosen from it; measures and the register are made when a writer first asks for them."""

    run: Run
    findings: tuple[Finding, ...]
    asked: frozenset[str] | None = None
    """The duty rules that were asked for; None is all."""
    known: frozenset[str] | None = None
    """The ids of the breaches in a baseline; None where there is none."""
    folder: str = ""
    """The folder that the names of source files are relative to, for places in a repository."""
    public: bool = False
    """For publication: nothing about one person or team, and no small numbers."""
    decisions: Decisions = NO_DECISIONS
    waivers: Waivers | None = None
    pseudonyms: Pseudonyms | None = None
    """Replaces the ids of people in the measures and the register; the findings are given with theirs replaced."""
    history: tuple[SavedRun, ...] = ()
    """Earlier runs of the same council, oldest first; the last is what this run is compared with."""
    series: tuple[Series, ...] = ()
    """Each measure and kind of risk at earlier month ends; empty where that was not asked for."""

    @property
    def new(self) -> tuple[Finding, ...]:
        """The breaches that count: those neither waived nor in the baseline."""
        return tuple(
            one for one in self.findings if one.breach and not one.waived and (self.known is None or one.id not in self.known)
        )

    @property
    def rules(self) -> list[Rule]:
        """The duty rules that were asked for, evaluated or not."""
        return [rule for rule in self.run.rulebook.duties if self.asked is None or rule.id in self.asked]

    @cached_property
    def due_soon(self) -> tuple[Finding, ...]:
        """The duties that fall due within thirty days, the soonest first."""
        last = self.run.as_of + datetime.timedelta(days=DUE_SOON_DAYS)
        found = findings(self.run.evaluation, Selection(statuses=("due",), rules=tuple(sorted(self.asked or ()))))
        soon = [one for one in found if one.due_date and one.due_date <= last]
        ordered = sorted(soon, key=lambda one: (one.due_date or last, one.rule.id, one.id))
        return tuple(self.pseudonyms.findings(ordered) if self.pseudonyms else ordered)

    @cached_property
    def remarks(self) -> list[RowRemark]:
        """What loading said of single rows."""
        found = remarks(self.run.dataset)
        return self.pseudonyms.remarks(found) if self.pseudonyms else found

    @cached_property
    def quality(self) -> list[QualityFinding]:
        """What in the data cannot be right."""
        found = quality(self.run.dataset, self.run.as_of)
        return self.pseudonyms.quality(found, self.run.dataset.authorities[0].code) if self.pseudonyms else list(found)

    @cached_property
    def risk_counts(self) -> RiskCounts:
        """How many risks there are, in words that may be published where the document is public."""
        return risk_counts(self.register.risks, public=self.public)

    @cached_property
    def measures(self) -> list[MeasureValue]:
        """The measures of the run."""
        found = measures(self.run)
        return [self.pseudonyms.measure(one) for one in found] if self.pseudonyms else found

    @cached_property
    def register(self) -> Register:
        """The register of the run, with the direction of travel where there are earlier runs."""
        earlier = [one.register for one in self.history]
        named = self.pseudonyms.id if self.pseudonyms else None
        found = register(self.run, self.decisions, waivers=self.waivers, previous=earlier, named=named)
        return self.pseudonyms.register(found) if self.pseudonyms else found

    @cached_property
    def changes(self) -> Changes | None:
        """What changed since the last of the earlier runs; None where there is none."""
        if not self.history:
            return None
        from compliance.outputs.kept import as_saved

        return compare(self.history[-1], as_saved(self.run, self.findings, self.register))

    def series_of(self, rule: str, authority: str) -> Series | None:
        """The series of a measure or kind of risk, or None."""
        return next((one for one in self.series if (one.rule.id, one.authority) == (rule, authority)), None)


def writer(form: str) -> Callable[[Published], bytes]:
    """The function that writes a format. Raises UsageError when there is none."""
    if form not in WRITERS:
        raise UsageError(f"no output is called {form}", help=f"an output is one of {', '.join(sorted(WRITERS))}")
    module, _, function = WRITERS[form].partition(":")
    return cast("Callable[[Published], bytes]", getattr(importlib.import_module(module), function))


def parse_output(text: str) -> tuple[str, Path]:
    """The format and path of `FORMAT=PATH`. Raises UsageError when it is not that."""
    form, separator, path = text.partition("=")
    if not separator or form not in WRITERS or not path:
        raise UsageError(f"--output {text}: not FORMAT=PATH", help=f"FORMAT is one of {', '.join(sorted(WRITERS))}")
    return form, Path(path)


def write_all(published: Published, wanted: list[tuple[str, Path]]) -> None:
    """Writes every output asked for, or none: all are made before the first is written; mode 0600."""
    write_private_together([(path, writer(form)(published)) for form, path in wanted])
