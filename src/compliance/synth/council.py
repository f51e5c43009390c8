"""The size and shape of a council: published figures, read from a profile."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

PROFILES = "profiles"


@dataclass(frozen=True)
class Council:
    """Return the figures of one council, each group with its published source."""

    code: str
    name: str
    need: Mapping[str, Any]
    looked_after: Mapping[str, Any]
    care_leavers: Mapping[str, Any]
    workforce: Mapping[str, Any]
    chosen: Mapping[str, Any]
    scale: float = 1.0

    def count(self, figure: float) -> int:
        """Return a published figure at this council's scale, at least one."""
        return max(1, round(figure * self.scale))


@cache
def load_council(profile: str, scale: float = 1.0) -> Council:
    """Return the council that a profile describes, so many times its size."""
    text = resources.files(__package__).joinpath(PROFILES, f"{profile}.yaml").read_text(encoding="utf-8")
    figures = yaml.safe_load(text)
    authority = figures.pop("authority")
    return Council(code=authority["code"], name=authority["name"], scale=scale, **figures)


def profiles() -> list[str]:
    """Return the names of the profiles that come with the package."""
    folder = resources.files(__package__).joinpath(PROFILES)
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
