"""A check of documents against JSON Schemas."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator


def fits(document: Any, schema: dict[str, Any]) -> None:
    """Nothing, or an error that says where the document does not fit."""
    Draft202012Validator.check_schema(schema)
    for error in Draft202012Validator(schema).iter_errors(document):
        raise AssertionError(f"{error.json_path}: {error.message[:300]}")
