"""The child process that holds durable-rules; `durable.py` runs it as a file, so that none of this package is imported.

Messages on stdin and stdout are JSON behind four bytes of length. The first gives the rules; each one after it is a
round of facts, answered with its firings. Anything that durable-rules prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO

from durable import engine

RULESET = "escalation"


class QuietHost(engine.Host):  # type: ignore[misc]
    """A host without the two timer threads, which would call the C engine beside this one."""

    def _run(self) -> None:
        return


class Reasoner:
    """One ruleset, its facts so far, and the firings of the round."""

    def __init__(self, rules: list[list[dict[str, Any]]]) -> None:
        self.firings: list[list[int]] = []
        self.host = QuietHost()
        definition = {f"r{index}": self._rule(index, patterns) for index, patterns in enumerate(rules)}
        self.host.set_rulesets({RULESET: definition})

    def _rule(self, index: int, patterns: list[dict[str, Any]]) -> dict[str, Any]:
        names = [name for pattern in patterns for name in pattern]

        def record(closure: Any) -> None:
            facts = closure._m
            self.firings.append([index, *(int(facts[name]["id"]) for name in names)])

        return {"all": patterns, "run": record}

    def round(self, number: int, facts: list[dict[str, str | int]]) -> dict[str, Any]:
        """The firings that the facts of this round complete, and how many facts no pattern matched, by kind."""
        self.firings = []
        handled = 0
        not_handled: dict[str, int] = {}
        for fact in facts:
            fact["id"] = f"{number:09d}"
            number += 1
            try:
                self.host.assert_fact(RULESET, fact)
                handled += 1
            except engine.MessageNotHandledException:
                kind = str(fact["kind"])
                not_handled[kind] = not_handled.get(kind, 0) + 1
        self._check(len(facts), handled + sum(not_handled.values()))
        return {"handled": handled, "not_handled": not_handled, "firings": self.firings}

    def _check(self, sent: int, accounted: int) -> None:
        if sent != accounted:
            raise RuntimeError(f"{sent} facts were sent and {accounted} accounted for")
        if sent and "exception" in self.host.get_state(RULESET, None):
            raise RuntimeError("an action raised an exception")


def read(stream: BinaryIO) -> Any:
    """The next message, or None when the parent has closed its end."""
    header = stream.read(4)
    if len(header) < 4:
        return None
    (length,) = struct.unpack(">I", header)
    return json.loads(stream.read(length))


def write(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Nothing; the message is sent whole."""
    payload = json.dumps(message).encode()
    stream.write(struct.pack(">I", len(payload)) + payload)
    stream.flush()


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Nothing, once the parent has no more rounds."""
    first = read(source)
    if first is None:
        return
    reasoner = Reasoner(first["rules"])
    while (message := read(source)) is not None:
        signal.alarm(message["seconds"])  # the parent's limit comes first; this one is for a parent that has died
        write(sink, reasoner.round(message["first"], message["facts"]))
        signal.alarm(0)


def main() -> int:
    """The exit code: 0 when the parent closed the conversation, 1 after an error that was reported to it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold children's data
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(sys.stdin.buffer, sink)
    except Exception as error:
        # A message of MessageObservedException and its like repeats the fact: only its type is passed on.
        text = str(error) if isinstance(error, RuntimeError) else ""
        write(sink, {"error": f"{type(error).__name__}{': ' if text else ''}{text[:200]}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
