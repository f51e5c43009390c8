"""Where a finding stands, for tools that show files and lines, and whom it is about, in a few words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from compliance.duties.findings import Finding
from compliance.rulebook.diagnostics import printable


@dataclass(frozen=True)
class FilePlace:
    """A file, relative to the repository, and the line (or row of the sheet) in it."""

    path: str
    line: int | None
    sheet: str | None


def place(one: Finding, folder: str) -> FilePlace:
    """The row that decided the finding, or the rule's table where no row did."""
    row = one.evidence[-1] if one.evidence else None
    if row is None or row.file is None:
        return FilePlace(folder or "dataset", None, None)
    name = row.file.replace("\\", "/")
    return FilePlace(str(PurePosixPath(folder) / name) if folder else name, row.row, row.sheet)


def subject(one: Finding) -> str:
    """Whom a finding is about: the child where there is one."""
    if one.person_id and one.subject_type != "child":
        return f"child {one.person_id} ({one.subject_type} {one.subject_id})"
    return f"{one.subject_type} {one.subject_id}"


def sentence(one: Finding) -> str:
    """A finding on one line, with nothing in it that a console would obey."""
    return printable(f"{subject(one)}: {one.message()}")
