"""Each document of the register's commands is what its published schema says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import Command
from register_data import council

jsonschema = pytest.importorskip("jsonschema")

ARGUMENTS = {
    "check": ["check", "--all"],
    "register": ["register"],
    "compare": ["compare", "--from", "2021-09-01", "--to", "2021-09-30"],
    "trend": ["trend", "--months", "3"],
    "worklist": ["worklist"],
    "forecast": ["forecast"],
}


@pytest.mark.parametrize("subject", ARGUMENTS)
def test_what_is_written_is_what_the_schema_says(compliance: Command, tmp_path: Path, subject: str) -> None:
    data, rules = council(tmp_path)
    scope = "{type: child, id: C1}"
    dates = "granted: 2021-09-01, expires: 2021-11-01"
    (data / "register.yaml").write_text(
        f"risks: [{{rule: T-RISK, scope: {scope}, target: {{likelihood: 1, impact: 5}},"
        " actions: [{action: a, due: 2021-10-01}]}]\n"
        f"waivers: [{{rule: T-ONE, scope: {scope}, reason: r, approver: a, {dates}}}]\n"
    )
    command, *options = ARGUMENTS[subject]
    document = json.loads(compliance(command, data, "--rules", rules, *options, "--format", "json").stdout)
    schema = json.loads(compliance("rules", "schema", "--of", subject).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)


def test_editors_can_have_the_schema_of_the_register_file(compliance: Command) -> None:
    schema = json.loads(compliance("rules", "schema", "--of", "register-file").stdout)
    assert set(schema["properties"]) == {"risks", "waivers"}
