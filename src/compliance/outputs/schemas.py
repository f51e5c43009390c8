"""The JSON Schema of rule files and of every JSON document, generated from what is written."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from compliance.dataset.config import DatasetConfig
from compliance.duties.status import STATUSES
from compliance.register.decisions import RegisterFile
from compliance.risks.scoring import Ladder, Scoring
from compliance.rulebook.model import DUTY_KINDS, SEVERITIES, RuleFile

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TEXT: dict[str, Any] = {"type": "string"}
MAYBE_TEXT: dict[str, Any] = {"type": ["string", "null"]}
MAYBE_NUMBER: dict[str, Any] = {"type": ["number", "null"]}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
MAYBE_DAY: dict[str, Any] = {"type": ["string", "null"], "format": "date"}
DAY: dict[str, Any] = {"type": "string", "format": "date"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}
MODELS: dict[str, type[BaseModel]] = {
    "rule-file": RuleFile,
    "scoring": Scoring,
    "ladder": Ladder,
    "dataset": DatasetConfig,
    "register-file": RegisterFile,
}


def json_schema(subject: str) -> dict[str, Any]:
    """The schema of a rule file, a configuration file or an output document."""
    if subject in MODELS:
        return {"$schema": DRAFT, **MODELS[subject].model_json_schema(by_alias=True)}
    return {"$schema": DRAFT, "title": f"compliance {subject}", **DOCUMENTS[subject]}


def _object(properties: dict[str, Any], *, closed: bool = True) -> dict[str, Any]:
    """An object of which every property is there."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": not closed}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


