"""The 5 x 5 scale, its bands, and the rungs and stages of the ladder: data in `rules/scoring.yaml` and `rules/ladder.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from compliance.rulebook.diagnostics import from_validation_error, raise_if_any
from compliance.rulebook.text import load_fast, read_document

Model = TypeVar("Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Point(_Strict):
    """A point of a scale and what it is called."""

    score: Annotated[int, Field(ge=1, le=5)]
    title: str


class Band(_Strict):
    """A band of scores, from its lowest."""

    id: str
    title: str
    lowest: int = Field(alias="from")


class Scoring(_Strict):
    """Likelihood and impact from 1 to 5, and the bands of their product."""

    likelihood: list[Point]
    impact: list[Point]
    bands: list[Band]

    @model_validator(mode="after")
    def _whole_scales(self) -> Scoring:
        for scale in (self.likelihood, self.impact):
            if [point.score for point in scale] != [1, 2, 3, 4, 5]:
                raise ValueError("a scale has the points 1 to 5 in order")
        lowest = [band.lowest for band in self.bands]
        if not lowest or lowest[0] != 1 or lowest != sorted(set(lowest)):
            raise ValueError("bands begin at 1 and rise")
        return self

    def band(self, score: int) -> Band:
        """The band that a score falls in."""
        return [band for band in self.bands if band.lowest <= score][-1]


class Rung(_Strict):
    """Who must act."""

    id: str
    title: str


class Stage(_Strict):
    """A stage of formal intervention, and the event or rung that reaches it."""

    id: str
    title: str
    event: str | None = None
    rung: str | None = None
    paragraph: int | None = None


class Ladder(_Strict):
    """The rungs in order, and the stages of intervention in order."""

    rungs: list[Rung]
    stages: list[Stage]

    def rank(self, rung: str) -> int:
        """How high a rung stands; 0 is the practitioner. Raises ValueError when there is none of that id."""
        return [one.id for one in self.rungs].index(rung)

    def rung(self, rank: int) -> Rung:
        """The rung at that height."""
        return self.rungs[rank]


def load_scoring(folder: Path) -> Scoring:
    """The scale of a rules folder. Raises RuleFileError with positions."""
    return _load(folder / "scoring.yaml", Scoring)


def load_ladder(folder: Path) -> Ladder:
    """The ladder of a rules folder. Raises RuleFileError with positions."""
    return _load(folder / "ladder.yaml", Ladder)


def _load(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(load_fast(path))
    except ValidationError as error:
        raise_if_any(from_validation_error(read_document(path), error, path, model=model))
        raise
