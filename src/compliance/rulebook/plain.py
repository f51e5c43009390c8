"""A loaded rulebook as JSON text and back, without its examples."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from compliance.rulebook.load import Rulebook
from compliance.rulebook.model import ConflictRule, Definition, Instrument, Parameter, Rule


class _Plain(BaseModel):
    rules: list[Rule]
    definitions: list[Definition]
    parameters: list[Parameter]
    instruments: list[Instrument]
    conflicts: list[ConflictRule]
    files: dict[str, Path]
    folder: Path
    digest: str


def rulebook_to_json(rulebook: Rulebook) -> str:
    """The rulebook as text that `rulebook_from_json` reads."""
    plain = _Plain.model_construct(
        rules=list(rulebook.rules.values()),
        definitions=list(rulebook.definitions.values()),
        parameters=list(rulebook.parameters.values()),
        instruments=list(rulebook.instruments.values()),
        conflicts=list(rulebook.conflicts.values()),
        files=dict(rulebook.files),
        folder=rulebook.folder,
        digest=rulebook.digest,
    )
    data = plain.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for rule in data["rules"]:
        rule.pop("examples", None)
    return json.dumps(data, ensure_ascii=False)


def rulebook_from_json(text: str) -> Rulebook:
    """The rulebook that the text holds. Raises ValueError when it is not one."""
    plain = _Plain.model_validate_json(text)
    return Rulebook(
        rules={one.id: one for one in plain.rules},
        definitions={one.id: one for one in plain.definitions},
        parameters={one.id: one for one in plain.parameters},
        instruments={one.id: one for one in plain.instruments},
        conflicts={one.id: one for one in plain.conflicts},
        files=plain.files,
        folder=plain.folder,
        digest=plain.digest,
    )
