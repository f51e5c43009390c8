# ruff: noqa: E501
"""A tiny council for the tests of the register: referrals, decided or not, of a few children in two teams."""

from __future__ import annotations

from pathlib import Path

RULES = """
instruments: [{id: test, title: A test}]
rules:
  - id: T-ONE
    title: A referral is decided within one working day
    instrument: test
    provision: "1"
    theme: front_door
    topic: decision
    standing: statutory_guidance
    severity: high
    verified: text
    law: A decision within one working day.
    deadline:
      of: referrals
      trigger: referral_date
      within: 1 working day
      done: decision_date
      ceases: closed_date
    examples:
      - {title: in time, as_of: 2021-01-09, referrals: [{person_id: C1, referral_date: 2021-01-04, decision_date: 2021-01-05}], expect: [met]}
      - {title: late, as_of: 2021-01-09, referrals: [{person_id: C1, referral_date: 2021-01-04, decision_date: 2021-01-06}], expect: [late]}
  - id: T-SHARE
    title: Referrals decided in time
    instrument: test
    provision: "2"
    theme: front_door
    standing: statutory_guidance
    verified: text
    law: The share of decisions in time.
    measure:
      of: T-ONE
      where: status IN ('met', 'late', 'missed', 'overdue')
      date: due_date
      window: 3 months
      numerator: status = 'met'
    examples:
      - {title: all, as_of: 2021-01-09, referrals: [{person_id: C1, referral_date: 2021-01-04, decision_date: 2021-01-05}], expect: {numerator: 1, denominator: 1}}
  - id: T-RISK
    title: A child waits for a decision
    instrument: test
    provision: "3"
    theme: front_door
    standing: inspection_framework
    severity: critical
    verified: text
    law: A child who waits is not safe.
    escalation:
      when:
        - {fact: breach, as: late, where: {rule: T-ONE, is_open: 1}}
      scope: child
      scope_id: late.person
      likelihood: 4
      impact: 5
      rung: head_of_service
      reason: "a decision is {late.days_over} days overdue"
      consequence: harm may go unseen
    examples:
      - {title: open, as_of: 2021-01-09, facts: [{fact: breach, rule: T-ONE, is_open: 1, person: C1, days_over: 3}], expect: [C1]}
      - {title: closed, as_of: 2021-01-09, facts: [{fact: breach, rule: T-ONE, is_open: 0, person: C1, days_over: 3}], expect: []}
"""
FILES = {
    "referrals.csv": (
        "referral_id,person_id,referral_date,decision_date,closed_date\n"
        "R1,C1,2021-08-02,,\n"
        "R2,C2,2021-08-16,,\n"
        "R3,C3,2021-07-05,2021-07-06,\n"
        "R4,C3,2021-09-13,2021-09-20,\n"
        "R5,C4,2021-09-30,,\n"
    ),
    "people.csv": "person_id,sex,ethnicity\nC1,F,WBRI\nC2,M,WBRI\nC3,F,WBRI\nC4,M,WBRI\n",
    "teams.csv": "team_id,name,service\nT1,North,assessment\nT2,South,assessment\n",
    "workers.csv": "worker_id,full_name,team_id,fte,start_date\nW1,Ann Archer,T1,1,2019-01-01\nW2,Bob Baker,T2,0.5,2019-01-01\n",
    "allocations.csv": (
        "allocation_id,person_id,worker_id,role,team_id,start_date\n"
        "A1,C1,W1,social_worker,T1,2021-01-01\nA2,C2,W2,social_worker,T2,2021-01-01\n"
        "A3,C3,W1,social_worker,T1,2021-01-01\nA4,C4,W2,social_worker,T2,2021-01-01\n"
    ),
    "dataset.yaml": "authority: {code: E06000019, name: Herefordshire}\nextract_date: 2021-09-30\n",
}


def council(folder: Path) -> tuple[Path, Path]:
    """The council's dataset and its rulebook, written into the folder."""
    data, rules = folder / "data", folder / "rules"
    data.mkdir()
    for name, text in FILES.items():
        (data / name).write_text(text)
    rules.mkdir()
    (rules / "one.yaml").write_text(RULES)
    source = Path(__file__).parents[1] / "rules"
    for name in ("scoring.yaml", "ladder.yaml"):
        (rules / name).write_text((source / name).read_text())
    return data, rules
