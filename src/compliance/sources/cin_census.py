"""The children in need census: one XML message a council and year, streamed into the tables that it fills.

Which element is which column is in `cin_census.yaml`. An initial conference stands in two places: with the enquiry that
led to it, and with the episode where it was of no enquiry in the file, as for a child who moved in under a plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from duckdb import DuckDBPyConnection

from compliance.dataset.ingest import Remark, Staged
from compliance.dataset.schema import Schema
from compliance.sources.limits import Limits
from compliance.sources.reader import Source
from compliance.sources.xml_return import Reading, collection_of, holds, mapped

FORMAT = "cin_census"
MAPPING_FILE = Path(__file__).with_suffix(".yaml")

_YEAR_END = (3, 31)
_NOT_REQUIRED = "lower({each}) IN ('true', '1', 'yes', 'y')"


def recognise(path: Path, head: bytes) -> str | None:
    """Why the file is a children in need census, None where it is not."""
    if said := collection_of(head):
        return "a message of the collection CIN" if said == "CIN" else None
    element = holds(head, "CINdetails", "ChildIdentifiers")
    return f"a message with the element {element}" if element else None


def stage(connection: DuckDBPyConnection, source: Source, schema: Schema, limits: Limits) -> list[Staged]:
    """The tables that each file fills."""
    mapping = mapped(MAPPING_FILE)
    return [
        staged
        for number, file in enumerate(source.files)
        for staged in Reading(connection, source, schema, limits, mapping, file, number, _YEAR_END).staged(_other_conferences)
    ]


def _other_conferences(reading: Reading, relations: dict[str, str]) -> Iterator[Remark]:
    """Makes the relation of conferences that stand with an episode, and says how many an enquiry holds too.

    One that an enquiry of the child has on the same day is that one. One that an enquiry of the episode waits for is its own:
    the latest that began before it, has no day of its own and needs a conference. Any other came in with the child.
    """
    episode, enquiry, made = relations["episode"], relations["enquiry"], reading.relation("other_conference")
    waiting = f"q.DateOfInitialCPC IS NULL AND NOT coalesce({_NOT_REQUIRED.format(each='q.ICPCnotRequired')}, false)"
    told = f"SELECT e._parent, q.DateOfInitialCPC AS day FROM {enquiry} q JOIN {episode} e ON e._row = q._parent"
    reading.connection.execute(f"""
        CREATE TABLE {made} AS
        SELECT e._row, e._parent, e.DateOfInitialCPC, max(q.S47ActualStartDate) AS S47ActualStartDate,
            CASE WHEN count(q.S47ActualStartDate) > 0 THEN 'initial' ELSE 'transfer_in' END AS conference_kind
        FROM {episode} e
        LEFT JOIN {enquiry} q ON q._parent = e._row AND q.S47ActualStartDate <= e.DateOfInitialCPC AND {waiting}
        WHERE e.DateOfInitialCPC IS NOT NULL AND (e._parent, e.DateOfInitialCPC) NOT IN (
            SELECT (t._parent, t.day) FROM ({told}) t WHERE t.day IS NOT NULL)
        GROUP BY ALL ORDER BY e._row""")
    relations["other_conference"] = made
    counts = f"SELECT (SELECT count(DateOfInitialCPC) FROM {episode}), (SELECT count(*) FROM {made})"
    held, other = reading.connection.execute(counts).fetchone() or (0, 0)
    if held > other:
        reason = f"{held - other:,} conferences stand with an episode and with an enquiry, and are read once"
        yield Remark(None, "DateOfInitialCPC", None, reason)
