"""Several sources of one table, settled: one id for one person, one row for one fact, and every conflict said.

Full history has precedence over the latest event, and a newer extract over an older one. A row that a source with
precedence holds too is not loaded twice: it fills what is blank there, and where the two differ a notice says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain, groupby

from duckdb import DuckDBPyConnection

from compliance.dataset import values
from compliance.dataset.coverage import Stretch
from compliance.dataset.ingest import THREADS, History, Remark, Staged
from compliance.dataset.schema import Column, Schema, Table
from compliance.dataset.values import name, quoted
from compliance.sources.reader import STAGING

ORDER = ("canonical", "canonical_files", "ssd", "dfe_api", "ssda903", "cin_census", "annex_a", "csww")
"""The formats, in the order in which they are believed where history and day are the same."""

IDENTITIES = {"people": ("upn", "birth_date"), "workers": ("registration_number",), "teams": ()}
"""Tables whose key is the same in every source, and what tells that two ids are of one."""

STATES = ("allocations", "care_plans", "care_leaver_statuses")
"""Tables whose rows from a latest-only source are of the day of the extract: what is so, not what happened."""

MANY_OF_ONE = ("health_checks", "missing_episodes", "absences")
"""Tables of many rows about one person that a source may give without their day: such a row is no row of another's day."""

CONFLICTS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Offer:
    """A staged relation and where it comes from."""

    staged: Staged
    place: str
    format: str
    authority: str | None
    extract_date: date | None

    @property
    def origin(self) -> tuple[str, str]:
        """The path and the format, which share their ids."""
        return self.place, self.format

    @property
    def rank(self) -> tuple[bool, int, int]:
        """What has precedence comes first; a source that does not say its day is taken to be as new as any."""
        day = (self.extract_date or date.max).toordinal()
        order = ORDER.index(self.format) if self.format in ORDER else len(ORDER)
        return self.staged.history != "full", -day, order

    @property
    def last_day(self) -> date | None:
        """The last day of which it can tell, where that is known."""
        return self.staged.covers.last or self.extract_date

    @property
    def words(self) -> str:
        """The file and sheet, for a message."""
        return f"{self.staged.file} > {self.staged.sheet}" if self.staged.sheet else self.staged.file


@dataclass(frozen=True, slots=True)
class Match:
    """How many of the people or workers of one source are known to another, by their id or by other facts about them."""

    table: str
    first: str
    second: str
    ids: int
    by_id: int
    by_facts: int

    @property
    def rate(self) -> float:
        """The share of the second source's ids that the first knows."""
        return (self.by_id + self.by_facts) / self.ids if self.ids else 0.0


