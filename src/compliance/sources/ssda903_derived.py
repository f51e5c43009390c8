"""What is made of the return's tables: people, runs of episodes (periods of care, placements), adoptions, workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from compliance.dataset.ingest import Remark
from compliance.dataset.values import name, quoted, trimmed_ends
from compliance.sources.reader import Source
from compliance.sources.ssda903_mapping import mapping


def create_macros(connection: DuckDBPyConnection) -> None:
    """Makes the macros that tidy text, dates and postcodes."""
    swapped = "substr(t, 7, 4) || '-' || substr(t, 4, 2) || '-' || left(t, 2)"
    loose = "strftime(try_strptime(regexp_extract(t, '^\\d{1,2}/\\d{1,2}/\\d{4}'), '%d/%m/%Y'), '%Y-%m-%d')"
    day = (
        f"CASE WHEN t LIKE '__/__/____' AND try_cast({swapped} AS DATE) IS NOT NULL THEN {swapped} "
        f"WHEN t LIKE '____-__-__ %' OR t LIKE '____-__-__T%' THEN left(t, 10) "
        f"WHEN regexp_full_match(t, '\\d{{1,2}}/\\d{{1,2}}/\\d{{4}}( .*)?') THEN coalesce({loose}, t) ELSE t END"
    )
    whole = "replace(upper(t), ' ', '')"
    post = (
        f"CASE WHEN regexp_full_match({whole}, '[A-Z]{{1,2}}\\d[A-Z\\d]?\\d[A-Z]{{2}}') "
        f"THEN {whole}[:-4] || ' ' || right({whole}, 3) ELSE upper(t) END"
    )
    for macro, body in (("text", f"nullif({trimmed_ends('t')}, '')"), ("date", day), ("postcode", post)):
        connection.execute(f"CREATE OR REPLACE MACRO staging.ssda903_{macro}(t) AS {body}")


def listed(codes: Sequence[str]) -> str:
    """SQL for the codes of a list."""
    return ", ".join(map(quoted, codes))


@dataclass(frozen=True)
class Derived:
    """What is made of the return's tables: people, runs of episodes, adoptions, workers."""

    connection: DuckDBPyConnection
    source: Source
    relations: Mapping[str, str]
    said: dict[tuple[str, int], list[Remark]]

    def homes(self, of: str) -> tuple[str, ...]:
        """The tables of the return whose rows a derived relation has, the main one first."""
        return HOMES.get(of, (of,))

    def has_homes(self, of: str) -> bool:
        """Whether the relation's rows say which table they are of."""
        return len(self.homes(of)) > 1

    def relation(self, of: str) -> str:
        """The name of the relation."""
        return self.source.relation(of)

    def derive(self) -> None:
        """Makes every relation whose tables there are."""
        if "episodes" in self.relations:
            self._runs()
            self._say_of_periods()
            self._say_of_days()
        for of, sql in self._queries():
            if any(table in self.relations for table in self.homes(of)):
                self.connection.execute(f"CREATE TABLE {self.relation(of)} AS {sql}")

    def _rows(self, table: str, columns: Sequence[str] = ()) -> str:
        """The relation of a table, or one without rows where the return has none."""
        if table in self.relations:
            return self.relations[table]
        held = ", ".join(f"NULL::VARCHAR AS {name(each)}" for each in mapping().tables[table].columns)
        return f"(SELECT 0 AS _file, 0::BIGINT AS _row, NULL::INTEGER AS _year, NULL::VARCHAR AS year_end, {held} WHERE false)"

    def _runs(self) -> None:
        """Makes the relation of episodes with the period of care, placement and legal status that each belongs to.

        A period goes on where an episode starts on the day the one before it ended, for a new one to begin; S begins
        one, as does a gap. Where the one before has no end, or a later one, the child did not leave: it goes on. An
        episode cannot start and end on one day: one that does gives way to another that starts then.
        """
        order = "PARTITION BY CHILD ORDER BY DECOM, DEC IS NOT DISTINCT FROM DECOM, DEC NULLS LAST, _file, _row"
        self.connection.execute(f"""
            CREATE TABLE {self.relation("runs")} AS
            WITH known AS (
                SELECT *, lag(CASE WHEN DEC LIKE '____-__-__' THEN DEC END) OVER w AS before_dec,
                    lag(REC) OVER w AS before_rec, lag(LS) OVER w AS before_ls, row_number() OVER w AS n
                FROM {self.relations["episodes"]}
                WHERE CHILD IS NOT NULL AND try_cast(DECOM AS DATE) IS NOT NULL AND DECOM LIKE '____-__-__'
                WINDOW w AS ({order})
                QUALIFY lag(DECOM) OVER w IS DISTINCT FROM DECOM),
            begun AS (
                SELECT *, (n = 1 OR RNE = 'S' OR DECOM > before_dec OR (before_dec IS NOT NULL AND before_rec <> 'X1')) IS TRUE
                    AS is_new_period
                FROM known)
            SELECT * EXCLUDE (before_dec, before_rec, before_ls, is_new_period),
                sum(is_new_period::INTEGER) OVER w AS period,
                sum((is_new_period OR RNE IS DISTINCT FROM 'L')::INTEGER) OVER w AS placement,
                sum((is_new_period OR LS IS DISTINCT FROM before_ls)::INTEGER) OVER w AS status
            FROM begun WINDOW w AS (PARTITION BY CHILD ORDER BY n)""")

    def _queries(self) -> Iterator[tuple[str, str]]:
        runs = self.relation("runs")
        first = "arg_min(_file, n) AS _file, arg_min(_row, n) AS _row, CHILD, min(DECOM) AS DECOM"
        yield "children", self._children()
        yield (
            "care_runs",
            f"""
            WITH grouped AS (
                SELECT {first}, period, arg_max_null(DEC, n) AS last_dec, arg_max_null(REC, n) AS last_rec,
                    arg_min(RNE, n) AS RNE,
                    CASE WHEN bool_and(LS IN ('V3', 'V4')) THEN 'V3' ELSE min(LS) FILTER (LS NOT IN ('V3', 'V4')) END AS LS
                FROM {runs} GROUP BY CHILD, period)
            SELECT _file, _row, CHILD, DECOM, LS, RNE,
                CASE WHEN last_rec = 'X1' AND period = max(period) OVER (PARTITION BY CHILD) THEN NULL ELSE last_dec END AS DEC,
                CASE WHEN last_rec <> 'X1' AND last_dec IS NOT NULL THEN last_rec END AS REC
            FROM grouped""",
        )
        yield (
            "placement_runs",
            f"""
            SELECT {first}, arg_max_null(DEC, n) AS DEC, arg_max_null(REASON_PLACE_CHANGE, n) AS REASON_PLACE_CHANGE,
                arg_min(PLACE, n) AS PLACE, arg_min(PLACE_PROVIDER, n) AS PLACE_PROVIDER, arg_min(URN, n) AS URN,
                arg_min(PL_POST, n) AS PL_POST
            FROM {runs} GROUP BY CHILD, placement""",
        )
        yield (
            "legal_runs",
            f"""
            SELECT {first}, arg_max_null(DEC, n) AS DEC, arg_min(LS, n) AS LS FROM {runs} GROUP BY CHILD, status""",
        )
        yield (
            "guardianships",
            f"SELECT _file, _row, CHILD, DEC FROM {self._rows('episodes')} WHERE REC IN ({listed(_GUARDIANSHIP)})",
        )
        yield "adoptions", self._adoptions()
        yield "questionnaires", f"SELECT * FROM {self._rows('oc2')} WHERE coalesce(SDQ_SCORE, SDQ_REASON) IS NOT NULL"
        yield "leavers", self._leavers()
        yield "homes", self._homes()
        yield (
            "workers",
            f"""
            SELECT arg_min(_file, _row) AS _file, min(_row) AS _row, upper(SW_ID) AS SW_ID,
                CASE WHEN upper(SW_ID) NOT LIKE 'XX%' THEN upper(SW_ID) END AS registration
            FROM {self._rows("sw_episodes")} WHERE SW_ID IS NOT NULL GROUP BY upper(SW_ID)""",
        )

    def _children(self) -> str:
        """SQL for the children of the header, and those who are only among the unaccompanied."""
        header, uasc = self._rows("header"), self._rows("uasc")
        upn = "CASE WHEN upper(UPN) NOT SIMILAR TO 'UN[0-9]' THEN UPN END AS UPN"
        return f"""
            SELECT 'header' AS _home, _file, _row, CHILD, {upn}, DOB, SEX, ETHNIC, MOTHER,
                CASE WHEN CHILD IN (SELECT CHILD FROM {uasc}) THEN 'true' END AS is_unaccompanied
            FROM {header}
            UNION ALL
            SELECT 'uasc', _file, _row, CHILD, NULL, DOB, SEX, NULL, NULL, 'true' FROM {uasc}
            WHERE CHILD NOT IN (SELECT CHILD FROM {header} WHERE CHILD IS NOT NULL)"""

    def _adoptions(self) -> str:
        """SQL for one row a decision that a child should be placed, with the match and the order that came of it.

        The decision and the adoption are one where their days are. An order is put with the child's adoption, else
        with the latest decision that was not reversed.
        """
        placed, adopted, episodes = (self._rows(each) for each in ("placed_adoption", "ad1", "episodes"))
        return f"""
            WITH cases AS (
                SELECT 'placed_adoption' AS _home, p._file, p._row, p.CHILD, p.DATE_PLACED AS DATE_INT, a.DATE_MATCH,
                    p.DATE_PLACED_CEASED, a.FOSTER_CARE, a.CHILD IS NOT NULL AS is_adopted
                FROM {placed} p LEFT JOIN {adopted} a ON a.CHILD = p.CHILD AND a.DATE_INT = p.DATE_PLACED
                UNION ALL
                SELECT 'ad1', a._file, a._row, a.CHILD, a.DATE_INT, a.DATE_MATCH, NULL, a.FOSTER_CARE, true
                FROM {adopted} a ANTI JOIN {placed} p ON a.CHILD = p.CHILD AND a.DATE_INT = p.DATE_PLACED),
            orders AS (
                SELECT CHILD, max(DEC) AS ordered, arg_max(_file, DEC) AS _file, arg_max(_row, DEC) AS _row
                FROM {episodes} WHERE REC IN ('E11', 'E12') GROUP BY CHILD),
            ranked AS (
                SELECT *, row_number() OVER (PARTITION BY CHILD
                    ORDER BY is_adopted DESC, DATE_PLACED_CEASED IS NULL DESC, DATE_INT DESC NULLS LAST, _row) AS rank
                FROM cases)
            SELECT r._home, r._file, r._row, r.CHILD, r.DATE_INT, r.DATE_MATCH, r.DATE_PLACED_CEASED, r.FOSTER_CARE, o.ordered
            FROM ranked r LEFT JOIN orders o ON o.CHILD = r.CHILD AND r.rank = 1
            UNION ALL
            SELECT 'episodes', _file, _row, CHILD, NULL, NULL, NULL, NULL, ordered FROM orders
            WHERE CHILD NOT IN (SELECT CHILD FROM cases WHERE CHILD IS NOT NULL)"""

    def _leavers(self) -> str:
        """SQL for the young people with the birthday that fell in the year of their return."""
        born, end = "try_cast(DOB AS DATE)", "try_cast(year_end AS DATE)"
        this = f"({born} + to_years((year({end}) - year({born}))::INTEGER))::DATE"
        before = f"({born} + to_years((year({end}) - 1 - year({born}))::INTEGER))::DATE"
        return f"SELECT *, CASE WHEN {this} <= {end} THEN {this} ELSE {before} END::VARCHAR AS birthday FROM {self._rows('oc3')}"

    def _homes(self) -> str:
        """SQL for where each young person lives, by the latest return: a letter for the kind, a digit for whether it suits."""
        coded = "regexp_full_match(ACCOM, '[A-Z][12]')"
        return f"""
            SELECT _file, _row, CHILD, CASE WHEN {coded} THEN left(ACCOM, 1) ELSE ACCOM END AS letter,
                CASE WHEN {coded} THEN CASE right(ACCOM, 1) WHEN '1' THEN 'true' ELSE 'false' END END AS is_suitable
            FROM {self._rows("oc3")}
            WHERE ACCOM IS NOT NULL AND ACCOM NOT IN ('0', '0.0')
            QUALIFY coalesce(_year, 0) = max(coalesce(_year, 0)) OVER (PARTITION BY CHILD)"""

    def _say_of_days(self) -> None:
        """Notes how many episodes start and end on one day, with the row of the first."""
        episodes = self.relations["episodes"]
        found = self.connection.execute(
            f"SELECT _file, min(_row), arg_min(DEC, _row), count(*) FROM {episodes} WHERE DEC = DECOM GROUP BY 1"
        ).fetchall()
        for number, row, day, count in found:
            often = f" ({count:,} times)" if count > 1 else ""
            said = Remark(row, "DEC", day, f"an episode cannot start and end on one day{often}")
            self.said.setdefault(("episodes", number), []).append(said)

    def _say_of_periods(self) -> None:
        """Notes how many periods began before their first episode here, and how many go on in one that is not here."""
        runs = self.relation("runs")
        early = self.connection.execute(
            "SELECT _file, count(*) FROM (SELECT arg_min(_file, n) AS _file, arg_min(RNE, n) AS RNE "
            f"FROM {runs} GROUP BY CHILD, period) WHERE RNE IS DISTINCT FROM 'S' GROUP BY 1"
        ).fetchall()
        for number, count in early:
            reason = f"{count:,} periods of care began before their first episode here (RNE is not S): its day is taken"
            self.said.setdefault(("care_runs", number), []).append(Remark(None, "RNE", None, reason))
        ended = self.connection.execute(
            f"SELECT _file, count(*) FROM (SELECT * FROM {runs} QUALIFY n = max(n) OVER (PARTITION BY CHILD)) "
            "WHERE REC = 'X1' AND DEC IS NOT NULL GROUP BY 1"
        ).fetchall()
        for number, count in ended:
            reason = f"{count:,} children's last episode ended for a new one (X1) that is not here: taken as still looked after"
            self.said.setdefault(("care_runs", number), []).append(Remark(None, "REC", None, reason))


_GUARDIANSHIP = ("E43", "E44", "E45", "E46", "E47", "E48")

HOMES: Mapping[str, tuple[str, ...]] = {
    "children": ("header", "uasc"),
    "care_runs": ("episodes",),
    "placement_runs": ("episodes",),
    "legal_runs": ("episodes",),
    "guardianships": ("episodes",),
    "adoptions": ("placed_adoption", "ad1", "episodes"),
    "questionnaires": ("oc2",),
    "leavers": ("oc3",),
    "homes": ("oc3",),
    "workers": ("sw_episodes",),
}
"""The tables that each derived relation is made of, the main one first."""
