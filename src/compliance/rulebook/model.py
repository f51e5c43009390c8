"""The shape of a rule file: one small frozen model a rule kind.

Text fields called *condition* are SQL boolean expressions over the columns of the table or definition they speak of, *value* ones
SQL scalar expressions; `conditions.py` parses both. A *period* is words such as `45 working days`, or the name of a parameter.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from compliance.calendar import Duration
from compliance.errors import ComplianceError

Theme = Literal[
    "front_door",
    "child_in_need",
    "child_protection",
    "looked_after",
    "care_leavers",
    "permanence",
    "court",
    "fostering",
    "private_fostering",
    "workforce",
    "quality_assurance",
    "improvement_programme",
    "governance",
    "resources",
    "equality",
]
Standing = Literal[
    "statute",
    "regulation",
    "statutory_guidance",
    "national_minimum_standard",
    "inspection_framework",
    "sector_standard",
    "local_policy",
]
Severity = Literal["low", "medium", "high", "critical"]
Verified = Literal["text", "secondary", "recalled"]
Topic = Literal[
    "decision",
    "assessment",
    "visit",
    "plan",
    "review",
    "conference",
    "meeting",
    "health",
    "education",
    "placement",
    "allocation",
    "supervision",
    "caseload",
    "training",
    "check",
    "notice",
    "record",
    "panel",
    "contact",
    "missing",
    "court",
    "permanence",
    "programme",
    "governance",
    "finance",
    "data",
]
Kind = Literal["deadline", "recurring", "limit", "presence", "sequence", "measure", "escalation"]
ScopeType = Literal["authority", "service", "team", "worker", "child", "carer", "household", "item"]

SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
DUTY_KINDS: tuple[Kind, ...] = ("deadline", "recurring", "limit", "presence", "sequence")


def _identifier(text: str) -> bool:
    return text.replace("_", "a").isalnum() and not text[0].isdigit()


def _period(text: str) -> str:
    """The same text, when it is a duration or could be a parameter's name."""
    if not _identifier(text):
        try:
            Duration.parse(text)
        except ComplianceError as error:
            raise ValueError(f"{error.message}; {error.help}") from error
    return text


def _yaml_text(value: Any) -> Any:
    """Conditions such as `true` arrive from YAML as booleans; they are SQL text."""
    return str(value).lower() if isinstance(value, bool) else value


Period = Annotated[str, AfterValidator(_period)]
Condition = Annotated[str, BeforeValidator(_yaml_text)]
Value = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]
Bound = Annotated[str | float, Field(description="a number, or the name of a parameter")]


