"""Several statements at a time: at one authority's size most of a query is its planning, which DuckDB does on one core."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import duckdb

AHEAD = 2
"""How many tasks a cursor is given at a time, so that it need not wait for the next."""


@dataclass(frozen=True, eq=False)
class Task:
    """A piece of work for one cursor, what it makes, and what has to be made before it."""

    work: Callable[[duckdb.DuckDBPyConnection], None]
    makes: str | None = None
    after: frozenset[str] = frozenset()


class Cursors:
    """Cursors of one connection, each in a thread of its own; a single one is the connection itself."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, number: int) -> None:
        self.connection, self.number = connection, number
        self.idle: queue.SimpleQueue[duckdb.DuckDBPyConnection] = queue.SimpleQueue()
        self.pool = ThreadPoolExecutor(number)

    def __enter__(self) -> Cursors:
        day = self.connection.execute("SELECT getvariable('as_of')").fetchone()
        for _ in range(self.number if self.number > 1 else 0):
            cursor = self.connection.cursor()
            cursor.execute(f"SET VARIABLE as_of = DATE '{day[0] if day else ''}'")
            self.idle.put(cursor)
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown(cancel_futures=True)
        while not self.idle.empty():
            self.idle.get().close()

    def each(self, tasks: Iterable[Task]) -> None:
        """Does every task, each after those that make what it needs, as many at a time as there are cursors.

        They are given in an order in which they could be done one by one. Raises the first error.
        """
        if self.number == 1:
            for task in tasks:
                task.work(self.connection)
            return
        left, running = _Left(tasks), dict[Future[None], Task]()
        while running or left.ready:
            for task in left.take(AHEAD * self.number - len(running)):
                running[self.pool.submit(self._one, task)] = task
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                done.result()
                left.make(running.pop(done))

    def _one(self, task: Task) -> None:
        cursor = self.idle.get()
        try:
            task.work(cursor)
        finally:
            self.idle.put(cursor)


class _Left:
    """The tasks not begun: those that are ready, and those that wait for something to be made."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        tasks = tuple(tasks)
        made_here = {task.makes for task in tasks if task.makes}
        self.missing = {task: set(task.after & made_here) for task in tasks}
        self.wanting: dict[str, list[Task]] = {}
        for task, names in self.missing.items():
            for name in names:
                self.wanting.setdefault(name, []).append(task)
        self.ready = deque(task for task, names in self.missing.items() if not names)

    def take(self, number: int) -> Iterator[Task]:
        """The next tasks that are ready, at most so many."""
        while number > 0 and self.ready:
            number -= 1
            yield self.ready.popleft()

    def make(self, task: Task) -> None:
        """Notes that a task is done; those that it made ready and on which others wait go first."""
        if task.makes is None:
            return
        for other in self.wanting.pop(task.makes, ()):
            self.missing[other].discard(task.makes)
            if not self.missing[other]:
                (self.ready.appendleft if other.makes else self.ready.append)(other)
