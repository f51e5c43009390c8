"""How the clean tables of the Standard Safeguarding Dataset fill the canonical ones, as `ssd.yaml` says, in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from duckdb import DuckDBPyConnection

from compliance.calendar import subtract
from compliance.dataset.coverage import covering
from compliance.dataset.ingest import History, Remark, Staged
from compliance.dataset.schema import Schema
from compliance.dataset.values import name, quoted
from compliance.sources.reader import Source
from compliance.sources.ssd_cleaning import Kept, rows_in_words
from compliance.sources.ssd_mapping import PERIOD_FIELDS, Filling, mapping

EPISODES, STATUSES = "ssd_cla_episodes", "ssd_legal_status"


@dataclass(frozen=True)
class _Part:
    """SQL for a value, and the joins that it needs."""

    value: str
    joins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Staging:
    """The clean tables of one source on their way into canonical ones."""

    connection: DuckDBPyConnection
    source: Source
    schema: Schema
    kept: tuple[Kept, ...]

    def staged(self) -> list[Staged]:
        """A staged relation for each table and filling, and the periods of care."""
        self._create_names()
        own = replace(self, kept=tuple(map(self._resolved, self.kept)))
        return [each for kept in own.kept for each in own._fillings_of(kept)] + list(own._care_periods())

    def _fillings_of(self, kept: Kept) -> list[Staged]:
        """What one table fills; the first relation carries what there is to say of the table, and its refused lines."""
        staged: list[Staged] = []
        said, refused = list(kept.notices), kept.held.refused
        for filling in (each for each in mapping().fillings if each.of == kept.held.table.name):
            if lacking := self._lacking(filling, kept):
                said.append(Remark(None, lacking, None, f"not there or not known, so {filling.table} is not filled from here"))
            else:
                filled = self._filled(filling, kept, refused)
                if filled.history == "latest" and not filled.read:
                    said.append(Remark(None, filling.table, None, "no row tells anything of it"))
                    continue
                staged.append(filled)
                refused = ()
        if staged:
            staged[0] = replace(staged[0], notices=(*said, *staged[0].notices))
        return staged

    def all(self, table: str, fields: Sequence[str]) -> str | None:
        """The relation of every row of a table with these fields, None where there is none."""
        found = [each.relation for each in self.kept if each.held.table.name == table and set(fields) <= each.fields]
        columns = ", ".join(map(name, fields))
        return f"({' UNION ALL '.join(f'SELECT {columns} FROM {each}' for each in found)})" if found else None

    def _filled(self, filling: Filling, kept: Kept, refused: tuple[Remark, ...]) -> Staged:
        parts = {column: self._sql(several, kept, column) for column, several in filling.columns.items()}
        columns = {column: part for column, part in parts.items() if part}
        selects = ", ".join(f"{part.value} AS {name(column)}" for column, part in columns.items())
        joins = " ".join(join for part in columns.values() for join in part.joins)
        left_out = [each for facts in filling.elsewhere if (each := self._elsewhere(facts, kept))]
        tests = [*map(_test, filling.where), *_any(filling, kept), *(f"t._row NOT IN (FROM {each})" for each in left_out)]
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        query = f"SELECT t._row, {selects} FROM {kept.relation} t {joins}{where}"
        if filling.once:
            query = f"SELECT min(_row) AS _row, * EXCLUDE (_row) FROM ({query}) GROUP BY ALL"
        remarks = tuple(self._said_elsewhere(filling, left_out))
        return self._offer(filling.table, filling.history, f"({query})", kept, frozenset(columns), remarks, refused)

    def _offer(
        self,
        table: str,
        history: History,
        relation: str,
        kept: Kept,
        columns: frozenset[str],
        said: tuple[Remark, ...],
        refused: tuple[Remark, ...] = (),
    ) -> Staged:
        return Staged(
            table,
            relation,
            kept.held.file,
            kept.held.sheet,
            self.source.config.history.get(table, history),
            self._one(f"SELECT count(*) FROM {relation}") + len(refused),
            refused,
            said,
            columns | {"_row"},
            False,
            self.source.extract_date,
            covering(table, self._first_day()),
        )

    def _first_day(self) -> date | None:
        """How far back the extract goes, where its day is known: what closed before is not in it."""
        return subtract(self.source.extract_date, mapping().window) if self.source.extract_date else None

    def _lacking(self, filling: Filling, kept: Kept) -> str | None:
        """What the source lacks that the table must have: a field, or the day of the extract."""
        wanted = [each if isinstance(each, str) else next(iter(each)) for each in filling.where]
        if missing := [each for each in wanted if each not in kept.fields]:
            return missing[0]
        table = self.schema.tables[filling.table]
        for column, several in filling.columns.items():
            is_own_key = table.key == (column,)
            if table.columns[column].required and not is_own_key and not self._sql(several, kept, column):
                first = several[0]
                return first if isinstance(first, str) else str(first.get("field", first.get("take", column)))
        return None

    def _sql(self, several: Sequence[Any], kept: Kept, column: str) -> _Part | None:
        """SQL for a column as the mapping says it, None where the source does not hold what it needs."""
        parts = [part for number, said in enumerate(several) if (part := self._one_sql(said, kept, f"{column} {number}"))]
        if not parts:
            return None
        value = f"coalesce({', '.join(part.value for part in parts)})" if len(parts) > 1 else parts[0].value
        return _Part(value, tuple(join for part in parts for join in part.joins))

    def _one_sql(self, said: Any, kept: Kept, alias: str) -> _Part | None:
        match said:
            case "extract_date":
                return _Part(quoted(str(self.source.extract_date))) if self.source.extract_date else None
            case str():
                return _Part(f"t.{name(said)}") if said in kept.fields else None
            case {"value": value}:
                return _Part(quoted(value))
            case {"field": own, "when": condition}:
                is_there = {own, *condition} <= kept.fields
                return _Part(f"CASE WHEN {_test(condition)} THEN t.{name(own)} END") if is_there else None
            case {"of": table, "take": taken, "where": key, "is": own}:
                others = self.all(table, (key, taken)) if own in kept.fields else None
                return _looked_up(others, taken, key, own, name(alias)) if others else None
        raise ValueError(f"not a mapping of a column: {said!r}")

    def _elsewhere(self, facts: Mapping[str, Any], kept: Kept) -> str | None:
        """The relation of the rows that another table holds too, None where this cannot be told."""
        same, day = facts["same"], facts.get("same_day", {})
        where, blank = facts.get("where", {}), facts.get("blank", [])
        others = self.all(facts["of"], (*same.values(), *day.values(), *where, *blank))
        if not others or not {*same, *day} <= kept.fields:
            return None
        tests = [f"t.{name(own)} = o.{name(other)}" for own, other in same.items()]
        tests += [f"read_date(t.{name(own)}) = read_date(o.{name(other)})" for own, other in day.items()]
        tests += [f"o.{name(other)} = {quoted(code)}" for other, code in where.items()]
        tests += [f"o.{name(other)} IS NULL" for other in blank]
        relation = self._derived(kept, "in", facts["of"], *where.values())
        found = f"SELECT DISTINCT t._row FROM {kept.relation} t JOIN {others} o ON {' AND '.join(tests)}"
        self.connection.execute(f"CREATE TABLE {relation} AS {found}")
        return relation

    def _said_elsewhere(self, filling: Filling, left_out: Sequence[str]) -> Iterator[Remark]:
        both = " UNION ".join(f"FROM {each}" for each in left_out)
        if both and (count := self._one(f"SELECT count(*) FROM ({both})")):
            others = " or ".join(facts["of"] for facts in filling.elsewhere)
            yield Remark(None, None, None, f"{rows_in_words(count)} left out: told by {others} too")

    def _create_names(self) -> None:
        """Makes, for workers and for teams, the table of names and numbers that tell whose an id is."""
        for table, facts in mapping().names.items():
            own = name(facts["id"])
            others = [(each, self.all(facts["table"], (facts["id"], each))) for each in facts["also"]]
            said = [f"SELECT lower({name(each)}) AS said, {own} AS id FROM {other}" for each, other in others if other]
            ids = self.all(facts["table"], (facts["id"],)) if said else None
            if ids:
                known = f"SELECT lower({own}) FROM {ids} WHERE {own} IS NOT NULL"
                self.connection.execute(
                    f"CREATE TABLE {self._names(table)} AS SELECT said, min(id) AS id FROM ({' UNION ALL '.join(said)}) "
                    f"WHERE said IS NOT NULL AND id IS NOT NULL AND said NOT IN ({known}) "
                    f"GROUP BY said HAVING count(DISTINCT id) = 1"
                )

    def _names(self, table: str) -> str:
        return self.source.relation("ssd names", table)

    def _resolved(self, kept: Kept) -> Kept:
        """The table with a worker's or team's name read as the id, where it is the name of one."""
        named = {field: to for field, to in self._id_fields().items() if field in kept.fields and self._has_names(to)}
        if not named:
            return kept
        replaced = ", ".join(f"coalesce({name('n ' + each)}.id, r.{name(each)}) AS {name(each)}" for each in named)
        joins = " ".join(
            f"LEFT JOIN {self._names(to)} AS {name('n ' + field)} ON {name('n ' + field)}.said = lower(r.{name(field)})"
            for field, to in named.items()
        )
        view = self._derived(kept, "with ids")
        self.connection.execute(f"CREATE VIEW {view} AS SELECT r.* REPLACE ({replaced}) FROM {kept.relation} AS r {joins}")
        return replace(kept, relation=view)

    def _id_fields(self) -> dict[str, str]:
        """The fields that hold the id of a worker or team, and which of the two."""
        columns = [(filling.table, column, said) for filling in mapping().fillings for column, said in filling.columns.items()]
        refers = [(self.schema.tables[table].columns[column].refers_to, said) for table, column, said in columns]
        known = mapping().names
        return {field: to for to, said in refers if to and to in known for field in said if isinstance(field, str)}

    def _has_names(self, table: str) -> bool:
        facts = mapping().names[table]
        return any(self.all(facts["table"], (facts["id"], each)) for each in facts["also"])

    def _care_periods(self) -> Iterator[Staged]:
        """The periods of care: episodes with one id, from the day that care began to the end of the last of them.

        An episode that ends because another starts does not end the period.
        """
        needed = {"clae_cla_id", "clae_person_id", "clae_cla_episode_start_date"}
        for kept in self.kept:
            if kept.held.table.name == EPISODES and needed <= kept.fields:
                yield self._periods(kept)

    def _periods(self, kept: Kept) -> Staged:
        entered, ceased, reason = (f"t.{name(each)}" if each in kept.fields else "NULL::VARCHAR" for each in PERIOD_FIELDS)
        order = f"(read_date(t.clae_cla_episode_start_date), coalesce(read_date({ceased}), DATE '9999-12-31'), t._row)"
        began = f"coalesce(min(read_date({entered})), min(read_date(t.clae_cla_episode_start_date)))"
        periods, relation = self._derived(kept, "periods"), self._derived(kept, "care periods")
        self.connection.execute(
            f"CREATE TABLE {periods} AS SELECT min(t._row) AS _row, t.clae_cla_id AS care_period_id, "
            f"min(t.clae_person_id) AS person_id, {began} AS began, "
            f"arg_max({{'ceased': {ceased}, 'reason': {reason}}}, {order}) AS last FROM {kept.relation} t GROUP BY t.clae_cla_id"
        )
        goes_on = "last.reason IS NOT DISTINCT FROM 'X1'"
        ending = ", ".join(
            f"CASE WHEN {goes_on} THEN NULL ELSE last.{part} END AS {column}"
            for part, column in (("ceased", "end_date"), ("reason", "end_reason"))
        )
        short, joined = self._short_breaks(periods)
        self.connection.execute(
            f"CREATE TABLE {relation} AS SELECT p._row, care_period_id, person_id, began::VARCHAR AS start_date, {ending}{short} "
            f"FROM {periods} p{joined}"
        )
        count = self._one(f"SELECT count(*) FROM {periods} WHERE {goes_on} AND last.ceased IS NOT NULL")
        why = f"in {rows_in_words(count)} the last episode ends because another starts, but none does: read as still open"
        said = (Remark(None, "end_date", None, why),) if count else ()
        held = [
            "care_period_id",
            "person_id",
            "start_date",
            "end_date",
            "end_reason",
            *(["is_short_break_series"] if short else []),
        ]
        return self._offer("care_periods", "full", relation, kept, frozenset(held), said)

    def _short_breaks(self, periods: str) -> tuple[str, str]:
        """SQL for whether a period began under a status of short breaks, and the join it needs; empty where not known."""
        fields = tuple(
            f"lega_{each}" for each in ("person_id", "legal_status", "legal_status_start_date", "legal_status_end_date")
        )
        statuses = self.all(STATUSES, fields)
        if not statuses:
            return "", ""
        person, status, start, end = fields
        dated = (
            f"SELECT {person} AS child, {status} IN ('V3', 'V4') AS is_short, read_date({start}) AS starts, "
            f"read_date({end}) AS ends FROM {statuses} WHERE {status} IS NOT NULL"
        )
        at_start = (
            f"SELECT q._row, bool_or(is_short) AS is_short FROM {periods} q JOIN ({dated}) s "
            "ON s.child = q.person_id AND s.starts <= q.began AND (s.ends IS NULL OR s.ends > q.began) GROUP BY q._row"
        )
        return ", s.is_short::VARCHAR AS is_short_break_series", f" LEFT JOIN ({at_start}) s ON s._row = p._row"

    def _derived(self, kept: Kept, *words: str) -> str:
        return self.source.relation("ssd", kept.held.number, kept.held.table.name, *words)

    def _one(self, sql: str) -> int:
        row = self.connection.execute(sql).fetchone()
        return int(row[0] or 0) if row else 0


def _looked_up(others: str, taken: str, key: str, own: str, alias: str) -> _Part:
    """A field of another table whose key is the row's own field; of several, the last of them in order."""
    one = f"SELECT {name(key)} AS own, max({name(taken)}) AS taken FROM {others} WHERE {name(key)} IS NOT NULL GROUP BY 1"
    return _Part(f"{alias}.taken", (f"LEFT JOIN ({one}) AS {alias} ON {alias}.own = t.{name(own)}",))


def _any(filling: Filling, kept: Kept) -> Iterator[str]:
    """The test that one of several fields is filled; no row passes where the source has none of them."""
    if filling.where_any:
        held = [each for each in filling.where_any if (each if isinstance(each, str) else next(iter(each))) in kept.fields]
        yield f"({' OR '.join(map(_test, held)) or 'false'})"


def _test(said: Any) -> str:
    """SQL that a field is filled, or is the code that is named with it."""
    if isinstance(said, str):
        return f"t.{name(said)} IS NOT NULL"
    return " AND ".join(f"t.{name(each)} = {quoted(code)}" for each, code in said.items())