SOURCE = _object({"file": MAYBE_TEXT, "sheet": MAYBE_TEXT, "row": {"type": ["integer", "null"]}})
CITATION = _object({"instrument": TEXT, "provision": TEXT, "url": MAYBE_TEXT})
NOT_EVALUATED = _object({"rule": TEXT, "title": TEXT, "theme": TEXT, "needs": TEXTS, "reason": TEXT})
MEASURE = _object(
    {
        "id": TEXT,
        "title": TEXT,
        "authority": TEXT,
        "scope": _object({"type": TEXT, "id": TEXT}),
        "value": MAYBE_NUMBER,
        "unit": TEXT,
        "numerator": {"type": "number"},
        "denominator": {"type": "number"},
        "target": MAYBE_NUMBER,
    }
)
WAIVED = {"anyOf": [{"type": "null"}, _object({"reason": TEXT, "approver": TEXT, "expires": DAY})]}
WAIVER = _object(
    {
        "finding": MAYBE_TEXT,
        "rule": MAYBE_TEXT,
        "scope": {"anyOf": [{"type": "null"}, _object({"type": TEXT, "id": TEXT})]},
        "reason": TEXT,
        "approver": TEXT,
        "granted": DAY,
        "expires": DAY,
        "state": {"enum": ["in force", "expiring", "expired", "not yet granted"]},
        "covers": COUNT,
    }
)
RUN = _object(
    {
        "version": TEXT,
        "rule_pack": TEXT,
        "input": TEXT,
        "as_of": DAY,
        "authorities": _list(_object({"code": TEXT, "name": TEXT})),
        "rows": _object({"read": COUNT, "loaded": COUNT, "rejected": COUNT}),
        "coverage": _list(_object({"table": TEXT, "authority": TEXT, "from": MAYBE_DAY, "to": MAYBE_DAY})),
        "conflicts": COUNT,
        "duties": _object(dict.fromkeys(STATUSES, COUNT)),
        "rules": _object({"evaluated": COUNT, "not_evaluated": COUNT}),
        "judged_without": _list(_object({"lacks": TEXT, "rules": TEXTS})),
        "reconciliation": {
            "anyOf": [
                {"type": "null"},
                _object({"evaluators": TEXTS, "facts": COUNT, "firings": COUNT, "notes": TEXTS}),
            ]
        },
        "waivers": _list(WAIVER),
        "pseudonyms": MAYBE_TEXT,
    },
    closed=False,
)
FINDING = _object(
    {
        "id": TEXT,
        "rule": TEXT,
        "rule_version": MAYBE_TEXT,
        "title": TEXT,
        "theme": TEXT,
        "standing": TEXT,
        "severity": {"enum": list(SEVERITIES)},
        "authority": TEXT,
        "subject": _object({"type": TEXT, "id": TEXT}),
        "person_id": MAYBE_TEXT,
        "worker_id": MAYBE_TEXT,
        "team": MAYBE_TEXT,
        "trigger_date": MAYBE_DAY,
        "due_date": MAYBE_DAY,
        "done_date": MAYBE_DAY,
        "status": {"enum": list(STATUSES)},
        "breach": {"enum": ["open", "closed", None]},
        "days_over": {"type": ["integer", "null"]},
        "value": MAYBE_NUMBER,
        "bound": MAYBE_NUMBER,
        "evidence": _list(_object({"table": TEXT, "key": TEXT, "source": SOURCE})),
        "message": TEXT,
        "waived": WAIVED,
        "verified": {"enum": ["text", "secondary", "recalled"]},
        "corresponds": TEXTS,
        "citations": _list(CITATION),
    }
)
RISK = _object(
    {
        "id": TEXT,
        "rule": TEXT,
        "title": TEXT,
        "authority": TEXT,
        "scope": _object({"type": TEXT, "id": TEXT}),
        "likelihood": {"type": "integer", "minimum": 1, "maximum": 5},
        "impact": {"type": "integer", "minimum": 1, "maximum": 5},
        "score": {"type": "integer", "minimum": 1, "maximum": 25},
        "band": TEXT,
        "rung": TEXT,
        "reason": TEXT,
        "because": TEXTS,
        "cause_count": COUNT,
        "direction": MAYBE_TEXT,
        "previous_scores": _list({"type": "integer"}),
        "owner": MAYBE_TEXT,
        "actions": _list({}),
        "waived": WAIVED,
    },
    closed=False,
)
NUMBER: dict[str, Any] = {"type": "number"}
RANGE = _object({"value": NUMBER, "low": NUMBER, "high": NUMBER})
TASK = _object(
    {
        "id": TEXT,
        "rule": TEXT,
        "title": TEXT,
        "severity": {"enum": list(SEVERITIES)},
        "status": {"enum": ["overdue", "due"]},
        "due_date": DAY,
        "breach_date": DAY,
        "days_over": {"type": ["integer", "null"]},
        "subject": _object({"type": TEXT, "id": TEXT}),
        "person_id": MAYBE_TEXT,
        "worker_id": MAYBE_TEXT,
        "team": MAYBE_TEXT,
        "message": TEXT,
        "waived": WAIVED,
    }
)
SERIES = _object(
    {
        "id": TEXT,
        "kind": {"enum": ["measure", "escalation"]},
        "title": TEXT,
        "authority": TEXT,
        "unit": TEXT,
        "better": {"enum": ["higher", "lower"]},
        "direction": {"enum": ["better", "worse", "level"]},
        "points": _list(_object({"day": DAY, "value": MAYBE_NUMBER, "numerator": NUMBER, "denominator": NUMBER})),
        "limits": {
            "anyOf": [
                {"type": "null"},
                _object({"mean": NUMBER, "lower": NUMBER, "upper": NUMBER, "provisional": {"type": "boolean"}}),
            ]
        },
        "signals": _list(_object({"words": TEXT, "at": _list(DAY)})),
    }
)
TEAM_FORECAST = _object(
    {
        "team": TEXT,
        "workers_fte": MAYBE_NUMBER,
        "overdue": COUNT,
        "capacity_a_week": NUMBER,
        "known": COUNT,
        "expected": RANGE,
        "load": MAYBE_NUMBER,
        "backlog_at_end": RANGE,
        "weeks": _list(_object({"from": DAY, "known": COUNT, "expected": NUMBER, "low": NUMBER, "high": NUMBER})),
    }
)
CHANGE_COUNTS = ("new", "cleared", "still_open", "worse", "unchanged", "waived", "gone", "closed_in_both")
REGISTER_DOCUMENTS: dict[str, dict[str, Any]] = {
    "compare": _object(
        {
            "schema_version": TEXT,
            "before": DAY,
            "after": DAY,
            "notes": TEXTS,
            "summary": TEXT,
            "counts": _object(dict.fromkeys(CHANGE_COUNTS, COUNT)),
            "new": _list(FINDING),
            "cleared": _list(FINDING),
            "still_open": TEXTS,
            "worse": _list(FINDING),
            "waived": _list(FINDING),
            "gone": _list(FINDING),
            "risks": _object(
                {
                    "summary": TEXT,
                    "new": _list(RISK),
                    "cleared": _list(RISK),
                    "worse": _list(RISK),
                    "better": _list(RISK),
                    "unchanged": COUNT,
                }
            ),
        }
    ),
    "trend": _object({"schema_version": TEXT, "as_of": DAY, "months": COUNT, "since": DAY, "series": _list(SERIES)}),
    "worklist": _object(
        {
            "schema_version": TEXT,
            "as_of": DAY,
            "working_days": COUNT,
            "to": DAY,
            "by": {"enum": ["team", "worker", "child"]},
            "overdue": COUNT,
            "due": COUNT,
            "groups": _list(_object({"name": TEXT, "overdue": COUNT, "tasks": _list(TASK)})),
        }
    ),
    "forecast": _object({"schema_version": TEXT, "as_of": DAY, "demand": NUMBER, "method": TEXT, "teams": _list(TEAM_FORECAST)}),
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "check": _object(
        {
            "schema_version": TEXT,
            "run": RUN,
            "findings": _list(FINDING),
            "measures": _list(MEASURE),
            "not_evaluated": _list(NOT_EVALUATED),
        }
    ),
    "register": _object(
        {
            "schema_version": TEXT,
            "run": RUN,
            "risks": _list(RISK),
            "ladder": {"type": "object"},
            "priority_actions": _list({"type": "object"}),
            "due_soon": _list({"type": "object"}),
        },
        closed=False,
    ),
    **REGISTER_DOCUMENTS,
    "rules-list": _object(
        {
            "rules": _list(
                _object(
                    {
                        "id": TEXT,
                        "kind": {"enum": [*DUTY_KINDS, "measure", "escalation"]},
                        "theme": TEXT,
                        "topic": MAYBE_TEXT,
                        "title": TEXT,
                        "standing": TEXT,
                        "severity": {"enum": list(SEVERITIES)},
                        "verified": TEXT,
                        "obligations": TEXTS,
                        "citations": _list(CITATION),
                    }
                )
            )
        }
    ),
    "rules-coverage": _object(
        {"obligations": _list(_object({"id": TEXT, "status": TEXT, "rules": TEXTS, "reason": MAYBE_TEXT}, closed=False))}
    ),
    "data-describe": _object(
        {
            "recognised": _list(_object({"path": TEXT, "format": TEXT, "why": TEXT})),
            "tables": _list(_object({"name": TEXT, "source": TEXTS, "read": COUNT}, closed=False)),
            "coverage": _list(_object({"table": TEXT, "authority": TEXT, "from": MAYBE_DAY, "to": MAYBE_DAY})),
            "matches": _list(
                _object(
                    {
                        "table": TEXT,
                        "first": TEXT,
                        "second": TEXT,
                        "ids": COUNT,
                        "by_id": COUNT,
                        "by_facts": COUNT,
                        "rate": {"type": "number"},
                    }
                )
            ),
            "conflicts": _list(_object({"table": TEXT, "source": TEXT, "values": COUNT})),
        },
        closed=False,
    ),
}