@dataclass(frozen=True, slots=True)
class Conflict:
    """How many values of a source differ from those of sources with precedence over it, which were believed."""

    table: str
    source: str
    values: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The offers to load, in the order in which they were made, how the ids of the sources match, and what they disagree on."""

    offers: list[Offer]
    matches: tuple[Match, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def settle(connection: DuckDBPyConnection, schema: Schema, offers: Sequence[Offer]) -> Settled:
    """What all the sources together say."""
    offers = [_with_authority(connection, each) for each in offers]
    if all(each.format == "canonical" for each in offers):
        return Settled(offers)
    connection.execute(values.create_macros())
    offers, matches = _joined(connection, schema, offers)
    by_table = sorted(range(len(offers)), key=lambda n: (offers[n].staged.table, offers[n].rank, n))
    groups = [list(numbers) for _, numbers in groupby(by_table, key=lambda n: offers[n].staged.table)]
    settlings = [
        _Settling(connection.cursor(), schema, schema.tables[offers[group[0]].staged.table], [offers[n] for n in group])
        for group in groups
    ]
    with ThreadPoolExecutor(THREADS) as threads:
        ranked = chain.from_iterable(threads.map(_Settling.settled, settlings))
        settled = dict(zip(chain.from_iterable(groups), ranked, strict=True))
    found = _pointed(connection, schema, [settled[n] for n in range(len(offers))], settlings)
    connection.execute(values.drop_macros())
    return Settled(found, matches, tuple(conflict for each in settlings for conflict in each.conflicts()))


def _pointed(connection: DuckDBPyConnection, schema: Schema, offers: list[Offer], settlings: Sequence[_Settling]) -> list[Offer]:
    """The offers with each id of a row that gave way to another source's read as that row's."""
    for settling in settlings:
        for origin, map_ in settling.moved(offers):
            offers = [
                _renamed(connection, each, schema, settling.table.name, map_, own_key=False) if each.origin == origin else each
                for each in offers
            ]
    return offers


def _with_authority(connection: DuckDBPyConnection, offer: Offer) -> Offer:
    """The offer with its columns known, and the council written on rows that name none."""
    staged = offer.staged
    columns = staged.columns or frozenset(
        column[0] for column in connection.execute(f"SELECT * FROM {staged.relation} LIMIT 0").description
    )
    relation = staged.relation
    if offer.authority and "authority" not in columns:
        relation = f"(SELECT *, {quoted(offer.authority)} AS authority FROM {relation})"
        columns |= {"authority"}
    return replace(offer, staged=replace(staged, relation=relation, columns=columns))


def _held(offer: Offer) -> frozenset[str]:
    return (offer.staged.columns or frozenset()) - {"_row"}


def typed(relation: str, columns: Sequence[Column], of: Sequence[str] = ("",)) -> str:
    """SQL for the relation with the columns' text tidied, and beside each its value as it will be once loaded, `_v column`.

    Each step is a layer of its own, as in the dataset's ingest. `of` are prefixes, where a column is there more than once.
    """
    pairs = [(each, name(f"{prefix}{each.name}"), name(f"_v {prefix}{each.name}")) for each in columns for prefix in of]
    if not pairs:
        return relation
    trimmed = ", ".join(f"{values.trimmed(text)} AS {text}" for _, text, _ in pairs)
    blanked = ", ".join(f"{values.blanked(column, text)} AS {text}" for column, text, _ in pairs)
    parsed = ", ".join(f"{values.parsed(column, text)} AS {value}" for column, text, value in pairs)
    settled = ", ".join(f"{values.settled(column, value)} AS {value}" for column, _, value in pairs)
    inner = f"(SELECT * REPLACE ({blanked}) FROM (SELECT * REPLACE ({trimmed}) FROM {relation}))"
    return f"(SELECT * REPLACE ({settled}) FROM (SELECT *, {parsed} FROM {inner}))"


def _joined(connection: DuckDBPyConnection, schema: Schema, offers: list[Offer]) -> tuple[list[Offer], tuple[Match, ...]]:
    """The offers with the ids of one person or worker made one, and how many there were."""
    matches: list[Match] = []
    for table in ("people", "workers"):
        holding = [each for each in offers if each.staged.table == table]
        origins = sorted({each.origin for each in holding}, key=lambda origin: min(e.rank for e in holding if e.origin == origin))
        for origin in origins[1:]:
            pair = [[each for each in holding if each.origin == one] for one in (origins[0], origin)]
            if {each.authority for each in pair[0]} != {each.authority for each in pair[1]}:
                continue
            match, map_ = _match(connection, schema.tables[table], len(matches), *pair)
            matches.append(match)
            if map_:
                offers = [_renamed(connection, each, schema, table, map_) if each.origin == origin else each for each in offers]
    return offers, tuple(matches)


def _match(
    connection: DuckDBPyConnection, table: Table, number: int, first: Sequence[Offer], second: Sequence[Offer]
) -> tuple[Match, str | None]:
    """How the second source's ids match the first's, and the relation that says which id to read as which."""
    names = [f"{STAGING}.{name(f'ids {number} {side}')}" for side in (1, 2)]
    for each, offers in zip(names, (first, second), strict=True):
        selects = " UNION ALL ".join(_identity(table, offer) for offer in offers)
        connection.execute(
            f"CREATE TABLE {each} AS SELECT id, max(facts) AS facts FROM ({selects}) WHERE id IS NOT NULL GROUP BY id"
        )
    one, two = names
    map_ = f"{STAGING}.{name(f'map {number}')}"
    unique = f"SELECT facts, any_value(id) AS id FROM {one} WHERE facts IS NOT NULL GROUP BY facts HAVING count(*) = 1"
    connection.execute(f"""
        CREATE TABLE {map_} AS
        SELECT b.id AS said, coalesce(a.id, c.id, f.id) AS meant, a.id IS NULL AND c.id IS NULL AS by_facts
        FROM {two} b LEFT JOIN {one} a ON a.id = b.id
        LEFT JOIN (SELECT lower(id) AS low, min(id) AS id FROM {one} GROUP BY 1) c ON c.low = lower(b.id)
        LEFT JOIN ({unique}) f ON f.facts = b.facts
        WHERE coalesce(a.id, c.id, f.id) IS NOT NULL""")
    row = connection.execute(
        f"SELECT (SELECT count(*) FROM {two}), count(*) FILTER (NOT by_facts), count(*) FILTER (by_facts), "
        f"count(*) FILTER (said <> meant) FROM {map_}"
    ).fetchone() or (0, 0, 0, 0)
    match = Match(table.name, _source_words(first[0]), _source_words(second[0]), *row[:3])
    return match, map_ if row[3] else None


def _source_words(offer: Offer) -> str:
    return f"{offer.place} ({offer.format})"


def _identity(table: Table, offer: Offer) -> str:
    """SQL for the ids of the rows and the facts that tell whose they are, NULL where one of them is blank."""
    key, facts = table.key[0], IDENTITIES[table.name]
    told = [each for each in facts if each in _held(offer)]
    own = " || ".join(f"{_value(each)}::VARCHAR" for each in told) if told and len(told) == len(facts) else "NULL::VARCHAR"
    rows = typed(offer.staged.relation, [table.columns[each] for each in (key, *told)])
    return f"SELECT {_value(key)} AS id, {own} AS facts FROM {rows}"


def _value(column: str) -> str:
    return name(f"_v {column}")


def _part(column: Column) -> str:
    """SQL of a column's part of a key: NULL, so that there is no key, only where one that is required is blank."""
    said = f"{_value(column.name)}{'::DATE' if column.is_dated else ''}::VARCHAR"
    return said if column.required else f"coalesce({said}, '')"


