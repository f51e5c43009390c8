"""Who answers for a duty: the worker and team of the child, young person or carer on the day."""

from __future__ import annotations

from compliance.duties.status import COLUMNS

OWNERS = {
    "child_owner": """SELECT person_id, worker_id, team_id FROM (
  SELECT person_id, worker_id, team_id, row_number() OVER (
    PARTITION BY person_id
    ORDER BY CASE WHEN end_date IS NULL THEN 0 ELSE 1 END,
      CASE role WHEN 'social_worker' THEN 0 WHEN 'personal_adviser' THEN 1 WHEN 'lead_practitioner' THEN 2 ELSE 3 END,
      start_date DESC, row_ref) AS place
  FROM known.allocations
  WHERE person_id IS NOT NULL AND role IN ('social_worker', 'personal_adviser', 'lead_practitioner')
) AS ranked WHERE place = 1""",
    "carer_owner": """SELECT carer_id, worker_id, team_id FROM (
  SELECT carer_id, worker_id, team_id, row_number() OVER (
    PARTITION BY carer_id ORDER BY CASE WHEN end_date IS NULL THEN 0 ELSE 1 END, start_date DESC, row_ref) AS place
  FROM known.allocations
  WHERE carer_id IS NOT NULL AND role = 'supervising_social_worker'
) AS ranked WHERE place = 1""",
}
"""SQL of each table of owners, by its name: one row a child or carer."""

FILLED_IN = {
    "worker_id": "coalesce(d.worker_id, child.worker_id, carer.worker_id)",
    "team_id": "coalesce(d.team_id, child.team_id, carer.team_id, worker.team_id, owner.team_id)",
    "service": "team.service",
    "team_name": "team.name",
}
JOINED = """LEFT JOIN child_owner AS child ON child.person_id = d.person_id
LEFT JOIN carer_owner AS carer ON carer.carer_id = d.carer_id
LEFT JOIN known.workers AS worker ON worker.worker_id = d.worker_id
LEFT JOIN known.workers AS owner ON owner.worker_id = coalesce(child.worker_id, carer.worker_id)
LEFT JOIN known.teams AS team ON team.team_id = coalesce(d.team_id, child.team_id, carer.team_id, worker.team_id, owner.team_id)
"""


def owned(source: str) -> str:
    """SQL of the duties of `source` with their worker, team and service filled in from the allocations."""
    columns = [f"{FILLED_IN.get(name, f'd.{name}')} AS {name}" for name in dict.fromkeys([*COLUMNS, *FILLED_IN])]
    return f"SELECT {', '.join(columns)}\nFROM {source} AS d\n{JOINED}"
