"""Small numbers in published tables: neither read nor worked out."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from compliance.outputs.disclosure import counted_part, counted_together
from compliance.outputs.risk_counts import risk_counts
from compliance.register.equality import set_aside
from compliance.register.suppression import FEWEST_POSSIBLE, hidden_places, total_may_be_shown
from compliance.risks.assess import Risk
from conftest import Command


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ((20, 30, 40), set()),
        ((3, 30, 40), {0, 1}),
        ((3, 30, 7), {0, 2}),
        ((3, 3, 40), {0, 1}),
        ((1, 1, 40), {0, 1, 2}),
        ((5, 5, 40), {0, 1, 2}),
        ((0, 3, 12, 9), {1, 3}),
        ((), set()),
    ],
)
def test_what_is_left_out(counts: tuple[int, ...], hidden: set[int]) -> None:
    """Six is the limit; a nought is shown, for it says nothing of anybody."""
    assert hidden_places(counts, 6) == hidden


@pytest.mark.parametrize(("counts", "shown"), [((3,), False), ((1, 1), False), ((5, 5), False), ((3, 3), True), ((9, 9), True)])
def test_the_total_is_shown_where_it_gives_nothing_away(counts: tuple[int, ...], shown: bool) -> None:
    assert total_may_be_shown(counts, 6) is shown


@given(st.lists(st.integers(0, 14), min_size=1, max_size=5))
def test_nobody_can_work_a_small_number_out(counts: list[int]) -> None:
    """Every table that looks the same from outside is tried: each small number still has three values or more."""
    limit = 6
    hidden = sorted(hidden_places(counts, limit))
    if not hidden or not total_may_be_shown(counts, limit):
        return
    total = sum(counts[place] for place in hidden)
    ranges = [range(1, limit) if counts[place] < limit else range(limit, total + 1) for place in hidden]
    likely = [values for values in product(*ranges) if sum(values) == total]
    for at, place in enumerate(hidden):
        if counts[place] < limit:
            assert len({values[at] for values in likely}) >= FEWEST_POSSIBLE


@pytest.mark.parametrize(
    ("children", "breached", "aside"),
    [
        ((200, 100, 50), (80, 40, 20), set()),
        ((200, 100, 12), (80, 40, 4), {1}),
        ((200, 60, 12, 14), (80, 30, 4, 5), set()),
        ((200, 60, 8, 1), (80, 30, 4, 0), set()),
        ((200, 60, 1, 1), (80, 30, 0, 0), {1}),
        ((30, 30), (12, 0), {0}),
    ],
)
def test_an_equality_table_gives_no_small_group_away(
    children: tuple[int, ...], breached: tuple[int, ...], aside: set[int]
) -> None:
    """One group too small to show is all the children less the others, so the next smallest is left out too."""
    assert set_aside(children, breached) == aside


@pytest.mark.parametrize(
    ("numbers", "public", "words", "total"),
    [
        ((20, 3, 40, 7), True, ["20", "5 or fewer", "40", "not shown"], "70"),
        ((20, 3, 40, 7), False, ["20", "3", "40", "7"], "70"),
        ((20, 0, 1040), True, ["20", "0", "1,040"], "1,060"),
        ((5, 5), True, ["5 or fewer", "5 or fewer"], "not shown"),
        ((2,), True, ["5 or fewer"], "not shown"),
    ],
)
def test_the_numbers_of_a_table_in_words(numbers: tuple[int, ...], public: bool, words: list[str], total: str) -> None:
    assert counted_together(numbers, public=public) == (words, total)


def risks(*groups: tuple[str, str, int, int, int]) -> list[Risk]:
    """So many risks of each kind: its rule, type of scope, likelihood, impact and number."""
    return [
        cast("Risk", SimpleNamespace(rule=SimpleNamespace(id=rule), scope_type=scope, likelihood=likelihood, impact=impact))
        for rule, scope, likelihood, impact, number in groups
        for _ in range(number)
    ]


def test_a_kind_of_few_risks_cannot_be_worked_out_from_its_point() -> None:
    found = risk_counts(risks(("A", "child", 4, 5, 3), ("B", "child", 4, 5, 20), ("C", "child", 2, 2, 30)), public=True)
    assert found.kinds == {"A": "5 or fewer", "B": "not shown", "C": "30"}
    assert (found.points, found.total) == ({(4, 5): "23", (2, 2): "30"}, "53")


def test_a_point_of_one_small_kind_takes_another_point_with_it() -> None:
    found = risk_counts(risks(("A", "child", 4, 5, 3), ("B", "child", 3, 3, 9), ("C", "child", 2, 2, 30)), public=True)
    assert found.points == {(4, 5): "5 or fewer", (3, 3): "not shown", (2, 2): "30"}
    assert found.kinds == {"A": "5 or fewer", "B": "not shown", "C": "30"}
    assert found.total == "42"


def test_with_nothing_to_hide_behind_the_total_goes() -> None:
    found = risk_counts(risks(("A", "child", 4, 5, 3), ("Z", "authority", 4, 4, 1)), public=True)
    assert found.kinds == {"A": "5 or fewer", "Z": "5 or fewer"}
    assert (found.points[4, 4], found.total) == ("5 or fewer", "not shown"), "the council's own risk is known: it hides nobody"


def test_a_document_that_is_not_public_gives_every_number() -> None:
    found = risk_counts(risks(("A", "child", 4, 5, 3), ("B", "child", 4, 5, 1200)), public=False)
    assert (found.kinds, found.points, found.total) == ({"A": "3", "B": "1,200"}, {(4, 5): "1,203"}, "1,203")


@pytest.mark.parametrize(
    ("part", "whole", "words"), [(3, 90, "5 or fewer"), (40, 90, "40"), (88, 90, "not shown"), (90, 90, "90"), (0, 3, "0")]
)
def test_a_part_that_leaves_few_is_not_shown(part: int, whole: int, words: str) -> None:
    assert counted_part(part, whole, public=True) == words
    assert counted_part(part, whole, public=False) == str(part)


def test_the_published_page_and_paper_keep_small_numbers_back(compliance: Command, tmp_path: Path) -> None:
    """Two children at risk and one risk of the council: neither the point of the heat map nor the total gives the two away."""
    data, rules = "fixtures/screens/data", "fixtures/screens/rules"
    made = [word for form in ("html", "docx") for word in ("--output", f"{form}={tmp_path}/made.{form}")]
    assert compliance("report", data, "--rules", rules, "--publish", *made).returncode == 0
    page = " ".join(html.fromstring((tmp_path / "made.html").read_bytes()).text_content().split())
    assert "5 or fewer children" in page
    assert "not shown in all" in page
    assert "risks of 1 kind" in page and "risks of 2 kinds are extreme" in page
    paper = " ".join(part.text for part in docx.Document(str(tmp_path / "made.docx")).element.iter() if part.text)
    assert "5 or fewer children" in paper
    for text in (page, paper):
        assert not re.search(r"\b[23] (children|risks)", text)
