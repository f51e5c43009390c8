"""The children in need census: one XML message a council and year, streamed into the tables that it fills.

Which element is which column is in `cin_census.yaml`. An initial conference stands in two places: with the enquiry that
led to it, and with the episode where it was of no enquiry in the file, as for a child who moved in under a plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from duckdb import DuckDBPyConnection

from compliance.dataset.ingest import Remark, Staged
from compliance.dataset.schema import Schema
from compliance.sources.heads import text_of
from compliance.sources.limits import Limits
from compliance.sources.reader import HEAD_BYTES, Source
from compliance.sources.xml_return import Reading, collection_of, holds, mapped

FORMAT = "cin_census"
MAPPING_FILE = Path(__file__).with_suffix(".yaml")

_YEAR_END = (3, 31)
_SAID = re.compile(r"<ReferenceDate>\s*(\d{4}-\d\d-\d\d)|<Year>\s*(\d{4})\s*<")
_NOT_REQUIRED = "lower({each}) IN ('true', '1', 'yes', 'y')"


def recognise(path: Path, head: bytes) -> str | None:
    """Why the file is a children in need census, None where it is not."""
    if said := collection_of(head):
        return "a message of the collection CIN" if said == "CIN" else None
    element = holds(head, "CINdetails", "ChildIdentifiers")
    return f"a message with the element {element}" if element else None


def stage(connection: DuckDBPyConnection, source: Source, schema: Schema, limits: Limits) -> list[Staged]:
    """The tables that each file fills, the years in their order: a conference may answer an enquiry of the year before."""
    mapping, conferences = mapped(MAPPING_FILE), _Conferences()
    readings = [
        Reading(connection, source, schema, limits, mapping, file, number, _YEAR_END) for number, file in enumerate(source.files)
    ]
    return [
        staged for reading in sorted(readings, key=_day_said) for staged in reading.staged(conferences.that_stand_with_episodes)
    ]


def _day_said(reading: Reading) -> tuple[str, int]:
    """The day that a file says it is of, or its year, to put the files in order."""
    with reading.file.path.open("rb") as stream:
        said = _SAID.findall(text_of(stream.read(HEAD_BYTES)) or "")
    return max((day for day, _ in said if day), default=max((year for _, year in said), default="")), reading.number


@dataclass
class _Conferences:
    """Reads the conferences of each file in turn, and keeps which enquiries still wait for one."""

    waiting: list[str] = field(default_factory=list)

    def that_stand_with_episodes(self, reading: Reading, relations: dict[str, str]) -> Iterator[Remark]:
        """Makes the relation of conferences that stand with an episode, and says how many an enquiry holds too.

        One that an enquiry of the child has on the same day is that one. One that an enquiry of the episode waits for, here or in
        an earlier year, is its own: the latest that began before it, has no day of its own and needs a conference. Any other
        came in with the child.
        """
        child, episode, enquiry = (relations[each] for each in ("child", "episode", "enquiry"))
        made = reading.relation("other_conference")
        waits = f"q.DateOfInitialCPC IS NULL AND NOT coalesce({_NOT_REQUIRED.format(each='q.ICPCnotRequired')}, false)"
        told = f"SELECT e._parent, q.DateOfInitialCPC AS day FROM {enquiry} q JOIN {episode} e ON e._row = q._parent"
        here = (
            f"SELECT c.LAchildID, e.CINreferralDate, q.S47ActualStartDate FROM {enquiry} q "
            f"JOIN {episode} e ON e._row = q._parent JOIN {child} c ON c._row = e._parent WHERE {waits}"
        )
        self.waiting.append(here)
        reading.connection.execute(f"""
            CREATE TABLE {made} AS
            SELECT e._row, e._parent, e.DateOfInitialCPC, max(w.S47ActualStartDate) AS S47ActualStartDate,
                CASE WHEN count(w.S47ActualStartDate) > 0 THEN 'initial' ELSE 'transfer_in' END AS conference_kind
            FROM {episode} e JOIN {child} c ON c._row = e._parent
            LEFT JOIN ({" UNION ALL ".join(self.waiting)}) w ON w.LAchildID = c.LAchildID
                AND w.CINreferralDate = e.CINreferralDate AND w.S47ActualStartDate <= e.DateOfInitialCPC
            WHERE e.DateOfInitialCPC IS NOT NULL AND (e._parent, e.DateOfInitialCPC) NOT IN (
                SELECT (t._parent, t.day) FROM ({told}) t WHERE t.day IS NOT NULL)
            GROUP BY ALL ORDER BY e._row""")
        relations["other_conference"] = made
        counts = f"SELECT (SELECT count(DateOfInitialCPC) FROM {episode}), (SELECT count(*) FROM {made})"
        held, other = reading.connection.execute(counts).fetchone() or (0, 0)
        if held > other:
            reason = f"{held - other:,} conferences stand with an episode and with an enquiry, and are read once"
            yield Remark(None, "DateOfInitialCPC", None, reason)
