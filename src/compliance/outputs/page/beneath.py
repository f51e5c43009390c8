"""What lies under a risk: other risks, breaches, and the numbers that it rests on with the breaches behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from compliance.duties.findings import Finding
from compliance.outputs.wording import fraction_words, spoken, value_words
from compliance.risks.assess import Risk
from compliance.rulebook.model import Measure, Rule

if TYPE_CHECKING:
    from compliance.outputs.published import Published


class Beneath:
    """The breaches of a run, ready to be asked what a risk rests on."""

    def __init__(self, published: Published) -> None:
        self.published = published
        self.risks = {one.id: one for one in published.register.risks}
        self.breaches = {one.id: one for one in published.findings if one.breach}
        self.measures = {
            f"{one.authority}/{one.rule.id}:{one.scope_type}:{one.scope_id}": one for one in published.measures
        }
        self.open: dict[tuple[str, str, str], list[Finding]] = {}
        for one in self.breaches.values():
            if one.breach == "open":
                for scope in _scopes(one):
                    self.open.setdefault((one.authority, *scope), []).append(one)

    def causes(self, one: Risk) -> list[Risk]:
        """The risks that it rests on."""
        return [self.risks[name] for name in one.because if name in self.risks]

    def findings(self, one: Risk) -> list[Finding]:
        """The breaches that it rests on, then the open ones that its numbers count."""
        found = [self.breaches[name] for name in one.because if name in self.breaches]
        for name in one.because:
            found += self._counted(one, name)
        return list({each.id: each for each in found}.values())

    def numbers(self, one: Risk) -> Iterator[str]:
        """The measures and tallies that it rests on, in words."""
        public, rules = self.published.public, self.published.run.rulebook.rules
        for name in one.because:
            what, scope, scope_id = self._parts(one, name)
            measure = self.measures.get(f"{one.authority}/{what}:{scope}:{scope_id}")
            if measure is not None:
                fraction = fraction_words(measure, public=public)
                value = value_words(measure, public=public)
                yield f"{measure.rule.title}: {value}" + (f" ({fraction})" if fraction else "")
            elif scope_id and not public:
                title = rules[what].title if what in rules else "every rule" if what == "all" else spoken(what)
                yield f"breaches counted for {scope} {scope_id}: {title}"

    def _parts(self, one: Risk, name: str) -> tuple[str, str, str]:
        what, _, rest = name.partition(":")
        scope, _, scope_id = rest.partition(":")
        return what, scope, scope_id.replace(f"{one.authority}/", "")

    def _counted(self, one: Risk, name: str) -> Iterable[Finding]:
        what, scope, scope_id = self._parts(one, name)
        rules = self.published.run.rulebook.rules
        body = rules[what].body if what in rules else None
        wanted = body.of if isinstance(body, Measure) else what
        found = self.open.get((one.authority, scope, scope_id), ())
        return [each for each in found if wanted in _names(each.rule)]


def _scopes(one: Finding) -> set[tuple[str, str]]:
    """The scopes whose tallies count a breach."""
    known = {
        "child": one.person_id,
        "carer": one.carer_id,
        "worker": one.worker_id,
        "team": one.team_id,
        "service": one.service,
        "authority": one.authority,
        one.subject_type: one.subject_id,
    }
    return {(scope, name) for scope, name in known.items() if name}


def _names(rule: Rule) -> tuple[str, str, str, str]:
    """What a tally of a rule's breaches may be called by: the rule, its topic within its theme, its theme, or all."""
    return rule.id, f"{rule.theme}/{rule.topic}", rule.theme, "all"
