"""`dataset.yaml`: what a council says about its own extract."""

from __future__ import annotations

from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from compliance.dataset.coverage import Stretch
from compliance.dataset.schema import Schema
from compliance.errors import UsageError

LARGEST = 256 * 1024
"""The bytes beyond which a file of settings is refused unread."""


class AuthorityConfig(BaseModel):
    """The council that the extract belongs to."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    code: str = Field(min_length=1, pattern=r"^[^/\x00-\x1f]+$")
    name: str | None = None


class CoversConfig(BaseModel):
    """The first and last day of which a table holds all there is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: date | None = Field(None, alias="from")
    last: date | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> CoversConfig:
        if self.first and self.last and self.last < self.first:
            raise ValueError("to is before from")
        return self

    @property
    def stretch(self) -> Stretch:
        """The days as a stretch of time."""
        return Stretch(self.first, self.last)


class DatasetConfig(BaseModel):
    """The council, the day of the extract, local parameters, and the tables that do not hold all of history."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    authority: AuthorityConfig | None = None
    extract_date: date | None = None
    parameters: dict[str, str | int | float] = Field(default_factory=dict)
    history: dict[str, Literal["full", "latest"]] = Field(default_factory=dict)
    covers: dict[str, CoversConfig] = Field(default_factory=dict)


def read_config(file: Path, schema: Schema) -> DatasetConfig:
    """The settings in a `dataset.yaml`, refused with its name and the nearest valid key where one is unknown."""
    try:
        config = DatasetConfig.model_validate(_document(file))
    except ValidationError as error:
        raise _refusal(file, dict(error.errors()[0])) from None
    for key, tables in (("history", config.history), ("covers", config.covers)):
        for table in sorted(tables.keys() - schema.tables.keys()):
            raise UsageError(f"{file}: {key}.{table}: there is no such table", help=nearest(table, schema.tables))
    return config


def merge_configs(configs: list[DatasetConfig]) -> DatasetConfig:
    """One set of settings for several folders: the earliest extract date, and parameters that do not contradict."""
    parameters: dict[str, str | int | float] = {}
    for key, value in (item for config in configs for item in config.parameters.items()):
        if parameters.setdefault(key, value) != value:
            raise UsageError(f"the folders disagree on the parameter {key}: {parameters[key]} and {value}")
    authorities = {config.authority for config in configs if config.authority}
    return DatasetConfig(
        authority=authorities.pop() if len(authorities) == 1 else None,
        extract_date=min((config.extract_date for config in configs if config.extract_date), default=None),
        parameters=parameters,
        history={table: history for config in configs for table, history in config.history.items()},
        covers={table: covers for config in configs for table, covers in config.covers.items()},
    )


def nearest(word: str, words: Any) -> str | None:
    """A suggestion of the word most like this one, None where nothing is like it."""
    found = get_close_matches(word, list(words), n=1)
    return f"the nearest is {found[0]}" if found else None


def _document(file: Path) -> Any:
    if file.stat().st_size > LARGEST:
        raise UsageError(f"{file}: is larger than {LARGEST // 1024} KB", help="it holds a council's few settings, and no data")
    try:
        return yaml.safe_load(file.read_bytes()) or {}
    except RecursionError:
        raise UsageError(f"{file}: is nested too deeply") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UsageError(f"{file}{place}: {getattr(error, 'problem', None) or 'not YAML'}") from None


def _refusal(file: Path, error: dict[str, Any]) -> UsageError:
    place = ".".join(map(str, error["loc"]))
    if error["type"] != "extra_forbidden":
        return UsageError(f"{file}: {place}: {error['msg']}" if place else f"{file}: {error['msg']}")
    models: dict[Any, type[BaseModel]] = {"authority": AuthorityConfig, "covers": CoversConfig}
    model = models.get(error["loc"][0], DatasetConfig)
    keys = [field.alias or key for key, field in model.model_fields.items()]
    valid = f"valid keys: {', '.join(keys)}"
    found = nearest(str(error["loc"][-1]), keys)
    return UsageError(f"{file}: {place}: there is no such key", help=f"{found}; {valid}" if found else valid)
