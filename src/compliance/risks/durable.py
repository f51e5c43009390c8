"""durable-rules in a child process: a crash, a hang or a wrong answer there becomes an EngineError here."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import selectors
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Self

from compliance.errors import EngineError
from compliance.risks.patterns import (
    MOST_FACTS,
    SAME,
    Conjunction,
    Fact,
    Firing,
    Term,
    Value,
    alias,
    check_limits,
    plain_text,
    properties_read,
    terms,
)

_OPERATORS = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "present": "$ex"}
_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
_ESCAPES = str.maketrans({"%": "%25", '"': "%22", "\\": "%5c"})
_LONGEST_ANSWER = 2**30 - 1  # four letters read as a length are more than this
_NEVER = "the engine was not started"


def child_command() -> tuple[str, ...]:
    """The command that starts the child: this Python, isolated, on the file beside this one."""
    return (sys.executable, "-I", str(Path(__file__).resolve().with_name("durable_child.py")))


def why_unavailable() -> str | None:
    """Why durable-rules cannot run here, in words for the manifest; None when it can."""
    if sys.version_info >= (3, 13):
        return "durable-rules does not import on Python 3.13 and later"
    if os.name != "posix":
        return "durable-rules is run only where a process group can be stopped"
    if not (importlib.util.find_spec("durable") and importlib.util.find_spec("durable_rules_engine")):
        return "durable-rules is not installed"
    return None


def available() -> bool:
    """Whether durable-rules can run here."""
    return why_unavailable() is None


class DurableReasoner:
    """The conjunctions held by durable-rules, round after round; closed for good by any failure."""

    def __init__(self, *, command: Sequence[str] | None = None) -> None:
        self._command = tuple(command) if command else child_command()
        self._process: subprocess.Popen[bytes] | None = None
        self._failure = _NEVER

    def start(self, conjunctions: Sequence[Conjunction], *, timeout_seconds: float) -> None:
        """Nothing; the child starts and takes the rules while the caller works on. The limit is for each round."""
        check_limits(conjunctions)
        self._conjunctions = tuple(conjunctions)
        self._properties = properties_read(conjunctions)
        self._timeout = timeout_seconds
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = _spawn(self._command, self._stderr)
        self._outgoing = _framed({"rules": ruleset(conjunctions)})
        self._write()

    def round(self, facts: Sequence[Fact], first_number: int) -> list[Firing]:
        """The firings that these facts, numbered from the first, complete alone or with those of earlier rounds."""
        if self._process is None:
            raise EngineError(f"durable-rules cannot answer: {self._failure}")
        if first_number + len(facts) > MOST_FACTS:
            raise EngineError(f"more than {MOST_FACTS:,} facts to reason on", help="run one authority at a time")
        sent = [self._sent(fact) for fact in facts]
        self._outgoing += _framed({"first": first_number, "seconds": math.ceil(self._timeout) + 5, "facts": sent})
        try:
            return self._firings(self._answer(), sent, first_number + len(facts))
        except EngineError as error:
            self._failure = f"it failed before ({error.message})"
            self.close()
            raise

    def close(self) -> None:
        """Nothing; the child and all it started are gone."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._failure == _NEVER:
            self._failure = "it was closed"
        _kill(process)
        self._stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _sent(self, fact: Fact) -> dict[str, Value]:
        kind = str(fact["kind"])
        sent = {name: encoded(fact[name]) for name in self._properties.get(kind, ()) if name in fact}
        return {"kind": encoded(kind), SAME: 1, **sent}

    def _write(self) -> None:
        """Send what the pipe takes now; the rest goes with the next round."""
        assert self._process and self._process.stdin
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            while self._outgoing:
                self._outgoing = self._outgoing[os.write(self._process.stdin.fileno(), self._outgoing[:65536]) :]

    def _answer(self) -> dict[str, Any]:
        payload = self._exchange()
        try:
            answer = json.loads(payload)
        except ValueError as error:
            raise EngineError("durable-rules gave an answer that is not JSON") from error
        if not isinstance(answer, dict):
            raise EngineError("durable-rules gave an answer that is not an object")
        if "error" in answer:
            raise EngineError(f"durable-rules failed: {plain_text(str(answer['error']))[:300]}")
        return answer

    def _exchange(self) -> bytes:
        """The next answer's bytes, while the outgoing ones are written as the child takes them."""
        process = self._process
        assert process and process.stdin and process.stdout
        received = bytearray()
        outgoing, self._outgoing = memoryview(self._outgoing), b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            selector.register(process.stdin, selectors.EVENT_WRITE)
            for ready in self._ready(selector, time.monotonic() + self._timeout):
                if ready is process.stdin:
                    outgoing = _some_written(process.stdin.fileno(), outgoing)
                    if not outgoing:
                        selector.unregister(process.stdin)
                    continue
                chunk = os.read(process.stdout.fileno(), 1 << 20)
                received += chunk
                if not chunk:
                    raise EngineError(self._how_it_ended(process))
                if _is_whole(received):
                    break
        return bytes(received[4:])

    def _ready(self, selector: selectors.BaseSelector, deadline: float) -> Iterator[Any]:
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                yield key.fileobj
        raise EngineError(
            f"durable-rules did not answer in {self._timeout:g} s",
            help="nothing is published; run again with a longer time limit, or one authority at a time",
        )

    def _how_it_ended(self, process: subprocess.Popen[bytes]) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        code = process.returncode
        if code is None:
            return "durable-rules closed its answer and did not stop"
        if code < 0:
            return f"durable-rules died with {_signal_name(-code)}"
        return f"durable-rules stopped with exit code {code} before it answered{self._last_words()}"

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f" ({plain_text(lines[-1])[:200]})" if lines else ""

    def _firings(self, answer: dict[str, Any], sent: Sequence[dict[str, Value]], known: int) -> list[Firing]:
        try:
            handled, not_handled, found = answer["handled"], answer["not_handled"], answer["firings"]
            accounted = handled + sum(not_handled.values())
            firings = [self._firing(*row, known=known) for row in found]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise EngineError("durable-rules gave an answer of another shape") from error
        if accounted != len(sent):
            raise EngineError(f"durable-rules was sent {len(sent)} facts and accounted for {accounted}")
        return firings

    def _firing(self, index: int, *facts: int, known: int) -> Firing:
        if type(index) is not int or index < 0 or not all(type(fact) is int and 0 <= fact < known for fact in facts):
            raise ValueError("not a firing")
        conjunction = self._conjunctions[index]
        if len(facts) != len(conjunction.patterns):
            raise ValueError("not a firing of this rule")
        return Firing(conjunction.rule, conjunction.branch, facts)


