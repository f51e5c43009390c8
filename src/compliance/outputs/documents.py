"""The JSON documents of each command: plain data in a fixed order, the same bytes for the same run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from compliance.duties.evaluate import NotEvaluated
from compliance.duties.findings import Evidence, Finding, Waived
from compliance.register.merge import Standing, standing_document
from compliance.register.register import MeasureValue, Register
from compliance.risks.assess import Risk
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import Escalation, Measure, Rule
from compliance.run import Run

if TYPE_CHECKING:
    from compliance.outputs.published import Published

SCHEMA_VERSION = "1.0"


def as_json(document: Mapping[str, Any] | list[Any]) -> bytes:
    """The document as UTF-8 JSON: a line for each item of its lists, so that files compare line by line, and a last line end."""
    if isinstance(document, list):
        return b"[\n " + b",\n ".join(map(to_json, document)) + b"\n]\n"
    parts = [b" " + to_json(name) + b": " + _member(value) for name, value in document.items()]
    return b"{\n" + b",\n".join(parts) + b"\n}\n"


def _member(value: Any) -> bytes:
    if isinstance(value, list) and value:
        return b"[\n  " + b",\n  ".join(map(to_json, value)) + b"\n ]"
    return to_json(value, indent=1).replace(b"\n", b"\n ")


def as_json_line(document: Any) -> bytes:
    """The document as one line of JSON."""
    return to_json(document) + b"\n"


def check_json(published: Published) -> bytes:
    """The document of `check --format json`."""
    return as_json(check_document(published.run, published.findings, published.measures))


def findings_jsonl(published: Published) -> bytes:
    """One finding a line."""
    return b"".join(map(as_json_line, findings_document(published.findings, published.run.rulebook)))


def check_document(run: Run, found: Iterable[Finding], measured: Iterable[MeasureValue]) -> dict[str, Any]:
    """What `check --format json` gives."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run.manifest(),
        "findings": findings_document(found, run.rulebook),
        "measures": [measure_document(one) for one in measured],
        "not_evaluated": [not_evaluated_document(one, run.rulebook) for one in run.evaluation.not_evaluated],
    }


def findings_document(found: Iterable[Finding], rulebook: Rulebook) -> list[dict[str, Any]]:
    """The findings; what they cite is put together once a rule."""
    cited: dict[str, list[dict[str, Any]]] = {}
    documents = []
    for one in found:
        if one.rule.id not in cited:
            cited[one.rule.id] = citations(one.rule, rulebook)
        documents.append(_finding_document(one, cited[one.rule.id]))
    return documents


def finding_document(one: Finding, rulebook: Rulebook) -> dict[str, Any]:
    """A finding as the design fixes it."""
    return _finding_document(one, citations(one.rule, rulebook))


def _finding_document(one: Finding, cited: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": one.id,
        "rule": one.rule.id,
        "rule_version": one.version,
        "title": one.rule.title,
        "theme": one.rule.theme,
        "standing": one.rule.standing,
        "severity": one.rule.severity,
        "authority": one.authority,
        "subject": {"type": one.subject_type, "id": one.subject_id},
        "person_id": one.person_id,
        "worker_id": one.worker_id,
        "team": one.team,
        "trigger_date": one.trigger_date,
        "due_date": one.due_date,
        "done_date": one.done_date,
        "status": one.status,
        "breach": one.breach,
        "days_over": one.days_over,
        "value": one.value,
        "bound": one.bound,
        "evidence": [evidence_document(row) for row in one.evidence],
        "message": one.message(),
        "waived": waived_document(one.waived),
        "verified": one.verified,
        "corresponds": list(one.rule.corresponds),
        "citations": cited,
    }


def waived_document(waived: Waived | None) -> dict[str, Any] | None:
    """Why, by whom and until when a breach is waived, or None."""
    return {"reason": waived.reason, "approver": waived.approver, "expires": waived.expires} if waived else None


def evidence_document(row: Evidence) -> dict[str, Any]:
    """A source row."""
    return {"table": row.table, "key": row.key, "source": {"file": row.file, "sheet": row.sheet, "row": row.row}}


def citations(rule: Rule, rulebook: Rulebook) -> list[dict[str, Any]]:
    """The instrument and provision of a rule, with a link where there is one."""
    instrument = rulebook.instruments[rule.instrument]
    return [{"instrument": instrument.title, "provision": rule.provision, "url": rule.url or instrument.url}]


