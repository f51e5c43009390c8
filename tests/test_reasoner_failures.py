"""What can go wrong in the child, in the facts and between the evaluators: each time an EngineError says what."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from compliance.errors import EngineError
from compliance.risks.durable import DurableReasoner, why_unavailable
from compliance.risks.joins import JoinReasoner
from compliance.risks.patterns import Conjunction, Fact, Firing, Join, Pattern, Test
from compliance.risks.rounds import run_rounds

needs_durable = pytest.mark.skipif(why_unavailable() is not None, reason=why_unavailable() or "")
posix = pytest.mark.skipif(os.name != "posix", reason="a process group is stopped on POSIX only")

RULES = [Conjunction("ESC-1", 0, (Pattern("breach"), Pattern("breach", (), (Join("person", 0, "person"),))))]
PAIR: list[Fact] = [{"kind": "breach", "person": "C1"}, {"kind": "breach", "person": "C1"}]


def nothing(firings: list[Firing], number: int) -> list[Fact]:
    return []


def scripted(body: str) -> list[str]:
    """A stand-in for the child that reads the rules and one round, then does what the test wants."""
    script = f"""
import json, os, signal, struct, sys, time
def read():
    length, = struct.unpack('>I', sys.stdin.buffer.read(4))
    return json.loads(sys.stdin.buffer.read(length))
def answer(payload):
    sys.stdout.buffer.write(struct.pack('>I', len(payload)) + payload)
    sys.stdout.buffer.flush()