def _references(offer: Offer, schema: Schema, table: str) -> list[str]:
    """The columns of the offer that hold ids of the table."""
    columns = schema.tables[offer.staged.table].columns
    return [each for each in sorted(_held(offer) & columns.keys()) if columns[each].refers_to == table]


def _renamed(
    connection: DuckDBPyConnection, offer: Offer, schema: Schema, table: str, map_: str, *, own_key: bool = True
) -> Offer:
    """The offer with the ids of the table read as the map says; with `own_key`, those of its own rows too."""
    columns = schema.tables[offer.staged.table].columns
    refers = _references(offer, schema, table)
    if own_key and offer.staged.table == table:
        refers.append(schema.tables[table].key[0])
    if not refers:
        return offer
    new = ", ".join(f"coalesce(m{n}.meant, r.{name(each)}) AS {name(each)}" for n, each in enumerate(refers))
    joins = " ".join(f"LEFT JOIN {map_} m{n} ON m{n}.said = r.{_value(each)}" for n, each in enumerate(refers))
    rows = typed(offer.staged.relation, [columns[each] for each in refers])
    values_ = ", ".join(map(_value, refers))
    relation = f"{STAGING}.{name(f'renamed {map_} {offer.staged.relation}')}"
    connection.execute(f"CREATE TABLE {relation} AS SELECT r.* EXCLUDE ({values_}) REPLACE ({new}) FROM {rows} r {joins}")
    return replace(offer, staged=replace(offer.staged, relation=relation))


