"""Sequences: something that must come first."""

from __future__ import annotations

from compliance.duties.deadline import dated
from compliance.duties.frame import Frame
from compliance.rulebook.model import Computed, Sequence


def sequence(frame: Frame) -> str:
    """The SELECT of a sequence rule's duties: due on the trigger day, or the day before it where it must come strictly first."""
    body = frame.body
    assert isinstance(body, Sequence)
    period = Computed(n="-1" if body.strictly else "0", unit="days")
    return dated(frame, period=period, variants=[], done=body.done, event=body.event, any_order=True)
