"""Who answers for a duty: the worker and team of the child, young person or carer on the day."""

from __future__ import annotations

OWNERS = """
CREATE OR REPLACE TABLE child_owner AS
SELECT person_id, worker_id, team_id FROM (
  SELECT person_id, worker_id, team_id, row_number() OVER (
    PARTITION BY person_id
    ORDER BY end_date IS NOT NULL,
      CASE role WHEN 'social_worker' THEN 0 WHEN 'personal_adviser' THEN 1 WHEN 'lead_practitioner' THEN 2 ELSE 3 END,
      start_date DESC, row_ref) AS place
  FROM known.allocations
  WHERE person_id IS NOT NULL AND role IN ('social_worker', 'personal_adviser', 'lead_practitioner')
) AS ranked WHERE place = 1;
CREATE OR REPLACE TABLE carer_owner AS
SELECT carer_id, worker_id, team_id FROM (
  SELECT carer_id, worker_id, team_id, row_number() OVER (
    PARTITION BY carer_id ORDER BY end_date IS NOT NULL, start_date DESC, row_ref) AS place
  FROM known.allocations
  WHERE carer_id IS NOT NULL AND role = 'supervising_social_worker'
) AS ranked WHERE place = 1;
"""

OWNED = """
SELECT d.* REPLACE (
    coalesce(d.worker_id, child.worker_id, carer.worker_id) AS worker_id,
    coalesce(d.team_id, child.team_id, carer.team_id, worker.team_id, owner.team_id) AS team_id
  ),
  team.service AS service, team.name AS team_name
FROM {source} AS d
LEFT JOIN child_owner AS child ON child.person_id = d.person_id
LEFT JOIN carer_owner AS carer ON carer.carer_id = d.carer_id
LEFT JOIN known.workers AS worker ON worker.worker_id = d.worker_id
LEFT JOIN known.workers AS owner ON owner.worker_id = coalesce(child.worker_id, carer.worker_id)
LEFT JOIN known.teams AS team ON team.team_id = coalesce(d.team_id, child.team_id, carer.team_id, worker.team_id, owner.team_id)
"""


def owned(source: str) -> str:
    """SQL of the rows of `source` with their worker, team and service filled in from the allocations."""
    return OWNED.format(source=source)