def ruleset(conjunctions: Sequence[Conjunction]) -> list[list[dict[str, Any]]]:
    """The rules in durable-rules' own JSON form: for each conjunction, a condition under each pattern's alias."""
    return [
        [
            {alias(index, position): {"$and": [_condition(term) for term in terms(conjunction, index, position)]}}
            for position in range(len(conjunction.patterns))
        ]
        for index, conjunction in enumerate(conjunctions)
    ]


def encoded(value: Value) -> Value:
    """The value as durable-rules compares it exactly: a text behind a colon and without anything that JSON escapes.

    durable-rules compares a text and a number by their characters, some of them uninitialised. The colon sorts after
    every digit and the minus, so that such a comparison is decided by the first character.
    """
    return f":{value.translate(_ESCAPES)}" if isinstance(value, str) else value


def _condition(term: Term) -> dict[str, Any]:
    if term.op == "join":
        return {term.property: {term.alias: term.value}}
    if term.op == "=":
        return {term.property: encoded(term.value)}
    return {_OPERATORS[term.op]: {term.property: encoded(term.value)}}


def _spawn(command: Sequence[str], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=0,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(f"durable-rules could not be started: {error.strerror}") from error
    assert process.stdin and process.stdout
    os.set_blocking(process.stdin.fileno(), False)
    os.set_blocking(process.stdout.fileno(), False)
    return process


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()


def _framed(message: dict[str, Any]) -> bytes:
    payload = json.dumps(message, ensure_ascii=False).encode()
    return struct.pack(">I", len(payload)) + payload


def _some_written(descriptor: int, outgoing: memoryview) -> memoryview:
    """What is left to write; nothing when the child no longer reads, since its end will say why."""
    try:
        return outgoing[os.write(descriptor, outgoing[: 1 << 16]) :] if outgoing else outgoing
    except BlockingIOError:
        return outgoing
    except BrokenPipeError:
        return outgoing[:0]


def _is_whole(received: bytearray) -> bool:
    if len(received) < 4:
        return False
    (length,) = struct.unpack_from(">I", received)
    if length > _LONGEST_ANSWER or len(received) > 4 + length:
        raise EngineError("durable-rules gave an answer of the wrong length")
    return len(received) == 4 + int(length)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