def measure_document(one: MeasureValue) -> dict[str, Any]:
    """A measure with its fraction."""
    body = one.rule.body
    assert isinstance(body, Measure)
    value = one.value
    return {
        "id": one.rule.id,
        "title": one.rule.title,
        "authority": one.authority,
        "scope": {"type": one.scope_type, "id": one.scope_id},
        "value": round(value, 2) if value is not None else None,
        "unit": body.unit,
        "numerator": _tidy(one.numerator),
        "denominator": _tidy(one.denominator),
        "target": one.target,
    }


def _tidy(number: float) -> float | int:
    return int(number) if number == int(number) else round(number, 4)


def not_evaluated_document(one: NotEvaluated, rulebook: Rulebook) -> dict[str, Any]:
    """A rule that could not be evaluated, and why."""
    rule = rulebook.rules[one.rule]
    return {"rule": one.rule, "title": rule.title, "theme": rule.theme, "needs": list(one.needs), "reason": one.reason}


def register_document(found: Register) -> dict[str, Any]:
    """What `register --format json` gives."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run": found.run.manifest(),
        "risks": [risk_document(one, found.standings.get(one.id)) for one in found.risks],
        "ladder": _ladder(found),
        "priority_actions": [
            {
                "id": one.id,
                "title": one.title,
                "status": one.status,
                "due_date": one.due_date,
                "completed_date": one.completed_date,
                "reference": one.reference,
                "risks": list(one.risks),
            }
            for one in found.priority_actions
        ],
        "due_soon": [
            {
                "rule": one.rule.id,
                "title": one.rule.title,
                "count": one.count,
                "within_7_days": one.within_7_days,
                "first_due": one.first,
            }
            for one in found.due_soon
        ],
        "measures": [measure_document(one) for one in found.measures if one.scope_type == "authority"],
        "conflicts": [
            {"id": one.rule.id, "title": one.rule.title, "says": one.rule.says, "answers": dict(one.answers)}
            for one in found.conflicts
        ],
        "confidence": [
            {
                "theme": one.theme,
                "word": one.word,
                "rules": one.rules,
                "evaluated": one.evaluated,
                "duties": one.duties,
                "unknown": one.unknown,
                "rules_whose_law_was_not_read_in_full": one.unread_law,
            }
            for one in found.confidence
        ],
        "not_evaluated": [not_evaluated_document(one, found.run.rulebook) for one in found.run.evaluation.not_evaluated],
    }


def risk_document(one: Risk, standing: Standing | None = None) -> dict[str, Any]:
    """A risk as the design fixes it, with what people decided and what it was before, where that is known."""
    body = one.rule.body
    assert isinstance(body, Escalation)
    return {
        "id": one.id,
        "rule": one.rule.id,
        "title": one.title,
        "authority": one.authority,
        "scope": {"type": one.scope_type, "id": one.scope_id},
        "likelihood": one.likelihood,
        "impact": one.impact,
        "score": one.score,
        "band": one.band,
        "rung": one.rung,
        "reason": one.reason,
        "because": list(one.because),
        "cause_count": one.cause_count,
        "direction": None,
        "previous_scores": [],
        "owner": body.owner,
        "actions": [],
        "waived": None,
        **(standing_document(standing) if standing else {}),
    }


def _ladder(found: Register) -> dict[str, Any]:
    state = found.ladder
    return {
        "current": state.current,
        "highest_rung": state.highest_rung,
        "why": state.why,
        "notice_date": state.notice_date,
        "target_date": state.target_date,
        "stages": [
            {
                "id": one.id,
                "title": one.title,
                "reached": one.reached,
                "is_current": one.is_current,
                "risks_that_warn_of_it": one.warned_by,
            }
            for one in state.stages
        ],
        "rungs": [{"id": one.id, "title": one.title, "risks": one.risks} for one in state.rungs],
    }


def rules_document(rules: Iterable[Rule], rulebook: Rulebook) -> dict[str, Any]:
    """What `rules list --format json` gives."""
    return {
        "rules": [
            {
                "id": rule.id,
                "kind": rule.kind,
                "theme": rule.theme,
                "topic": rule.topic,
                "title": rule.title,
                "standing": rule.standing,
                "severity": rule.severity,
                "verified": rule.verified,
                "obligations": list(rule.obligations),
                "citations": citations(rule, rulebook),
            }
            for rule in rules
        ]
    }


def rule_document(rule: Rule, rulebook: Rulebook) -> dict[str, Any]:
    """What `rules show --format json` gives: the rule as its file says it."""
    data: Mapping[str, Any] = rule.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return {**data, "kind": rule.kind, "citations": citations(rule, rulebook)}
