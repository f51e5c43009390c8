"""What a rule calls optional is never the only evidence of an act: data that lack it show no breach that the whole data do not.

Each optional table and column is taken out of each worked example in turn. A breach that the whole example does not show must be
one that the rule calls unknown there (`unsure_without`) or does not judge (`needs`), or be named here with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.rulebooks import bench, rulebook, workbench

from compliance.dataset.schema import load_schema
from compliance.duties.compiled import Compiled
from compliance.duties.evaluate import Available
from compliance.duties.examples import Outcome
from compliance.duties.held import UnknownPlace, checked, doubted, wanted
from compliance.duties.status import BREACHES
from compliance.rulebook.model import Example, Rule

ORDINARY = {
    "care_periods.is_short_break_series": "care is not taken for short breaks where nothing says so",
    "cp_plans.is_other_authority_plan": "a plan in a council's data is its own where nothing says so",
    "people.death_date": "nobody is taken to have died where nothing says so",
    "placements.placement_basis": "a placement is what its code says where no basis is given; regulation 28 says so",
    "placements.end_date": "a placement goes on, or ends with the care, where no end is given: the latest of a list has none",
    "placements.care_period_id": "a placement that names no period of care belongs to it by child and date (reading 6)",
    "allocations.end_date": "a child is still allocated where no end is given: a list of the day's workers has none",
    "workers.end_date": "a worker is in post where no end is given: a list of the day's workers has none",
    "looked_after_reviews.was_cancelled": "a blank does not disqualify a review that was recorded (reading 5)",
    "looked_after_visits.child_was_seen": "a blank does not disqualify a visit that was recorded (reading 5)",
}
"""What sets a rare case apart. A blank is the ordinary case, in data that have the column and in data that have not."""

READ_SO = {
    ("FD-ASSESSMENT-OVERRUN-REASON", "assessments.referral_id"): "with no referral the clock runs from the start (reading 8)",
    ("CL-CONTACT", "care_leaver_contacts.was_two_way"): "an attempt counts only where it says that it was answered (reading 5)",
    ("QA-INSPECTION-DATA-SET-FRESH", "documents.content_is_complete"): "a blank does not say that a data set is incomplete",
    ("LAC-CARE-PLAN", "care_plans.care_period_id"): "a plan that names no period is of the one in which it was made (reading 6)",
    ("LAC-HEALTH-REVIEW", "health_checks.was_by_doctor"): "a blank does not disqualify a first assessment (reading 5)",
}
"""What a blank of one rule is read as, by rule and column."""


def optional(rule: Rule) -> list[str]:
    """The tables and columns that the rule, or a definition under it, can do without, beyond what it says of itself."""
    compiled = workbench().compile(rule)
    remarked = [said for said, _, says in compiled.doubts if says]
    named = [*rule.optional, *remarked, *(one for name in compiled.definitions for one in rulebook().definitions[name].optional)]
    return sorted({one for one in named if not is_said(one, compiled)})


def is_said(one: str, compiled: Compiled) -> bool:
    """Whether the rule says that a breach is unknown, or nothing judged, without it."""
    words = [*(said for said, _, says in compiled.doubts if not says), *compiled.said]
    places = {place for said in words for place in said.split(" or ")}
    return one in places or any(said.startswith(f"{one}.") and " or " not in said for said in words)


def stripped(example: Example, one: str) -> Example | None:
    """The example without that table or column; None where it has none of it."""
    table, column, _ = next(wanted(one))
    rows = example.tables.get(table, [])
    if column is None:
        return example.model_copy(update={table: []}) if rows else None
    if all(row.get(column) is None for row in rows):
        return None
    return example.model_copy(update={table: [{name: row[name] for name in row if name != column} for row in rows]})


def breached(outcome: Outcome) -> set[Any]:
    """The subjects of the breaches."""
    assert outcome.error is None, outcome.error
    return {row["subject_id"] for row in outcome.details if row["status"] in BREACHES}


def false_breaches(rule: Rule) -> Iterator[tuple[str, str, str]]:
    """The rule, what was taken out, and the example, of each breach that is not in the whole."""
    cases = [(example, one, cut) for one in optional(rule) for example in rule.examples if (cut := stripped(example, one))]
    whole = list({example.title: example for example, _, _ in cases}.values())
    outcomes = bench().run(rule, [*whole, *(cut for _, _, cut in cases)])
    known = {example.title: breached(outcome) for example, outcome in zip(whole, outcomes, strict=False)}
    for (example, one, _), outcome in zip(cases, outcomes[len(whole) :], strict=True):
        if breached(outcome) - known[example.title]:
            yield rule.id, one, example.title


def rules_by_theme() -> dict[str, list[Rule]]:
    """The duty rules of each theme."""
    found: dict[str, list[Rule]] = {}
    for rule in rulebook().duties:
        found.setdefault(rule.theme, []).append(rule)
    return found


@pytest.mark.parametrize("theme", sorted(rules_by_theme()))
def test_what_is_optional_is_never_the_only_evidence(theme: str) -> None:
    found = [one for rule in rules_by_theme()[theme] for one in false_breaches(rule)]
    assert {one[:2] for one in found if one[1] not in ORDINARY and one[:2] not in READ_SO} == set()


def test_no_reason_is_given_in_vain() -> None:
    named = {(rule.id, one) for rule in rulebook().duties for one in optional(rule)}
    assert set(READ_SO) <= named
    assert set(ORDINARY) <= {one for _, one in named}


def test_a_rule_that_reads_silence_as_a_breach_is_found() -> None:
    rule = rulebook().rules["CP-QUORUM"]
    loose = rule.model_copy(update={"optional": ["cp_conferences.agencies_attending"], "unsure_without": []})
    assert {one for _, one, _ in false_breaches(loose)} == {"cp_conferences.agencies_attending"}


HELD = Available(frozenset({("visits", "day"), ("checks", "kind")}), kinds={("checks", "kind"): frozenset({"dental"})})


@pytest.mark.parametrize(
    ("said", "is_lacking"),
    [
        ("visits", False),
        ("meetings", True),
        ("visits.day", False),
        ("visits.mode", True),
        ("checks.kind = dental", False),
        ("checks.kind = sdq", True),
        ("meetings.day = x", True),
        ("visits.mode or visits.day", False),
        ("visits.mode or meetings", True),
    ],
)
def test_what_data_lack(said: str, is_lacking: bool) -> None:
    assert HELD.lacks(said) is is_lacking


@pytest.mark.parametrize(
    ("said", "help_word"),
    [("cp_visit", "cp_visits"), ("cp_visits.visit_dat", "visit_date"), ("health_checks.check_kind = sdqs", "sdq")],
)
def test_what_no_table_holds_is_refused_with_the_nearest(said: str, help_word: str) -> None:
    with pytest.raises(UnknownPlace) as refused:
        checked([said], load_schema())
    assert help_word in str(refused.value.help)


def test_sql_is_as_it_was_where_nothing_is_lacking() -> None:
    rule = Compiled("R", "SELECT 1", frozenset(), (), doubts=(("visits", "", ""), ("visits.day", "x", "words")))
    assert doubted(rule, HELD) is rule


def test_what_is_lacking_makes_a_breach_unsure_or_adds_a_remark() -> None:
    doubts = (("meetings", "value > 2", ""), ("meetings", "value > 1", "perhaps"))
    found = "SELECT v AS value FROM (VALUES (1.0), (2.0), (3.0)) AS t(v)"
    rule = doubted(Compiled("R", found, frozenset(), (), doubts=doubts, found=("value",)), HELD)
    rows = bench().connection.execute(f"SELECT unsure_because, note FROM ({rule.sql}) ORDER BY value").fetchall()
    remark = "meetings is not in the data: perhaps"
    assert rows == [(None, None), (None, remark), ("meetings is not in the data and may decide it", remark)]


def test_no_breach_is_lost_in_silence_for_want_of_what_is_optional() -> None:
    """Every rule that is judged at all without what it can do without says what it was judged without."""
    judged = [rule for rule in rulebook().rules.values() if rule.kind != "escalation" and without_of(rule)]
    found = {rule.id: judged_without(rule) for rule in judged}
    silent = {rule: sorted(lacking - said) for rule, (lacking, said) in found.items() if said is not None and lacking - said}
    assert silent == {}
    assert found["LAC-VISIT"][1] >= {"looked_after_visits.child_was_seen", "looked_after_visits.visit_mode"}


def judged_without(rule: Rule) -> tuple[set[str], set[str] | None]:
    """What the rule can do without, and what it says that it was judged without; None for that where it was not judged."""
    lacking = without_of(rule)
    example = rule.examples[0].model_copy(update={"without": sorted(lacking)})
    with bench().evaluated(rule, example) as evaluation:
        said = {word for word, rules in evaluation.judged_without.items() if rule.id in rules}
        return lacking, said if rule.id in evaluation.evaluated else None


def without_of(rule: Rule) -> set[str]:
    """The tables and columns that the rule, and the definitions that it names, call optional."""
    own = [*rule.optional, *rule.unsure_of]
    if rule.is_duty:
        own += [one for name in workbench().compile(rule).definitions for one in rulebook().definitions[name].optional]
    return set(own)


def test_what_is_held_is_not_said_to_be_lacking() -> None:
    rule = rulebook().rules["LAC-VISIT"]
    with bench().evaluated(rule, rule.examples[0]) as evaluation:
        assert evaluation.judged_without == {}
    shorter = rule.examples[0].model_copy(update={"without": ["looked_after_visits.visit_mode"]})
    with bench().evaluated(rule, shorter) as evaluation:
        assert evaluation.judged_without == {"looked_after_visits.visit_mode": ("LAC-VISIT",)}
