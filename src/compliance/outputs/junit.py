"""JUnit: a suite a theme, a test case a rule; breaches are failures, rules that could not be evaluated are skipped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from compliance.duties.findings import Finding
from compliance.outputs.places import sentence
from compliance.rulebook.model import Rule

if TYPE_CHECKING:
    from compliance.outputs.published import Published

MOST_LISTED = 200
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written(published: Published) -> bytes:
    """The rules asked for as JUnit XML; with a baseline only new breaches fail."""
    breaches: dict[str, list[Finding]] = {}
    for one in published.new:
        breaches.setdefault(one.rule.id, []).append(one)
    left = {one.rule: one.reason for one in published.run.evaluation.not_evaluated}
    root = Element("testsuites", name="compliance")
    for theme, rules in groupby(sorted(published.rules, key=lambda rule: (rule.theme, rule.id)), key=lambda rule: rule.theme):
        _suite(root, theme, list(rules), breaches, left, published)
    _count(root, root.iter("testcase"))
    ElementTree.indent(root, " ")
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _suite(
    root: Element,
    theme: str,
    rules: list[Rule],
    breaches: dict[str, list[Finding]],
    left: dict[str, str],
    published: Published,
) -> None:
    suite = SubElement(root, "testsuite", name=theme)
    properties = SubElement(suite, "properties")
    run = published.run
    for name, value in (("as_of", str(run.as_of)), ("rule_pack", run.rulebook.digest), ("input", run.dataset.digest)):
        SubElement(properties, "property", name=name, value=value)
    for rule in rules:
        case = SubElement(suite, "testcase", classname=f"compliance.{theme}", name=_legal(f"{rule.id} {rule.title}"))
        if rule.id in left:
            SubElement(case, "skipped", message=_legal(f"not evaluated: {left[rule.id]}"))
        elif rule.id in breaches:
            _failure(case, breaches[rule.id])
    _count(suite, suite.iter("testcase"))


def _failure(case: Element, found: list[Finding]) -> None:
    """One failure that lists the rule's breaches."""
    still_open = sum(one.breach == "open" for one in found)
    words = f"{len(found)} breaches: {still_open} open, {len(found) - still_open} closed"
    lines = [f"{one.status:<7} {sentence(one)}  {one.id}" for one in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        lines.append(f"… {len(found) - MOST_LISTED} more: compliance check --rule {found[0].rule.id} --limit 0")
    failure = SubElement(case, "failure", message=words, type=found[0].rule.severity)
    failure.text = _legal("\n".join(lines))


def _count(element: Element, cases: Iterable[Element]) -> None:
    """The numbers of an element that holds test cases."""
    listed = list(cases)
    element.set("tests", str(len(listed)))
    element.set("failures", str(sum(case.find("failure") is not None for case in listed)))
    element.set("errors", "0")
    element.set("skipped", str(sum(case.find("skipped") is not None for case in listed)))


def _legal(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return NOT_XML.sub("�", text)