@dataclass(frozen=True)
class _Settling:
    """The offers for one table, those with precedence first."""

    connection: DuckDBPyConnection
    schema: Schema
    table: Table
    offers: list[Offer]
    done: dict[str, bool] = field(default_factory=dict)
    differing: dict[int, int] = field(default_factory=dict)

    @property
    def has_homes(self) -> bool:
        """Whether rows of one source gave way to those of another."""
        return self.done.get("homes", False)

    def settled(self) -> list[Offer]:
        """The offers as they are to be loaded."""
        key = self._key()
        if len(self.offers) < 2 or all(each.format == "canonical" for each in self.offers) or not key:
            return self.offers
        self._set_words()
        self._gather(key)
        gave_way = self.table.name in STATES and self._give_way()
        return self._merged(key) if self._find_homes() or gave_way else self._believed()

    def conflicts(self) -> Iterator[Conflict]:
        """How many values of each offer differ from those believed, once they are settled."""
        for number, values_ in sorted(self.differing.items()):
            yield Conflict(self.table.name, self.offers[number].words, values_)

    def relation(self, *words: str) -> str:
        return f"{STAGING}.{name(' '.join(('settle', self.table.name, *words)))}"

    def _key(self) -> list[Column]:
        """The columns that tell one fact: the key of people, workers and teams, else what all offers have of the natural key.

        Where the day tells which of many is meant, it is one of them although an offer has none.
        """
        if self.table.name in IDENTITIES:
            return [self.table.columns[each] for each in self.table.key]
        common = frozenset.intersection(*map(_held, self.offers))
        columns = [self.table.columns[each] for each in self.table.natural_key]
        if any(each.required and each.name not in common for each in columns):
            return []
        some = frozenset[str]().union(*map(_held, self.offers)) if self.table.name in MANY_OF_ONE else frozenset[str]()
        return [
            each for each in columns if not each.presence_only and (each.name in common or (each.is_dated and each.name in some))
        ]

    def _columns(self) -> list[Column]:
        held = frozenset[str]().union(*map(_held, self.offers))
        return [each for each in self.table.columns.values() if each.name in held]

    def _set_words(self) -> None:
        for code_set in sorted({each.code_set for each in self._columns() if each.code_set}):
            self.connection.execute(values.code_words(code_set, self.schema.code_sets[code_set]))

    def _gather(self, key: Sequence[Column]) -> None:
        """Puts all rows into one table, each with its key: NULL where a part that is required is blank."""
        selects = []
        for number, offer in enumerate(self.offers):
            told = [each for each in key if each.name in _held(offer)]
            safe = [_part(each) if each in told else "''" for each in key]
            council = ["coalesce(authority, '')"] if "authority" in _held(offer) else []
            own = " || '|' || ".join([*council, *safe])
            held = [name(each) for each in sorted(_held(offer))]
            rows = typed(offer.staged.relation, told)
            selects.append(f"SELECT {number} AS _offer, _row, {own} AS _key, {', '.join(held)} FROM {rows}")
        self.connection.execute(f"CREATE TABLE {self.relation('rows')} AS {' UNION ALL BY NAME '.join(selects)}")

    def _give_way(self) -> bool:
        """Takes away what a latest-only source says of a person of whom another has the whole history; whether there was any.

        What is of a day of which the other does not tell yet stays.
        """
        gone = 0
        for number, offer in enumerate(self.offers):
            for full in self._full_elsewhere(offer) if offer.staged.history == "latest" else []:
                rows = self.relation("rows")
                told = f"person_id IN (SELECT person_id FROM {rows} WHERE _offer = {full})"
                newer = self._rows_after(number, self.offers[full].last_day)
                row = self.connection.execute(
                    f"DELETE FROM {rows} WHERE _offer = {number} AND {told} AND _row NOT IN ({newer})"
                ).fetchone()
                gone += row[0] if row else 0
        return gone > 0

    def _rows_after(self, number: int, day: date | None) -> str:
        """SQL for the numbers of an offer's rows that are of a later day; none where the day is not known."""
        main = self.table.main_date
        if day is None or main is None or main.name not in _held(self.offers[number]):
            return "SELECT NULL::BIGINT WHERE false"
        rows = typed(f"(SELECT _row, {name(main.name)} FROM {self.relation('rows')} WHERE _offer = {number})", [main])
        return f"SELECT _row FROM {rows} WHERE {_value(main.name)}::DATE > DATE {quoted(str(day))}"

    def _full_elsewhere(self, offer: Offer) -> list[int]:
        """The offers of the whole history from other sources than this one's, about the same council."""
        return [
            n
            for n, each in enumerate(self.offers)
            if each.staged.history == "full" and each.origin != offer.origin and each.authority == offer.authority
        ]

    def _find_homes(self) -> bool:
        """Notes for each key that several offers have the first of them; whether there is any."""
        several = f"SELECT _key, min(_offer) AS _home FROM {self.relation('rows')} WHERE _key IS NOT NULL GROUP BY _key"
        homes = f"CREATE TABLE {self.relation('homes')} AS {several} HAVING min(_offer) < max(_offer)"
        found = self.connection.execute(homes).fetchone()
        self.done["homes"] = bool(found and found[0])
        return self.has_homes

    def _believed(self) -> list[Offer]:
        """The offers as they are, none having a row of another."""
        return [
            replace(each, staged=replace(each.staged, history=self._history(number), covers=self._covers(number)))
            for number, each in enumerate(self.offers)
        ]

    def _merged(self, key: Sequence[Column]) -> list[Offer]:
        rows, homes = self.relation("rows"), self.relation("homes")
        keyed = {each.name for each in key} | set(self.table.key)
        fills = [each for each in self._columns() if each.name not in keyed]
        order = f"r._offer * {1 << 40} + r._row"
        firsts = [f"arg_min({self._text(each, 'r')}, {order}) AS {name(each.name)}" for each in fills]
        fill = f"SELECT {', '.join(['r._key', *firsts])} FROM {rows} r JOIN {homes} h ON r._key = h._key AND r._offer > h._home"
        self.connection.execute(f"CREATE TABLE {self.relation('fills')} AS {fill} GROUP BY r._key")
        counts = self._counts()
        conflicts = self._conflicts(fills)
        return [self._offer(number, fills, counts, conflicts) for number in range(len(self.offers))]

    def _counts(self) -> dict[int, int]:
        rows, homes = self.relation("rows"), self.relation("homes")
        return dict(
            self.connection.execute(
                f"SELECT _offer, count(*) FROM {rows} r LEFT JOIN {homes} h ON r._key = h._key "
                "WHERE h._home IS NULL OR h._home = r._offer GROUP BY _offer"
            ).fetchall()
        )

    def _offer(self, number: int, fills: Sequence[Column], counts: dict[int, int], conflicts: dict[int, list[Remark]]) -> Offer:
        """One offer without the rows that another has, and with its blanks filled from those that give way to it."""
        offer, rows, homes = self.offers[number], self.relation("rows"), self.relation("homes")
        later = frozenset[str]().union(*map(_held, self.offers[number:]))
        columns = set(_held(offer) | {each.name for each in fills if each.name in later})
        filled = {each.name: each for each in fills}
        selects = [self._filled(filled[each]) if each in filled else f"r.{name(each)}" for each in sorted(columns)]
        relation = self.relation("offer", str(number))
        self.connection.execute(
            f"CREATE TABLE {relation} AS SELECT r._row, {', '.join(selects)} "
            f"FROM {rows} r LEFT JOIN {homes} h ON r._key = h._key "
            f"LEFT JOIN {self.relation('fills')} f ON f._key = r._key AND h._home = r._offer "
            f"WHERE r._offer = {number} AND (h._home IS NULL OR h._home = r._offer) ORDER BY r._row"
        )
        kept = counts.get(number, 0)
        gone = offer.staged.read - len(offer.staged.refused) - kept
        notices = [*offer.staged.notices, *self._gone(gone), *conflicts.get(number, [])]
        staged = replace(
            offer.staged,
            relation=relation,
            read=kept + len(offer.staged.refused),
            notices=tuple(notices),
            columns=frozenset(columns | {"_row"}),
            history=self._history(number),
            covers=self._covers(number),
        )
        return replace(offer, staged=staged)

    @staticmethod
    def _filled(column: Column) -> str:
        return f"coalesce({_Settling._text(column, 'r')}, f.{name(column.name)}) AS {name(column.name)}"

    @staticmethod
    def _text(column: Column, alias: str) -> str:
        return f"nullif(trim({alias}.{name(column.name)}), '')"

    def _gone(self, gone: int) -> Iterator[Remark]:
        if gone:
            count = "1 row is" if gone == 1 else f"{gone:,} rows are"
            yield Remark(None, None, None, f"{count} told by a source with precedence, and used only to fill its blanks")

    def _history(self, number: int) -> History:
        """`full` where other sources hold the whole history of everyone that a latest-only source still adds rows about."""
        offer = self.offers[number]
        if offer.staged.history == "full":
            return "full"
        return "full" if self._is_known_to(number, self._full_elsewhere(offer)) else "latest"

    def _is_known_to(self, number: int, others: Sequence[int]) -> bool:
        """Whether the others tell of every person that an offer adds rows about."""
        if not others or "person_id" not in _held(self.offers[number]):
            return False
        among = ", ".join(map(str, others))
        told = f"SELECT person_id FROM {self.relation('rows')} WHERE _offer IN ({among}) AND person_id IS NOT NULL"
        return not self._count(f"{self._added(number)} AND r.person_id NOT IN ({told})")

    def _added(self, number: int) -> str:
        """SQL that counts an offer's rows that no offer with precedence holds; more conditions may follow."""
        return (
            f"SELECT count(*) FROM {self.relation('rows')} r LEFT JOIN {self.relation('homes')} h ON r._key = h._key "
            f"WHERE r._offer = {number} AND (h._home IS NULL OR h._home = r._offer)"
        )

    def _count(self, sql: str) -> int:
        return int((self.connection.execute(sql).fetchone() or (0,))[0])

    def _covers(self, number: int) -> Stretch:
        """The days an offer covers: no bound to heed where others without one tell of its people.

        Where a newer, latest-only source adds events after its last day, it covers the days up to that.
        """
        offer = self.offers[number]
        if offer.staged.history != "full":
            return offer.staged.covers
        elsewhere = self._full_elsewhere(offer)
        unbounded = [n for n in elsewhere if self.offers[n].staged.covers.is_all]
        covers = offer.staged.covers
        if not covers.is_all and self._is_known_to(number, unbounded):
            return Stretch()
        return replace(covers, last=offer.last_day) if self._is_added_to(number) else covers

    def _is_added_to(self, number: int) -> bool:
        """Whether a latest-only source of the council adds rows of a day after the last that this offer tells of."""
        day, authority = self.offers[number].last_day, self.offers[number].authority
        latest = [n for n, each in enumerate(self.offers) if each.staged.history == "latest" and each.authority == authority]
        return any(self._count(f"{self._added(n)} AND r._row IN ({self._rows_after(n, day)})") for n in latest)

    def moved(self, offers: Sequence[Offer]) -> Iterator[tuple[tuple[str, str], str]]:
        """For each source whose rows gave way, a relation that says which id of this table to read as which.

        Only sources that point at the table with an id are looked at.
        """
        key = self.table.key[0]
        if not self.has_homes or key in self.table.natural_key or self.table.name in IDENTITIES:
            return
        pointing = {each.origin for each in offers if _references(each, self.schema, self.table.name)}
        if pointing.isdisjoint(each.origin for each in self.offers):
            return
        ids = self.relation("ids")
        selects = [self._ids(number) for number in range(len(self.offers))]
        self.connection.execute(f"CREATE TABLE {ids} AS {' UNION ALL '.join(selects)}")
        for number, offer in enumerate(self.offers):
            if offer.origin in pointing:
                map_ = self.relation("moved", str(number))
                self.connection.execute(
                    f"CREATE TABLE {map_} AS SELECT l.id AS said, min(t.id) AS meant FROM {ids} l "
                    f"JOIN {self.relation('homes')} h ON l._key = h._key AND l._offer > h._home "
                    f"JOIN {ids} t ON t._key = h._key AND t._offer = h._home "
                    f"WHERE l._offer = {number} AND l.id <> t.id GROUP BY l.id"
                )
                yield offer.origin, map_

    def _ids(self, number: int) -> str:
        """SQL for the id of each of an offer's rows: as it says it, or as ingest will build it."""
        held, key = _held(self.offers[number]), self.table.key[0]
        parts = [key] if key in held else [each for each in self.table.natural_key if each in held]
        columns = [self.table.columns[each] for each in parts]
        rows = typed(
            f"(SELECT _row, _key, {', '.join(map(name, parts))} FROM {self.relation('rows')} WHERE _offer = {number})", columns
        )
        said = {each.name: name(each.name) if each.presence_only else _value(each.name) for each in columns}
        own = f"{_value(key)}::VARCHAR" if key in held else values.built_key(self.table, said)
        return f"SELECT {number} AS _offer, _key, {own} AS id FROM {rows}"

    def _conflicts(self, fills: Sequence[Column]) -> dict[int, list[Remark]]:
        """For each offer, where it differs from the one that has precedence over it."""
        told = [each for each in fills if not each.is_id and not each.presence_only and self._is_told_twice(each)]
        pairs = self.relation("pairs")
        columns = ", ".join(f"{side}.{name(each.name)} AS {name(f'{side} {each.name}')}" for each in told for side in "lt")
        unlike = " OR ".join(f"l.{name(each.name)} <> t.{name(each.name)}" for each in told)
        if not told:
            return {}
        found = self.connection.execute(
            f"CREATE TABLE {pairs} AS SELECT l._offer, l._row, t._offer AS home, t._row AS home_row, {columns} "
            f"FROM {self.relation('rows')} l JOIN {self.relation('homes')} h ON l._key = h._key AND l._offer > h._home "
            f"JOIN {self.relation('rows')} t ON t._key = h._key AND t._offer = h._home WHERE {unlike}"
        ).fetchone()
        return self._said(told) if found and found[0] else {}

    def _is_told_twice(self, column: Column) -> bool:
        return sum(column.name in _held(each) for each in self.offers) > 1

    def _said(self, columns: Sequence[Column]) -> dict[int, list[Remark]]:
        """The differences in the pairs of rows, as remarks: the first of them, and how many more there are."""
        union = " UNION ALL ".join(map(self._differences, columns))
        rows = self.connection.execute(
            f"SELECT _offer, _row, col, said, home, home_row, home_said, count(*) OVER (PARTITION BY _offer) AS n FROM ({union}) "
            f"QUALIFY row_number() OVER (PARTITION BY _offer ORDER BY _row, col) <= {CONFLICTS_SHOWN} ORDER BY _offer, _row, col"
        ).fetchall()
        found: dict[int, list[Remark]] = {}
        for number, row, column, said, home, home_row, home_said, count in rows:
            remarks = found.setdefault(number, [])
            self.differing[number] = count
            place = f"{self.offers[home].words}, row {home_row}"
            remarks.append(Remark(row, column, said, f"differs from {place}, which has precedence and says {home_said}"))
            if len(remarks) == CONFLICTS_SHOWN and count > CONFLICTS_SHOWN:
                more = f"{count - CONFLICTS_SHOWN:,} further values differ from a source with precedence"
                remarks.append(Remark(None, None, None, more))
        return found

    def _differences(self, column: Column) -> str:
        mine, theirs = name(f"l {column.name}"), name(f"t {column.name}")
        rows = f"(SELECT _offer, _row, home, home_row, {mine}, {theirs} FROM {self.relation('pairs')} WHERE {mine} <> {theirs})"
        typed_rows = typed(rows, [column], ("l ", "t "))
        return (
            f"SELECT _offer, _row, {quoted(column.name)} AS col, {mine} AS said, home, home_row, {theirs} AS home_said "
            f"FROM {typed_rows} WHERE {name(f'_v l {column.name}')} <> {name(f'_v t {column.name}')}"
        )
