"""The common second half of every duty rule's SQL: what is found of each duty. Its status follows in one step for all."""

from __future__ import annotations

import re
from collections.abc import Mapping

from compliance.duties.coverage import LAST
from compliance.duties.frame import BLANK, NOTHING, Frame, Owed
from compliance.duties.sources import OWN, literal
from compliance.duties.status import FOUND


def select_found(
    frame: Frame,
    owed: Owed,
    ctes: list[str],
    answer: str | None,
    *,
    of: str = "timed",
    said: Mapping[str, str] | None = None,
    trigger: str = "trigger_date",
    gap: str = "CAST(NULL AS BIGINT)",
    value: str = "NULL",
    bound: str = "NULL",
) -> str:
    """The rule's SELECT: `owed` and the CTEs that follow, the last called `of`, and what is found of each duty: what it can tell.

    That one has subject_id, trigger_date, due_date, done_date, ceased_date, variant, period, version, whatever the answer needs,
    and those of unknown_because, unsure_because, note, trigger_ref and evidence_ref that are not `said` in SQL over it.
    """
    made = {
        "rule": literal(frame.rule.id),
        "subject_type": literal(frame.body.subject or frame.source.subject),
        "authority": OWN + "authority",
        "person_id": _column(frame, "person_id"),
        "carer_id": _column(frame, "carer_id"),
        "worker_id": owed.carried("duty_worker"),
        "team_id": owed.carried("duty_team"),
        "trigger_date": trigger,
        "due_date": f"CASE WHEN {trigger} IS NOT NULL THEN due_date END",
        "answer": answer or NOTHING,
        "gap": gap,
        "value": f"CAST({value} AS DOUBLE)",
        "bound": f"CAST({bound} AS DOUBLE)",
        "unsure_because": "unsure_because" if frame.cover.is_limited else NOTHING,
        "covers_to": LAST if frame.cover.is_limited else "CAST(NULL AS DATE)",
        **(said or {}),
    }
    told = {name: made.get(name, name) for name in FOUND}
    frame.found = tuple(name for name, sql in told.items() if not sql.startswith(BLANK))
    columns = ",\n  ".join(f"{told[name]} AS {name}" if told[name] != name else name for name in frame.found)
    rest = ",\n  ".join(ctes) + f"\nSELECT {columns}\nFROM {of}"
    return f"WITH {owed.sql(_own_columns(rest))},\n  {rest}"


def _own_columns(sql: str) -> set[str]:
    """The columns of the subject that the SQL reads, under the names that it reads them by."""
    return set(re.findall(rf"\b{OWN}\w+", sql))


def _column(frame: Frame, name: str) -> str:
    return OWN + name if name in frame.source.columns else NOTHING
