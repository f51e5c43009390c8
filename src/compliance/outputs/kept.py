"""A run kept: the documents of check and register, and the manifest with its timings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from compliance.duties.findings import Finding, findings
from compliance.outputs.documents import SCHEMA_VERSION, as_json, check_document, register_document
from compliance.outputs.published import Published
from compliance.register.pseudonyms import Pseudonyms
from compliance.register.register import Register, measures
from compliance.register.saved import SavedRun, save
from compliance.register.waivers import Waivers
from compliance.run import Run


def save_run(folder: Path, published: Published) -> None:
    """Keeps the run of a check: every breach of it, whatever was asked to be shown."""
    save_register(folder, published.register, published.waivers, published.pseudonyms)


def save_register(folder: Path, found: Register, waivers: Waivers | None, pseudonyms: Pseudonyms | None) -> None:
    """Keeps the run behind a register. Raises UsageError when the folder is there already or cannot be made."""
    run = found.run
    breaches = findings(run.evaluation)
    breaches = waivers.apply(breaches) if waivers else breaches
    breaches = pseudonyms.findings(breaches) if pseudonyms else breaches
    measured = [pseudonyms.measure(one) for one in measures(run)] if pseudonyms else measures(run)
    timings = {name: round(seconds, 3) for name, seconds in run.timings.seconds.items()}
    save(
        folder,
        {
            "check.json": as_json(check_document(run, breaches, measured)),
            "register.json": as_json(register_document(found)),
            "manifest.json": as_json({"schema_version": SCHEMA_VERSION, **run.manifest(), "timings": timings}),
        },
    )


def as_saved(run: Run, found: Sequence[Finding], registered: Register) -> SavedRun:
    """The run as if it had been saved and read again: plain documents, which outlive the tables they were made from."""
    documents = (check_document(run, found, measures(run)), register_document(registered), run.manifest())
    check, register, manifest = (json.loads(as_json(one)) for one in documents)
    return SavedRun(str(run.as_of), check, register, manifest)
