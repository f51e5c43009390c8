"""The risk register on one screen: where the council stands, the highest risks and why, the measures, and what falls due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rich.console import Console
from rich.text import Text

from compliance.outputs.screen import AMBER, BAND_STYLES, TALL, WIDE, assembled, beside, fitted, height, number_of, row
from compliance.outputs.sparkline import sparkline
from compliance.outputs.terminal import BAND_GLYPHS, PLURALS
from compliance.register.merge import Standing
from compliance.register.register import LadderState, MeasureValue, PriorityAction, Register
from compliance.risks.assess import Risk
from compliance.rulebook.model import Benchmark, Measure

FEWEST_KINDS = 5
DIRECTIONS = {"new": "+ new", "rising": "↑ rising", "falling": "↓ falling", "level": "= level"}
Section = Callable[[Console], None]


def print_register(console: Console, found: Register, *, top: int | None = None, full: bool = False) -> None:
    """One screen for the Director: as many kinds of risk as there is room for, or `top`; with `full` everything, however long."""
    before: list[Section] = [partial(_heading, found=found), partial(_ladder, found=found), partial(_actions, found=found)]
    after: list[Section] = [
        partial(_decided, found=found, full=full),
        partial(_measures, found=found, full=full),
        partial(_due_soon, found=found, full=full),
        partial(_conflicts, found=found, full=full),
        partial(_confidence, found=found, full=full),
    ]
    room = TALL + 2 - sum(height(console, section) for section in [*before, *after])
    risks: Section = partial(_risks, found=found, room=room, top=top, full=full)
    for section in [*before, risks, *after]:
        section(console)


def _heading(console: Console, found: Register) -> None:
    run, state = found.run, found.ladder
    names = ", ".join(one.name for one in run.dataset.authorities[:3])
    fitted(console, "", assembled(("Risk register ", "bold"), (names, "bold"), f" · as of {run.as_of}"))
    clock = []
    if state.notice_date:
        clock.append(f"day {(run.as_of - state.notice_date).days:,} since the notice of {state.notice_date}")
    if state.target_date:
        left = (state.target_date - run.as_of).days
        clock.append(f"{number_of(abs(left), 'day')} {'to' if left >= 0 else 'past'} {state.target_date}")
    if clock:
        fitted(console, "  ", " · ".join(clock))


def _ladder(console: Console, found: Register) -> None:
    state: LadderState = found.ladder
    fitted(console, "", ("Intervention", "bold"))
    for stage in state.stages:
        if stage.id == "none" and not stage.is_current:
            continue
        mark = "▶ now" if stage.is_current else "● was" if stage.reached else "○    "
        here = f" · in force since {stage.reached}" if stage.is_current and stage.reached else ""
        point = "points" if stage.warned_by == 1 else "point"
        warned = f" · {number_of(stage.warned_by, 'risk')} {point} here" if stage.warned_by else ""
        title = (stage.title, "bold" if stage.is_current else "")
        fitted(console, f"  {mark} ", assembled(title, here, (warned, AMBER)))
    fitted(console, "    why ", state.why, most=2)


def _actions(console: Console, found: Register) -> None:
    if found.priority_actions:
        fitted(console, "", ("Ofsted priority actions", "bold"))
    for one in found.priority_actions:
        mark, state = _action_state(one, found)
        risks = len(one.risks)
        bear = f" · {number_of(risks, 'risk')} {'bears' if risks == 1 else 'bear'} on it" if risks else ""
        told = assembled((state, "dim"), (bear, AMBER))
        if console.width < WIDE:
            beside(console, f"  {mark} ", one.title, told)
        else:
            fitted(console, f"  {mark} ", Text.assemble(told, ": ", one.title), most=1)


def _action_state(one: PriorityAction, found: Register) -> tuple[str, str]:
    """The mark of a priority action, and its state with its date."""
    due = f", due {one.due_date}" if one.due_date else ""
    if one.completed_date:
        return "✓", f"completed {one.completed_date}"
    past = bool(one.due_date and one.due_date < found.run.as_of)
    return ("✗" if past else "…"), f"{one.status.replace('_', ' ')}{due}{', past its date' if past else ''}"


def _risks(console: Console, found: Register, room: int, top: int | None, full: bool) -> None:
    """The kinds of risk, the highest first, as many as there is room for, and how many more there are."""
    kinds: dict[str, list[Risk]] = {}
    for one in found.risks:
        kinds.setdefault(one.rule.id, []).append(one)
    if not kinds:
        fitted(console, "", ("No risks were raised", "bold"))
        return
    listed = list(kinds.values())
    shown = listed if full else listed[:top] if top else _that_fit(console, listed, found, room - 2)
    told = f"  {number_of(len(found.risks), 'risk')} of {number_of(len(kinds), 'kind')}, the highest first"
    fitted(console, "", assembled(("Risks", "bold"), told))
    for kind in shown:
        _kind(console, kind, found)
        for one in kind[1:] if full else ():
            row(console, " " * 16, assembled((f"{one.scope_type} {one.scope_id}: {one.reason}", "dim")), (one.id, "dim"))
    if len(shown) < len(listed):
        fitted(console, "  ", (f"… {number_of(len(listed) - len(shown), 'more kind')}: --full, or --top {len(listed)}", "dim"))


def _that_fit(console: Console, kinds: Sequence[list[Risk]], found: Register, room: int) -> Sequence[list[Risk]]:
    for number, kind in enumerate(kinds):
        room -= height(console, partial(_kind, kind=kind, found=found))
        if room < 0 and number >= FEWEST_KINDS:
            return kinds[:number]
    return kinds


def _kind(console: Console, kind: Sequence[Risk], found: Register) -> None:
    """One kind of risk: score, band and title; below it whom it concerns, who must act, and why the first was raised."""
    first = kind[0]
    style = BAND_STYLES.get(first.band, "")
    head = assembled((f"  {BAND_GLYPHS.get(first.band, ' ')} {first.score:>2} {first.band:<8} ", style))
    told = assembled(f"{_whom(kind)} → {_rung(first, found)}{_travel(found.standings.get(first.id))}: ", _why(kind))
    told.stylize("dim")
    fitted(console, head, first.title, most=2)
    row(console, " " * head.cell_len, told, (first.id, "dim") if console.width >= WIDE else "")


def _whom(kind: Sequence[Risk]) -> str:
    first = kind[0]
    if len(kind) > 1:
        return f"{len(kind)} {PLURALS.get(first.scope_type, first.scope_type)}"
    return "the council" if first.scope_type == "authority" else f"{first.scope_type} {first.scope_id}"


def _rung(one: Risk, found: Register) -> str:
    """Who must act, by the ladder's name for it."""
    ladder = found.run.ladder
    return ladder.rung(ladder.rank(one.rung)).title


