"""The sums of what measures count: for the council, and for each service, team and worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compliance.duties.sources import literal

SCOPES = {"service": "service", "team": "team_id", "worker": "worker_id"}
COUNTED = (
    "measure VARCHAR, authority VARCHAR, worker_id VARCHAR, team_id VARCHAR, person_id VARCHAR, carer_id VARCHAR,"
    " numerator DOUBLE, denominator DOUBLE"
)
"""The columns of what measures count."""
OWNED_ROWS = """SELECT c.measure, c.authority, c.numerator, c.denominator,
      coalesce(c.worker_id, child.worker_id, carer.worker_id) AS worker_id, team.team_id, team.service
    FROM {counted} AS c
    LEFT JOIN child_owner AS child ON child.person_id = c.person_id
    LEFT JOIN carer_owner AS carer ON carer.carer_id = c.carer_id
    LEFT JOIN known.workers AS w ON w.worker_id = coalesce(c.worker_id, child.worker_id, carer.worker_id)
    LEFT JOIN known.teams AS team ON team.team_id = coalesce(c.team_id, child.team_id, carer.team_id, w.team_id)"""


def summed(counted: str, by: Mapping[str, Iterable[str]]) -> str:
    """SQL of the sums of what was counted: for the council, and for each service, team and worker where a measure is `by` it.

    Sums are of decimals, so that they do not depend on the order of the rows.
    """
    wanted = {scope: sorted(measure for measure, scopes in by.items() if scope in scopes) for scope in SCOPES}
    parts = [_sum("authority", "authority", "authority IS NOT NULL")]
    for scope, measures in wanted.items():
        if measures:
            listed = ", ".join(map(literal, measures))
            parts.append(_sum(scope, SCOPES[scope], f"{SCOPES[scope]} IS NOT NULL AND measure IN ({listed})"))
    owned = OWNED_ROWS.format(counted=counted)
    return f"WITH owned AS (\n    {owned}\n  )\n" + "\nUNION ALL\n".join(parts)


def _sum(scope: str, column: str, where: str) -> str:
    sums = [f"CAST(sum(CAST({name} AS DECIMAL(28, 6))) AS DOUBLE) AS {name}" for name in ("numerator", "denominator")]
    return (
        f"SELECT measure, {literal(scope)} AS scope_type, {column} AS scope_id, authority, {', '.join(sums)}"
        f" FROM owned WHERE {where} GROUP BY {', '.join(dict.fromkeys(['measure', column, 'authority']))}"
    )
