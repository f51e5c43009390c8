"""The children's social work workforce census: one XML message a council and year, as it stood on 30 September.

Which element is which column is in `csww.yaml`. Everything in it is of one day a year, so it is staged as `latest`.
"""

from __future__ import annotations

from pathlib import Path

from duckdb import DuckDBPyConnection

from compliance.dataset.ingest import Staged
from compliance.dataset.schema import Schema
from compliance.sources.limits import Limits
from compliance.sources.reader import Source
from compliance.sources.xml_return import Reading, collection_of, holds, mapped

FORMAT = "csww"
MAPPING_FILE = Path(__file__).with_suffix(".yaml")

_CENSUS_DAY = (9, 30)


def recognise(path: Path, head: bytes) -> str | None:
    """Why the file is a workforce census, None where it is not."""
    if said := collection_of(head):
        return "a message of the collection CSWW" if said == "CSWW" else None
    element = holds(head, "CSWWWorker", "LALevelVacancies")
    return f"a message with the element {element}" if element else None


def stage(connection: DuckDBPyConnection, source: Source, schema: Schema, limits: Limits) -> list[Staged]:
    """The tables that each file fills."""
    mapping = mapped(MAPPING_FILE)
    return [
        staged
        for number, file in enumerate(source.files)
        for staged in Reading(connection, source, schema, limits, mapping, file, number, _CENSUS_DAY).staged()
    ]