def _why(kind: Sequence[Risk]) -> str:
    first = kind[0]
    return first.reason if len(kind) == 1 else f"{first.scope_type} {first.scope_id}, {first.reason}"


def _travel(standing: Standing | None) -> str:
    """The direction since earlier runs, with the scores as small bars, where there were any."""
    if standing is None or standing.direction is None:
        return ""
    bars = sparkline([*standing.previous_scores, standing.current.score]) if standing.previous_scores else ""
    return f" · {DIRECTIONS[standing.direction]} {bars}".rstrip()


def _decided(console: Console, found: Register, full: bool) -> None:
    """The risks about which people decided something: score as raised, now and wanted, owner, actions and review."""
    decided = [one for one in found.standings.values() if one.decision is not None or one.waived is not None]
    if not decided:
        return
    fitted(console, "", assembled(("Decided", "bold"), f"  {len(decided)} of {number_of(len(found.standings), 'risk')}"))
    for one in decided if full else decided[:4]:
        scope = "the council" if one.risk.scope_type == "authority" else f"{one.risk.scope_type} {one.risk.scope_id}"
        scores = " → ".join(str(each.score) for each in (one.inherent, one.current, one.target) if each is not None)
        head = f"  {BAND_GLYPHS.get(one.current.band, ' ')} {scores}  "
        fitted(console, head, assembled(f"{one.event}, {scope}", (_decision_words(one, found), "dim")), hang=4, most=2)
    _more(console, 0 if full else len(decided) - 4, "risk")


def _decision_words(one: Standing, found: Register) -> str:
    decision = one.decision
    parts = [one.owner or "no owner"]
    if decision is not None:
        late = sum(action.done is None and action.due < found.run.as_of for action in decision.actions)
        parts += [f"{number_of(len(decision.actions), 'action')}, {late} late"] if decision.actions else []
        parts += [decision.treatment] if decision.treatment else []
        review = decision.next_review
        parts += [f"review {review}{' is past' if review < found.run.as_of else ''}"] if review else []
    parts += [f"waived until {one.waived.expires}"] if one.waived else []
    return f" · {' · '.join(parts)}"


def _more(console: Console, count: int, what: str) -> None:
    if count > 0:
        fitted(console, "  ", (f"… {number_of(count, f'more {what}')}: --full", "dim"))


def plain(number: float) -> str:
    """A number with thousands marked and no needless decimals."""
    return f"{number:,.0f}" if number == round(number) else f"{number:,.1f}"


def _body(one: MeasureValue) -> Measure:
    body = one.rule.body
    assert isinstance(body, Measure)
    return body


