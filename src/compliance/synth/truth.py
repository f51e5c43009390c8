"""The truth about a made council: every breach of every rule it covers, worked out apart from the engine."""

from collections.abc import Callable
from datetime import date

from compliance.synth import (
    truth_care,
    truth_carers,
    truth_children,
    truth_court,
    truth_fostering,
    truth_fostering_service,
    truth_health,
    truth_leavers,
    truth_need,
    truth_permanence,
    truth_placements,
    truth_plans_and_homes,
    truth_protection,
    truth_recording,
    truth_standards,
    truth_workforce,
)
from compliance.synth.oracle import Facts, Tables, TruthRow

__all__ = ["NOT_COVERED", "OTHERS", "TruthRow", "covered", "tell_truth"]

TRANSCRIBED = "Decided by the improvement programme, which is transcribed from the cabinet report and not made."
NOT_COVERED = dict.fromkeys(
    [
        "EQ-ASSESSED",
        "FOS-RECORDS-MONITORED",
        "GOV-ATTESTED",
        "GOV-BOARD-CHAIRED",
        "GOV-CABINET-REPORTING",
        "GOV-COUNCIL-REPORTING",
        "GOV-EXCEPTION-SCRUTINY",
        "GOV-GENERAL-EXCEPTION",
        "GOV-KEY-28CD",
        "GOV-KEY-CLASSIFIED",
        "GOV-KEY-PLANNED",
        "GOV-LETTER-TO-MEMBERS",
        "GOV-SPECIAL-URGENCY",
        "GOV-TESTED-ASSURANCE",
        "IP-ACTION-EVIDENCE",
        "IP-ACTION-PLAN-70",
        "IP-ACTION-PLAN-70-CALENDAR",
        "IP-ADVISER-6W",
        "IP-BRIEFINGS",
        "IP-CASE-SURGERIES",
        "IP-COMMISSIONER-PROGRESS",
        "IP-COMMISSIONER-REPORT",
        "IP-DIRECTION-INSTRUCTION",
        "IP-DRAFT-20",
        "IP-ITEM-DELIVERED",
        "IP-NOTICE-ADVISER",
        "IP-NOTICE-ADVISER-TERM",
        "IP-NOTICE-BOARD",
        "IP-NOTICE-MEASURE",
        "IP-NOTICE-PLAN",
        "IP-OPEN-CASES-AUDIT",
        "IP-PLAN-BOARD",
        "IP-PLAN-CABINET",
        "IP-PLANNED-EVENT",
        "IP-PRIORITY-ACTION",
        "IP-PRIORITY-ACTION-ANSWERED",
        "IP-REVIEW-6M",
        "IP-SUPPORT",
        "IP-TARGET-DATE",
        "OF-ANNUAL-CONVERSATION",
        "OF-REPORT-PUBLISHED",
        "QA-PERFORMANCE-VERIFIED",
        "RES-FUNDED",
        "RES-PROFILE",
        "RES-PROFILE-FUNDING",
        "RES-S115-21D",
    ],
    TRANSCRIBED,
)
OTHERS = "Any other duty that these tables decide is met, not yet due or unknown: no breach of it is made."


def _rules() -> dict[Callable[[Facts], None], list[str]]:
    """Return each little evaluator with the rules it covers."""
    themes = (
        truth_children,
        truth_protection,
        truth_need,
        truth_recording,
        truth_care,
        truth_placements,
        truth_permanence,
        truth_court,
        truth_health,
        truth_leavers,
        truth_plans_and_homes,
        truth_fostering,
        truth_carers,
        truth_fostering_service,
        truth_workforce,
        truth_standards,
    )
    return {evaluate: rules for theme in themes for evaluate, rules in theme.RULES.items()}


def covered() -> list[str]:
    """Return the rules whose every breach is in the truth."""
    return [rule for rules in _rules().values() for rule in rules]


def tell_truth(tables: Tables, as_of: date, authority: str) -> list[TruthRow]:
    """Return every breach of the rules covered, in order."""
    facts = Facts(tables, as_of, authority)
    for evaluate in _rules():
        evaluate(facts)
    return sorted(facts.breaches, key=lambda row: tuple(str(value) for value in row))