class Strict(BaseModel):
    """The base of every part of a rule file: unknown keys are refused and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


class Instrument(Strict):
    """A source of law or of standards, defined once and referred to by id."""

    id: str
    title: str
    number: str | None = None
    url: str | None = None
    in_force_from: datetime.date | None = None
    in_force_to: datetime.date | None = None
    note: str | None = None


class DatedValue(Strict):
    """What a parameter is from one day on (`to` included, where it ends before the next begins)."""

    from_: datetime.date = Field(alias="from")
    to: datetime.date | None = None
    value: str | float
    provision: str | None = None
    instrument: str | None = None
    note: str | None = None


class Parameter(Strict):
    """A dated, cited value that rules name. `tighter` says which way a local overlay may move it."""

    id: str = ""
    title: str | None = None
    tighter: Literal["smaller", "larger"] = "smaller"
    standing: Standing | None = None
    values: list[DatedValue]
    councils: dict[str, str | float] = Field(default_factory=dict, description="values that named councils publish")

    @field_validator("values", mode="before")
    @classmethod
    def _one_value(cls, values: Any) -> Any:
        """A single value may be written bare: it holds from 1990."""
        if isinstance(values, list):
            return values
        return [{"from": datetime.date(1990, 1, 1), "value": values}]


class Said(Strict):
    """A remark that an answer carries when its condition holds."""

    when: Condition
    says: str


class Exempt(Strict):
    """An exception: where its condition holds no duty is owed. `explain` names those that were tested."""

    title: str
    when: Condition
    provision: str | None = None


class Unknown(Strict):
    """A state of the data in which the duty cannot be decided."""

    when: Condition
    because: str


class Event(Strict):
    """The events that can meet a duty: rows of a table (or definition) that match the subject and qualify."""

    table: str = Field(alias="in")
    date: Value
    where: Condition | None = None
    match: list[str] | dict[str, str] | None = Field(None, description="equal columns, or {event column: subject column}")
    names: list[str] | dict[str, str] = Field(default_factory=list, description="equal where the event names one at all")
    after: Value | None = Field(None, description="`any`, or the first day that counts; the trigger when left out")
    until: Value | None = Field(None, description="the last day that counts; the end when left out")


class Exists(Strict):
    """A record that must exist: rows of a table that match the subject."""

    table: str = Field(alias="in")
    where: Condition | None = None
    match: list[str] | dict[str, str] | None = None
    names: list[str] | dict[str, str] = Field(default_factory=list)


class Computed(Strict):
    """A period whose length is a column: `{n: visit_interval_days, unit: days}`."""

    n: Value
    unit: Literal["days", "weeks", "months", "years", "working_days"]


class Variant(Strict):
    """Another period, or another day to count from, where its condition holds."""

    when: Condition
    within: Period | Computed | None = None
    trigger: Value | None = None
    title: str | None = None
    verified: Verified | None = Field(None, description="how far its own text was read, where less far than the rule's")


class Duty(Strict):
    """What every duty kind says: over which rows it is owed, what starts the clock, what ends it, and who answers for it."""

    of: str
    where: Condition | None = None
    key: list[str] | None = None
    subject: str | None = None
    trigger: Value
    ceases: Value | None = None
    exceptions: list[Exempt] = Field(default_factory=list)
    unknown: list[Unknown] = Field(default_factory=list)
    notes: list[Said] = Field(default_factory=list)
    relaxed: list[Relaxed] = Field(default_factory=list)
    worker: Value | None = None
    team: Value | None = None


class Deadline(Duty):
    """An event within a period of a trigger (`within`), or at least a period before it (`before`)."""

    within: Period | Computed | None = None
    before: Period | None = None
    beginning_with_the_day: bool = False
    variants: list[Variant] = Field(default_factory=list)
    done: Value | None = None
    event: Event | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Deadline:
        if (self.within is None) == (self.before is None):
            raise ValueError("exactly one of within and before is needed")
        if (self.done is None) == (self.event is None):
            raise ValueError("exactly one of done and event is needed")
        return self


class Phase(Strict):
    """How long a gap may be: the first gap, the second, or `every` other; the first phase whose conditions hold applies."""

    first: Period | Computed | None = None
    second: Period | Computed | None = None
    every: Period | Computed | None = None
    lasting: Period | None = Field(None, alias="for", description="counted from the start of the period")
    when: Condition | None = None
    title: str | None = None
    verified: Verified | None = Field(None, description="how far its own text was read, where less far than the rule's")

    @model_validator(mode="after")
    def _one_length(self) -> Phase:
        if sum(length is not None for length in (self.first, self.second, self.every)) != 1:
            raise ValueError("exactly one of first, second and every is needed")
        return self

    @property
    def length(self) -> str | Computed:
        """The longest gap this phase allows."""
        length = self.first or self.second or self.every
        assert length is not None
        return length


class Relaxed(Strict):
    """A stretch of days in which no duty fell due: one that would have falls due on its last day."""

    from_: datetime.date = Field(alias="from")
    to: datetime.date
    instrument: str
    provision: str | None = None


class Pause(Strict):
    """Days that do not count: rows of a table with a first and a last day (blank: still going on)."""

    table: str = Field(alias="in")
    start: str
    end: str
    match: list[str] | dict[str, str]
    where: Condition | None = None
    says: str = "clock paused by recorded absence"


class Recurring(Duty):
    """Events at most a period apart, over a span from `trigger` to `ceases`."""

    event: Event
    phases: list[Phase]
    counts_from_earlier: bool | Period = Field(
        False, description="the last event before the start (within this period) starts the first gap"
    )
    starts_with_first_event: bool = False
    pauses: Pause | None = None

    @model_validator(mode="after")
    def _has_every(self) -> Recurring:
        if not any(phase.every for phase in self.phases):
            raise ValueError("a phase with every is needed")
        return self


class Limit(Duty):
    """A measured value within a bound (`value`, `at_most` or `at_least`), or a state that lasts no longer than `within`."""

    value: Value | None = None
    at_most: Bound | None = None
    at_least: Bound | None = None
    looks_back: Period | None = Field(None, description="how long before the as-of day what it counts may lie")
    within: Period | Computed | None = None
    ends: Value | None = None
    variants: list[Variant] = Field(default_factory=list)
    settled: bool = False

    @model_validator(mode="after")
    def _one_form(self) -> Limit:
        if (self.value is None) == (self.within is None):
            raise ValueError("either value with at_most or at_least, or within with ends")
        if self.value is not None and (self.at_most is None) == (self.at_least is None):
            raise ValueError("exactly one of at_most and at_least goes with value")
        if self.within is not None and self.ends is None:
            raise ValueError("ends goes with within")
        return self


class Presence(Duty):
    """A record, a set of fields or a fact that must be there by the trigger (or within a period of it).

    `settled` says that the day itself decides: what was not so then cannot be put right.
    """

    within: Period | None = None
    fields: list[str] = Field(default_factory=list)
    holds: Condition | None = None
    exists: Exists | None = None
    settled: bool = False

    @model_validator(mode="after")
    def _something(self) -> Presence:
        if not self.fields and self.holds is None and self.exists is None:
            raise ValueError("one of fields, holds and exists is needed")
        return self


class Sequence(Duty):
    """Something that must come first: on or before the trigger, or strictly before it."""

    done: Value | None = None
    event: Event | None = None
    strictly: bool = False

    @model_validator(mode="after")
    def _one_first(self) -> Sequence:
        if (self.done is None) == (self.event is None):
            raise ValueError("exactly one of done and event is needed")
        return self


class Benchmark(Strict):
    """A published figure to set a measure beside."""

    area: str
    date: datetime.date
    value: float
    source: str


class Measure(Strict):
    """A number over a set: the sum of `numerator` over the sum of `denominator` (conditions count the rows where they hold).

    `of` is a rule id (its duties), a table or a definition.
    """

    of: str
    where: Condition | None = None
    date: Value | None = Field(None, description="must fall in the window; without one, the state on the day")
    window: Period | Literal["none"] = "none"
    looks_back: Period | None = Field(None, description="how long before the as-of day what a row counts may lie")
    numerator: Condition
    denominator: Condition | None = None
    unit: Literal["percent", "per_worker", "ratio", "count", "pounds", "days"] = "percent"
    better: Literal["higher", "lower"] = "higher"
    target: Bound | None = None
    by: list[Literal["service", "team", "worker"]] = Field(default_factory=list)
    worker: Value | None = None
    team: Value | None = None
    benchmarks: list[Benchmark] = Field(default_factory=list)


class Same(Strict):
    """An equality join: the property of an earlier pattern, written `name.property`."""

    same_as: str


class Compared(Strict):
    """A bound on an integer property; numbers or names of parameters."""

    at_least: Bound | None = None
    at_most: Bound | None = None
    not_: str | int | None = Field(None, alias="not")

    @model_validator(mode="after")
    def _something(self) -> Compared:
        if self.at_least is None and self.at_most is None and self.not_ is None:
            raise ValueError("one of at_least, at_most and not is needed")
        return self


Wanted = Same | Compared | str | int | list[str] | list[int]


class FactPattern(Strict):
    """A fact that must be there: its kind, the properties wanted of it, and a name for later patterns to join on."""

    fact: str
    name: str = Field(alias="as")
    where: dict[str, Wanted] = Field(default_factory=dict)


class Escalation(Strict):
    """What breaches and measures mean together: a conjunction of patterns that raises a risk."""

    when: list[FactPattern] = Field(min_length=1)
    scope: ScopeType
    scope_id: str = Field(description="`name.property` that gives the scope's id")
    likelihood: Bound
    impact: Bound
    rung: str
    owner: str | None = None
    reason: str = Field(description="words; {name.property} is filled in")
    consequence: str | None = None
    priority_action: str | None = None
    notice_measure: str | None = None


class Example(Strict):
    """A worked example: rows of tables, an as-of date, and the statuses expected (by subject and trigger) or the answer."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    title: str
    as_of: datetime.date
    expect: list[Any] | dict[str, Any] | None
    history: dict[str, Literal["full", "latest"]] = Field(default_factory=dict)
    without: list[str] = Field(default_factory=list, description="tables or table.columns that the data do not hold")
    facts: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The rows given, by table."""
        return dict(self.__pydantic_extra__ or {})


class Beside(Strict):
    """Another rule that can answer differently on the same duty, and why both stand."""

    rule: str
    because: str


class Doubted(Strict):
    """Duties that cannot be called a breach where the data lack something, or (with `says`) whose answer carries a remark."""

    lacks: str | list[str] = Field(description="a table or table.column, or several that are so alike")
    when: Condition = Field(description="over what is found: trigger_date, due_date, done_date, ceased_date, variant, gap, value")
    says: str | None = None

    @property
    def words(self) -> list[str]:
        """Each table or column that may be lacking."""
        return [self.lacks] if isinstance(self.lacks, str) else self.lacks


class Rule(Strict):
    """A declarative statement of one obligation, with its source, its parameters and its worked examples."""

    kinds: ClassVar[tuple[Kind, ...]] = (*DUTY_KINDS, "measure", "escalation")

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$")
    title: str
    instrument: str
    provision: str
    theme: Theme
    topic: Topic | None = Field(None, description="what kind of thing is owed; escalation rules join on it")
    standing: Standing
    severity: Severity = "medium"
    verified: Verified
    law: str = Field(description="the obligation in plain words")
    url: str | None = None
    obligations: list[str] = Field(default_factory=list)
    overlaps: list[Beside] = Field(default_factory=list, description="rules on the same duty that this one stands beside")
    corresponds: list[str] = Field(default_factory=list, description="codes of rules that users know, such as 8670Q")
    paragraphs: list[int] = Field(default_factory=list, description="paragraphs of the cabinet report")
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    optional: list[str] = Field(default_factory=list, description="tables or table.columns the rule can do without")
    needs: list[str] = Field(default_factory=list, description="what it cannot do without, beyond what it is seen to read")
    unsure_without: list[str | Doubted] = Field(
        default_factory=list, description="what it can do without, where a breach is then unknown"
    )
    reading: str | None = None
    deadline: Deadline | None = None
    recurring: Recurring | None = None
    limit: Limit | None = None
    presence: Presence | None = None
    sequence: Sequence | None = None
    measure: Measure | None = None
    escalation: Escalation | None = None
    examples: list[Example] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_kind(self) -> Rule:
        given = [kind for kind in self.kinds if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one kind is needed, of {', '.join(self.kinds)}; found {', '.join(given) or 'none'}")
        return self

    @property
    def kind(self) -> Kind:
        """Which of the seven kinds this rule is."""
        return next(kind for kind in self.kinds if getattr(self, kind) is not None)

    @property
    def unsure_of(self) -> list[str]:
        """The tables and columns without which a breach may be unknown."""
        given = ([one] if isinstance(one, str) else one.words for one in self.unsure_without)
        return [said for words in given for said in words]

    @property
    def is_duty(self) -> bool:
        """Whether the rule gives duties, and not measures or risks."""
        return self.kind in DUTY_KINDS

    @property
    def body(self) -> Deadline | Recurring | Limit | Presence | Sequence | Measure | Escalation:
        """The part that says what is owed."""
        body: Deadline | Recurring | Limit | Presence | Sequence | Measure | Escalation = getattr(self, self.kind)
        return body


class Definition(Strict):
    """A population that needs joins: a named, cited SQL view."""

    id: str
    title: str
    instrument: str | None = None
    provision: str | None = None
    describes: str
    key: list[str]
    subject: str | None = None
    history: list[str] = Field(default_factory=list, description="tables whose events it reads as a history")
    optional: list[str] = Field(default_factory=list)
    unsure_without: list[str] = Field(default_factory=list, description="what it can do without, where a breach is then unknown")
    sql: str


class ConflictRule(Strict):
    """A statement that two rules or measures answer differently; the register shows both."""

    id: str
    title: str
    says: str
    between: list[str] = Field(min_length=2)
    paragraph: int | None = None


DEFAULTS = ("instrument", "theme", "topic", "standing", "severity", "verified", "url", "provision")


class RuleFile(Strict):
    """One topic of one instrument: defaults for its rules, and any of instruments, parameters, definitions and rules."""

    instrument: str | None = None
    theme: Theme | None = None
    topic: Topic | None = None
    standing: Standing | None = None
    severity: Severity | None = None
    verified: Verified | None = None
    provision: str | None = None
    url: str | None = None
    title: str | None = None
    instruments: list[Instrument] = Field(default_factory=list)
    parameters: list[Parameter] = Field(default_factory=list)
    definitions: list[Definition] = Field(default_factory=list)
    rules: list[Rule] = Field(default_factory=list)
    conflicts: list[ConflictRule] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any) -> Any:
        """What the file says once is said for each of its rules."""
        if not isinstance(data, dict) or not isinstance(data.get("rules"), list):
            return data
        defaults = {name: data[name] for name in DEFAULTS if name in data}
        rules = [defaults | rule if isinstance(rule, dict) else rule for rule in data["rules"]]
        return data | {"rules": rules}