def _measures(console: Console, found: Register, full: bool) -> None:
    """The measures that published figures can be set beside, those worse than England first, and how many more there are."""
    values = [one for one in found.measures if one.scope_type == "authority" and one.value is not None]
    known = {id(one): _comparators(one, found) for one in values}
    compared = sorted((one for one in values if known[id(one)]), key=lambda one: not _is_worse(one, known[id(one)]))
    most = 3 if console.width < WIDE else 6
    shown = [*compared, *(one for one in values if not known[id(one)])] if full else compared[:most]
    if values:
        fitted(console, "", assembled(("Measures", "bold"), "" if shown else "  none has a published figure to set beside it"))
    for one in shown:
        head = assembled((f"  {_value(one):>7}  ", "bold"))
        beside(console, head, one.rule.title, _published(one, known[id(one)], full), most=None if full else 1)
    _more(console, len(values) - len(shown), "measure")


def _value(one: MeasureValue) -> str:
    match _body(one).unit:
        case "percent":
            return f"{one.value:.1f}%"
        case "count":
            return plain(one.numerator)
        case _:
            return f"{one.value:.1f}"


def _comparators(one: MeasureValue, found: Register) -> dict[str, Benchmark]:
    """The newest published figure of each area up to the day; of a count only the council's own."""
    body = _body(one)
    dated = [each for each in sorted(body.benchmarks, key=lambda each: each.date) if each.date <= found.run.as_of]
    newest = {each.area.capitalize(): each for each in dated}
    return {area: each for area, each in sorted(newest.items()) if body.unit != "count" or area != "England"}


def _is_worse(one: MeasureValue, known: dict[str, Benchmark]) -> bool:
    england = known.get("England")
    if england is None or one.value is None:
        return False
    return one.value < england.value if _body(one).better == "higher" else one.value > england.value


def _published(one: MeasureValue, known: dict[str, Benchmark], full: bool) -> Text:
    """The fraction, then the published figures and whether the council does worse than England; others only with `full`."""
    shown = known if full or "England" not in known else {"England": known["England"]}
    word = "✗ worse than " if _is_worse(one, known) else "✓ no worse than "
    words = {area: word if area == "England" else "published: " for area in shown}
    parts = [f"{words[area]}{area} {each.value:g} ({each.date.year})" for area, each in shown.items()]
    fraction = f"({plain(one.numerator)} of {plain(one.denominator)})  " if _body(one).unit != "count" else ""
    return assembled(fraction, (", ".join(parts), "dim"))


def _due_soon(console: Console, found: Register, full: bool) -> None:
    total = sum(one.count for one in found.due_soon)
    week = sum(one.within_7_days for one in found.due_soon)
    told = f"  {number_of(total, 'duty', 'duties')}, {week:,} of them within 7 days"
    fitted(console, "", assembled(("Due in 30 days", "bold"), told))
    ordered = sorted(found.due_soon, key=lambda each: (-each.count, each.rule.id))
    shown = ordered if full else ordered[: 3 if console.width < WIDE else 4]
    for one in shown:
        tail = assembled((f"first {one.first} · {one.rule.id}" if full else one.rule.id, "dim"))
        beside(console, f"  {one.count:>7,}  ", one.rule.title, tail, most=None if full else 1)
    _more(console, len(ordered) - len(shown), "rule")


def _conflicts(console: Console, found: Register, full: bool) -> None:
    if not found.conflicts:
        return
    told = f"  {number_of(len(found.conflicts), 'matter')}" + ("" if full else ": --full")
    fitted(console, "", assembled(("Read or measured in two ways", "bold"), told))
    for one in found.conflicts if full else ():
        answers = "; ".join(f"{name}: {answer}" for name, answer in one.answers)
        fitted(console, "  ≠ ", f"{one.rule.title}: {answers}")


def _confidence(console: Console, found: Register, full: bool) -> None:
    evaluated = sum(one.evaluated for one in found.confidence)
    rules = sum(one.rules for one in found.confidence)
    unknown = sum(one.unknown for one in found.confidence)
    told = f"  {evaluated} of {number_of(rules, 'duty rule')} evaluated, {number_of(unknown, 'duty', 'duties')} unknown"
    fitted(console, "", assembled(("Confidence in the data", "bold"), told))
    for word in ("low", "medium"):
        themes = [one.theme.replace("_", " ") for one in found.confidence if one.word == word]
        if themes:
            fitted(console, f"  {word:<6}  ", ", ".join(themes), most=None if full else 2)
    unread = sum(one.unread_law for one in found.confidence)
    if unread:
        words = f"law not read in full for {unread} of {number_of(rules, 'rule')}: `rules show ID` says how"
        fitted(console, "  ", (words, "dim"))

