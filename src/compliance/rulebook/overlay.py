"""Local values for parameters: they may set a local standard, and may only tighten a statutory one."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from compliance.calendar import Duration, add
from compliance.errors import ComplianceError, UsageError
from compliance.rulebook.diagnostics import nearest_help
from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import DatedValue, Parameter, Rule

SAMPLE_DAYS = [datetime.date(year, month, day) for year in (2019, 2020, 2021) for month in range(1, 13) for day in (1, 15, 28)]


def apply_overlay(rulebook: Rulebook, given: Mapping[str, str | float], where: str) -> Rulebook:
    """The rulebook with a council's own values. Raises UsageError for an unknown name or a value looser than the law's.

    A rule's own parameter is named `RULE-ID.parameter`.
    """
    for name, value in given.items():
        rulebook = _set(rulebook, name, value, where)
    if not given:
        return rulebook
    changes = json.dumps(dict(given), sort_keys=True)
    return replace(rulebook, digest=hashlib.sha256(f"{rulebook.digest}\n{changes}".encode()).hexdigest())


def _set(rulebook: Rulebook, name: str, value: str | float, where: str) -> Rulebook:
    rule_id, _, own = name.partition(".")
    if own and rule_id in rulebook.rules and own in rulebook.rules[rule_id].parameters:
        rule = rulebook.rules[rule_id]
        changed = _local(rule.parameters[own], name, value, where, rule)
        parameters = {**rule.parameters, own: changed}
        return replace(rulebook, rules={**rulebook.rules, rule_id: rule.model_copy(update={"parameters": parameters})})
    if name not in rulebook.parameters:
        known = [*rulebook.parameters, *(f"{rule.id}.{own}" for rule in rulebook.rules.values() for own in rule.parameters)]
        raise UsageError(f"{where}: no parameter is called {name}", help=nearest_help(name, known, "parameter"))
    changed = _local(rulebook.parameters[name], name, value, where, None)
    return replace(rulebook, parameters={**rulebook.parameters, name: changed})


def _local(parameter: Parameter, name: str, value: str | float, where: str, rule: Rule | None) -> Parameter:
    standing = parameter.standing or (rule.standing if rule else "local_policy")
    last = max(parameter.values, key=lambda one: one.from_)
    if standing != "local_policy" and not is_tighter(value, last.value, parameter.tighter):
        source = f"{rule.instrument}, {rule.provision}" if rule else (last.provision or "the law")
        raise UsageError(
            f"{where}: {name}: {value} is looser than {last.value}, which {source} requires",
            help="a local value may only tighten a statutory one; the statutory rule stands",
        )
    if not _same_kind(value, last.value, name, where):
        raise UsageError(f"{where}: {name}: {value} is not of the kind of {last.value}")
    local = DatedValue.model_validate({"from": last.from_, "value": value, "note": f"set in {where}"})
    values = [one for one in parameter.values if one is not last] + [local]
    return parameter.model_copy(update={"values": values})


def _same_kind(value: str | float, other: str | float, name: str, where: str) -> bool:
    if isinstance(other, str) and other[:1].isdigit():
        try:
            Duration.parse(str(value))
        except ComplianceError as error:
            raise UsageError(f"{where}: {name}: {error.message}", help=error.help) from error
        return True
    return isinstance(value, int | float) == isinstance(other, int | float)


def is_tighter(value: str | float, law: str | float, tighter: str) -> bool:
    """Whether a local value is at least as strict as the law's, on every day tried."""
    if isinstance(value, int | float) and isinstance(law, int | float):
        return value <= law if tighter == "smaller" else value >= law
    ours, theirs = Duration.parse(str(value)), Duration.parse(str(law))
    pairs = [(add(day, ours), add(day, theirs)) for day in SAMPLE_DAYS]
    return all(one <= other for one, other in pairs) if tighter == "smaller" else all(one >= other for one, other in pairs)