read(); message = read()
{body}
"""
    return [sys.executable, "-I", "-c", script]


@contextmanager
def started(command: Sequence[str] | None = None, seconds: float = 20) -> Iterator[DurableReasoner]:
    with DurableReasoner(command=command) as durable:
        durable.start(RULES, timeout_seconds=seconds)
        yield durable


# what the child does, what the message says
FAILURES = [
    ("os.kill(os.getpid(), signal.SIGKILL)", "durable-rules died with SIGKILL"),
    ("os.kill(os.getpid(), signal.SIGSEGV)", "durable-rules died with SIGSEGV"),
    ("sys.exit(7)", "durable-rules stopped with exit code 7 before it answered"),
    ("sys.exit('no memory\\x1b[31m')", "exit code 1 before it answered (no memory[31m)"),
    ("sys.exit(0)", "durable-rules stopped with exit code 0 before it answered"),
    ("answer(b'{')", "durable-rules gave an answer that is not JSON"),
    ("answer(b'[]')", "durable-rules gave an answer that is not an object"),
    ("answer(b'{}')", "durable-rules gave an answer of another shape"),
    (
        "print('Hello, I am a stray line', flush=True); time.sleep(60)",
        "durable-rules gave an answer of the wrong length",
    ),
    ('answer(b\'{"error": "MemoryError"}\')', "durable-rules failed: MemoryError"),
    (
        """answer(b'{"handled": 1, "not_handled": {}, "firings": []}')""",
        "durable-rules was sent 2 facts and accounted for 1",
    ),
    *(
        (f"""answer(b'{{"handled": 2, "not_handled": {{}}, "firings": [{row}]}}')""", "an answer of another shape")
        for row in (
            "[0, 1]",
            "[0, 1, 2]",
            "[1, 0, 1]",
            "[-1, 0, 1]",
            '[0, "0", 1]',
            "[0, 0.5, 1]",
            "[true, 0, 1]",
            "3",
            "[]",
        )
    ),
    ("sys.stdout.close(); os.close(1); time.sleep(60)", "durable-rules closed its answer and did not stop"),
]


@posix
@pytest.mark.parametrize(("body", "message"), FAILURES)
def test_a_failing_child_is_an_engine_error(body: str, message: str) -> None:
    with started(scripted(body)) as durable, JoinReasoner(RULES) as joins:
        with pytest.raises(EngineError) as failure:
            run_rounds(durable, joins, PAIR, nothing)
        assert message in failure.value.message
        assert failure.value.exit_code == 3
        with pytest.raises(EngineError, match="durable-rules cannot answer: it failed before"):
            durable.round([], 2)


@posix
def test_a_hung_child_is_stopped_with_all_it_started() -> None:
    body = "pid = os.fork()\nif pid: answer_pid = os.write(2, str(pid).encode())\ntime.sleep(600)"
    with started(scripted(body), seconds=1) as durable:
        process = durable._process
        assert process
        begun = time.monotonic()
        with pytest.raises(EngineError, match="durable-rules did not answer in 1 s"):
            durable.round(PAIR, 0)
        assert time.monotonic() - begun < 5
        assert _until(lambda: not _group_lives(process.pid))


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _until(condition: Callable[[], bool]) -> bool:
    """Whether the condition came true within five seconds."""
    for _ in range(100):
        if condition():
            return True
        time.sleep(0.05)
    return False


@posix
def test_a_child_that_never_reads_does_not_block_the_parent() -> None:
    command = [sys.executable, "-I", "-c", "import time; time.sleep(600)"]
    facts: list[Fact] = [{"kind": "breach", "person": f"C{number:0190d}"} for number in range(2_000)]
    with started(command, seconds=1) as durable, pytest.raises(EngineError, match="did not answer in 1 s"):
        durable.round(facts, 0)


@posix
def test_a_child_that_cannot_start_is_an_engine_error() -> None:
    with (
        pytest.raises(EngineError, match="durable-rules could not be started: No such file"),
        started(["/nowhere/python"]),
    ):
        pass


@needs_durable
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_the_real_child_killed_in_the_middle_of_a_round(number: signal.Signals) -> None:
    facts: list[Fact] = [{"kind": "breach", "person": f"C{number // 40}"} for number in range(40_000)]
    with started() as durable:
        process = durable._process
        assert process
        durable.round([], 0)
        killer = threading.Timer(0.4, process.send_signal, [number])
        killer.start()
        with pytest.raises(EngineError, match=f"durable-rules died with {number.name}"):
            durable.round(facts, 0)
        killer.join()


@needs_durable
def test_the_real_child_stopped_in_the_middle_of_a_round() -> None:
    with started(seconds=1) as durable:
        process = durable._process
        assert process
        durable.round([], 0)
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(EngineError, match="durable-rules did not answer in 1 s"):
            durable.round(PAIR, 0)
        assert process.returncode == -signal.SIGKILL


@needs_durable
def test_a_number_sent_twice_is_fatal_and_repeats_no_fact() -> None:
    with started() as durable:
        durable.round([{"kind": "breach", "person": "SECRET"}], 0)
        with pytest.raises(EngineError) as failure:
            durable.round([{"kind": "breach", "person": "SECRET"}], 0)
    assert failure.value.message == "durable-rules failed: MessageObservedException"


class Forgetful(JoinReasoner):
    """An SQL evaluation that loses its last firing."""

    def round(self, facts: Sequence[Fact], first_number: int) -> list[Firing]:
        return super().round(facts, first_number)[:-1]


class Doubling(JoinReasoner):
    """An SQL evaluation that finds each firing twice."""

    def round(self, facts: Sequence[Fact], first_number: int) -> list[Firing]:
        return super().round(facts, first_number) * 2


@needs_durable
@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        (Forgetful, "rule ESC-1 differ: durable-rules found 2, SQL found 1; for example branch 0 on facts"),
        (Doubling, "rule ESC-1 differ: durable-rules found 2, SQL found 4; for example branch 0 on facts 0, 1"),
    ],
)
def test_evaluators_that_differ_publish_nothing(evaluator: type[JoinReasoner], message: str) -> None:
    with started() as durable, evaluator(RULES) as joins, pytest.raises(EngineError) as failure:
        run_rounds(durable, joins, PAIR, nothing)
    assert message in failure.value.message


@needs_durable
def test_a_failing_sql_evaluation_does_not_wait_for_the_other() -> None:
    with started() as durable, JoinReasoner(RULES) as joins:
        joins.close()
        with pytest.raises(Exception, match="losed"):
            run_rounds(durable, joins, PAIR, nothing)
        assert durable._process is None


# Rounds.

LADDER = [
    Conjunction("START", 0, (Pattern("breach", (Test("days", ">", 10),)),)),
    *(
        Conjunction(
            "CLIMB",
            step,
            (Pattern("risk", (Test("rung", "=", step),)), Pattern("notice", (), (Join("rung", 0, "rung"),))),
        )
        for step in range(3)
    ),
]
NOTICES: list[Fact] = [{"kind": "notice", "rung": step} for step in range(3)]


def climb(firings: list[Firing], number: int) -> list[Fact]:
    return [{"kind": "risk", "rung": 0 if firing.rule == "START" else firing.branch + 1} for firing in firings]


@pytest.mark.parametrize("with_durable", [False, pytest.param(True, marks=needs_durable)])
def test_a_risk_raises_the_next_until_nothing_is_new(with_durable: bool) -> None:
    facts: list[Fact] = [{"kind": "breach", "days": 11}, {"kind": "breach", "days": 10}, *NOTICES]
    with DurableReasoner() as durable, JoinReasoner(LADDER) as joins:
        if with_durable:
            durable.start(LADDER, timeout_seconds=30)
        result = run_rounds(durable if with_durable else None, joins, facts, climb)
    assert result.firings == [
        Firing("START", 0, (0,)),
        Firing("CLIMB", 0, (5, 2)),
        Firing("CLIMB", 1, (6, 3)),
        Firing("CLIMB", 2, (7, 4)),
    ]
    assert result.facts[5:] == [{"kind": "risk", "rung": rung} for rung in range(4)]
    assert result.rounds == 5
    assert result.reconciliation.evaluators == (("durable-rules", "sql") if with_durable else ("sql",))
    assert ("the same 4 firings in 5 rounds" in result.reconciliation.note) is with_durable


def test_rules_that_never_settle_are_an_engine_error() -> None:
    rules = [Conjunction("AGAIN", 0, (Pattern("risk"),))]
    with JoinReasoner(rules) as joins, pytest.raises(EngineError) as failure:
        run_rounds(None, joins, [{"kind": "risk"}], lambda firings, number: [{"kind": "risk"}], max_rounds=7)
    assert failure.value.message == "escalation did not settle in 7 rounds: rule AGAIN still raises 1 new facts"


def test_a_derived_fact_is_checked_too() -> None:
    bad: list[Fact] = [{"kind": "risk", "id": 4}]
    with JoinReasoner(RULES) as joins, pytest.raises(EngineError, match="durable-rules keeps for itself"):
        run_rounds(None, joins, PAIR, lambda firings, number: bad)


def test_nothing_to_reason_on_is_an_empty_answer() -> None:
    with JoinReasoner([]) as joins:
        assert run_rounds(None, joins, [], nothing).firings == []


@needs_durable
def test_no_rules_leave_every_fact_unhandled() -> None:
    with DurableReasoner() as durable, JoinReasoner([]) as joins:
        durable.start([], timeout_seconds=30)
        assert run_rounds(durable, joins, PAIR, nothing).firings == []
