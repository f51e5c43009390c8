"""YAML with positions, and diagnostics that look like a compiler's."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from compliance.errors import RuleFileError
from compliance.rulebook.diagnostics import (
    Diagnostic,
    DiagnosticError,
    from_validation_error,
    located,
    nearest_help,
    printable,
    raise_if_any,
    valid_keys,
)
from compliance.rulebook.text import Document, Position, load_fast, read_document

PATH = Path("rules/reviews.yaml")

TEXT = """\
instrument: cppcr-2010
rules:
  - id: REVIEW
    severity: high
    deadline: {within: 20 working days, of: start}
    when: |
      a = 1
      AND b = 2
  - id: VISIT
    folded: >-
      one two
      three
"""


def read(text: str) -> Document:
    return read_document(PATH, text)


def codes(text: str) -> list[tuple[str, int, int]]:
    with pytest.raises(DiagnosticError) as caught:
        read(text)
    return [(found.code, found.line, found.column) for found in caught.value.diagnostics]


# --- values and positions


def test_values_are_plain_data() -> None:
    text = "{a: 1, b: -1.5, c: true, d: 2021-01-04, e: null, f: ~, g: '012', h: 6 weeks, i: [], j: '', k: }"
    assert read(text).value == {
        "a": 1,
        "b": -1.5,
        "c": True,
        "d": datetime.date(2021, 1, 4),
        "e": None,
        "f": None,
        "g": "012",
        "h": "6 weeks",
        "i": [],
        "j": "",
        "k": None,
    }


@pytest.mark.parametrize(
    ("loc", "key", "line", "column"),
    [
        ((), False, 1, 1),
        (("instrument",), False, 1, 13),
        (("instrument",), True, 1, 1),
        (("rules", 0), False, 3, 5),
        (("rules", 0, "deadline", "of"), True, 5, 41),
        (("rules", 0, "deadline", "of"), False, 5, 45),
        (("rules", 1, "id"), False, 9, 9),
        (("rules", 1, "nothing", "there"), False, 9, 5),
    ],
)
def test_positions(loc: tuple[str | int, ...], key: bool, line: int, column: int) -> None:
    assert read(TEXT).position(loc, key=key) == Position(line, column)


@pytest.mark.parametrize(
    ("loc", "word", "line", "column"),
    [
        (("rules", 0, "severity"), "gh", 4, 17),
        (("rules", 0, "when"), "a", 7, 7),
        (("rules", 0, "when"), "b", 8, 11),
        (("rules", 1, "folded"), "three", 12, 7),
    ],
)
def test_position_of_a_character_within_text(loc: tuple[str | int, ...], word: str, line: int, column: int) -> None:
    document = read(TEXT)
    value = document.value
    for part in loc:
        value = value[part]
    assert document.position_in(loc, value.index(word)) == Position(line, column)


@pytest.mark.parametrize(("text", "column"), [("k: 'it''s x'", 11), ('k: "a\\"b x"', 10), ("k: it is x", 10), ("k: x", 4)])
def test_position_within_quoted_text(text: str, column: int) -> None:
    document = read(text)
    assert document.position_in(("k",), document.value["k"].index("x")) == Position(1, column)


def test_an_empty_file_is_nothing() -> None:
    document = read("")
    assert document.value is None
    assert document.position(("a",)) == Position(1, 1)


def test_on_and_no_may_be_keys() -> None:
    assert read("{on: 1, no: 2}").value == {"on": 1, "no": 2}


# --- what is refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [("duplicate-key", 3, 1)]),
        ("x:\n  - {a: 1, a: 2}\n", [("duplicate-key", 2, 12)]),
        ("a: 1\n'a': 2\n", [("duplicate-key", 2, 1)]),
        ("a: &x 1\nb: *x\n", [("alias", 1, 4), ("alias", 2, 4)]),
        ("a: !!python/object:os.system x\n", [("tag", 1, 4)]),
        ("a: !x {b: 1}\n", [("tag", 1, 4)]),
        ("1: a\n2021-01-01: b\nnull: c\ntrue: d\n", [("key-type", line, 1) for line in (1, 2, 3, 4)]),
        ("<<: {a: 1}\n", [("key-type", 1, 1)]),
        ("? [a]\n: b\n", [("key-type", 1, 3)]),
        ("a:\n\t- b\n", [("syntax", 2, 1)]),
        ("a: b: c\n", [("syntax", 1, 5)]),
        ("a: [1, 2\n", [("syntax", 2, 1)]),
        ("a: 1\n--- \nb: 2\n", [("documents", 2, 1)]),
        ("a: \x07\n", [("character", 1, 4)]),
        ("a: yes\nb: 012\nc: 12:30\nd: 1_000\ne: .inf\n", [("ambiguous-value", line, 4) for line in range(1, 6)]),
        ("a: 2021-02-30\n", [("ambiguous-value", 1, 4)]),
        (f"a: {'9' * 5000}\n", [("ambiguous-value", 1, 4)]),
        ("- " * 100_000, [("too-deep", 1, 101)]),
    ],
)
def test_refused(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert codes(text) == expected


def test_endless_brackets_are_refused_by_the_loader_or_by_libyaml_before_it() -> None:
    """From 0.2.6 on libyaml itself refuses more than a thousand levels of brackets, before it hands out the first."""
    assert codes("[" * 100_000) in ([("too-deep", 1, 51)], [("syntax", 1, 1001)])


def test_an_alias_bomb_costs_nothing() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert {code for code, _, _ in codes("\n".join(lines))} == {"alias"}


def test_everything_is_reported_at_once() -> None:
    assert [code for code, _, _ in codes("a: 1\na: 2\n1: x\nb: no\n")] == [
        "duplicate-key",
        "key-type",
        "ambiguous-value",
    ]


def test_the_rendered_duplicate() -> None:
    with pytest.raises(RuleFileError) as caught:
        read("id: A\nid: B\n")
    assert caught.value.exit_code == 2
    assert caught.value.message == (
        "rules/reviews.yaml:2:1: error[duplicate-key]: the key `id` is given twice; it was first given on line 1\n"
        "  id: B\n"
        "  ^^\n"
        "help: keep one of the two"
    )


def test_files_are_read_and_refused(tmp_path: Path) -> None:
    good = tmp_path / "good.yaml"
    good.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\r\nb: 2\r\n")
    assert load_fast(good) == {"a": "é", "b": 2}
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(DiagnosticError) as caught:
        load_fast(bad)
    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].line) == ("encoding", 2)
    with pytest.raises(DiagnosticError, match="cannot be read"):
        load_fast(tmp_path / "none.yaml")


def test_a_megabyte_is_read_within_seconds() -> None:
    rule = "  - {id: R, title: 'A visit is made', on: 2021-01-04, list: [a, b, 1, 2]}\n"
    text = "rules:\n" + rule * (1_000_000 // len(rule))
    start = time.perf_counter()
    read(text)
    assert time.perf_counter() - start < 5  # 0.3 s on a quiet machine


# --- rendering


def test_control_characters_are_not_echoed() -> None:
    found = Diagnostic("a.yaml", 1, 4, "bad \x1b[31m", "do\u202e this", 1, "x", "k: \x1b]0;x\x07")
    assert "\x1b" not in found.render() and "\u202e" not in found.render() and "\x07" not in found.render()
    assert printable("a\nb\tc") == "a b c"


def test_a_long_line_is_cut_around_the_caret() -> None:
    lines = Diagnostic("a.yaml", 1, 501, "m", None, 3, "x", "a" * 500 + "BAD" + "c" * 500).render().splitlines()
    assert len(lines[1]) < 120
    assert lines[1][lines[2].index("^") : lines[2].rindex("^") + 1] == "BAD"


def test_a_caret_stands_under_wide_characters() -> None:
    lines = Diagnostic("a.yaml", 1, 3, "m", None, 1, "x", "漢字x").render().splitlines()
    assert lines[2] == "      ^"


def test_nothing_is_raised_for_nothing() -> None:
    raise_if_any([])


def test_diagnostics_are_ordered_by_place() -> None:
    error = DiagnosticError([Diagnostic("b", 1, 1, "m"), Diagnostic("a", 2, 1, "m"), Diagnostic("a", 1, 9, "m")])
    assert [(found.path, found.line) for found in error.diagnostics] == [("a", 1), ("a", 2), ("b", 1)]


# --- from pydantic


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Deadline(Strict):
    kind: Literal["deadline"] = "deadline"
    within: str
    of: str = Field(default="", alias="from")


class Recurring(Strict):
    kind: Literal["recurring"]
    every: str


class Rule(Strict):
    id: str
    severity: Literal["high", "medium", "low"] = "low"
    body: Annotated[Deadline | Recurring, Field(discriminator="kind")] | None = None
    loose: Deadline | Recurring | None = None
    by_name: dict[str, Deadline] = {}
    weight: int = 1


class File(Strict):
    rules: list[Rule]


def diagnose(text: str) -> list[Diagnostic]:
    document = read(text)
    with pytest.raises(ValidationError) as caught:
        File.model_validate(document.value)
    return from_validation_error(document, caught.value, PATH, model=File)


def test_an_unknown_key_names_the_nearest() -> None:
    (found,) = diagnose("rules:\n  - id: A\n    body: {kind: deadline, within: x, witin: y}\n")
    assert found.render() == (
        "rules/reviews.yaml:3:39: error[unknown-key]: the key `witin` is not known here\n"
        "      body: {kind: deadline, within: x, witin: y}\n"
        "                                        ^^^^^\n"
        "help: the nearest valid key is `within`"
    )


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "help"),
    [
        ("rules:\n  - severity: high\n", "missing-key", 2, 5, "add `id:` here"),
        ("rules:\n  - id: A\n    severity: hgih\n", "wrong-value", 3, 15, "the nearest valid value is `high`"),
        ("rules:\n  - id: A\n    weight: x\n", "wrong-type", 3, 13, "write a whole number"),
        ("rules:\n  - id: 7\n", "wrong-type", 2, 9, "write text"),
        ("rules: {}\n", "wrong-type", 1, 8, "write a list"),
        (
            "rules:\n  - id: A\n    body: {kind: recuring}\n",
            "wrong-value",
            3,
            11,
            "the nearest valid value is `recurring`",
        ),
        ("rules:\n  - id: A\n    body: {kind: recurring}\n", "missing-key", 3, 11, "add `every:` here"),
        (
            "rules:\n  - id: A\n    by_name: {x: {within: a, fro: b}}\n",
            "unknown-key",
            3,
            30,
            "the nearest valid key is `from`",
        ),
        ("ruls: []\nrules: []\n", "unknown-key", 1, 1, "the nearest valid key is `rules`"),
        ("rules:\n  - id: A\n    zzz: 1\n", "unknown-key", 3, 5, "a valid key is one of `body`, `by_name`, `id`"),
    ],
)
def test_errors_of_pydantic_stand_where_they_are(text: str, code: str, line: int, column: int, help: str) -> None:
    (found,) = diagnose(text)
    assert (found.code, found.line, found.column) == (code, line, column)
    assert found.help is not None and found.help.startswith(help)


def test_union_members_are_skipped_in_locs() -> None:
    found = diagnose("rules:\n  - id: A\n    loose: {kind: recurring, evry: x}\n")
    unknown = [one for one in found if "`evry`" in one.message]
    assert {(one.line, one.column) for one in unknown} == {(3, 30)}
    assert "the nearest valid key is `every`" in {one.help for one in unknown}


def test_several_errors_are_all_reported() -> None:
    assert len(diagnose("rules:\n  - id: A\n    severity: x\n    weight: y\n  - {}\n")) == 3


@pytest.mark.parametrize(
    ("loc", "keys"),
    [
        ((), ["rules"]),
        (("rules", 0), ["body", "by_name", "id", "loose", "severity", "weight"]),
        (("rules", 0, "body", "recurring"), ["every", "kind"]),
        (("rules", 0, "body"), ["every", "from", "kind", "within"]),
        (("rules", 0, "loose", "Deadline"), ["from", "kind", "within"]),
        (("rules", 0, "by_name", "any"), ["from", "kind", "within"]),
        (("rules", 0, "id"), []),
    ],
)
def test_valid_keys(loc: tuple[str | int, ...], keys: list[str]) -> None:
    assert valid_keys(File, loc) == keys


def test_a_model_may_be_a_part_of_the_document() -> None:
    document = read(TEXT)
    with pytest.raises(ValidationError) as caught:
        Rule.model_validate(document.value["rules"][0])
    found = from_validation_error(document, caught.value, PATH, model=Rule, at=("rules", 0))
    assert ("unknown-key", 5, 5) in {(one.code, one.line, one.column) for one in found}


def test_a_diagnostic_within_a_text_value() -> None:
    document = read(TEXT)
    value = document.value["rules"][0]["when"]
    found = located(document, PATH, ("rules", 0, "when"), message="m", offset=value.index("b = 2"), length=5)
    assert found.render().splitlines()[1:] == ["        AND b = 2", "            ^^^^^"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("LAC-VIST", "the nearest valid rule is `LAC-VISIT`"),
        ("tal", "the nearest of 30 are `LAC-DENTAL`"),
        ("zz", "the nearest of 30 are `"),
    ],
)
def test_of_many_names_the_likest_are_said_and_no_list(word: str, said: str) -> None:
    names = ["LAC-VISIT", "LAC-DENTAL", *(f"FOS-{number:02}" for number in range(28))]
    answer = nearest_help(word, names, "rule")
    assert answer.startswith(said)
    assert answer.count("`") <= 6
