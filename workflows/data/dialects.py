"""The SQL by which a database digests the result of a statement itself, without its rows leaving it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflows.data.statement import Statement


@dataclass(frozen=True)
class Dialect:
    """What differs between the databases that can; each piece speaks of the columns {columns}, named by their places."""

    row: str
    """A row's values as one text: no two rows have the same one, if their columns have the same types."""
    digest: str
    """The sha256 of a text {text}."""
    digests: str
    """One digest over the column `digest`, in the order of the column `place`."""
    type: str
    """The type of a column {column}, as text."""
    types: str
    """The types {types} and what else the meaning of a row's text depends on, as one text."""
    most: int
    """How many bindings go into one statement."""

    def digested(self, statement: Statement, columns: int, number: int) -> str:
        """The statement that gives number, rows, digest and types of one binding of `statement`."""
        names = [f"c{place}" for place in range(columns)]
        listed = ", ".join(names)
        row = self.row.format(columns=listed, texts=", ".join(f"CAST({name} AS VARCHAR)" for name in names))
        types = self.types.format(types=", ".join(self.type.format(column=name) for name in names))
        # All values are bound; what is pasted is the pipeline's own statement.
        return f"""
SELECT {number} AS number, count(*) AS found, {self.digests} AS digest, max(types) AS types
FROM (
  SELECT place, {self.digest.format(text=row)} AS digest, CASE place WHEN 1 THEN {types} END AS types
  FROM (
    SELECT *, row_number() OVER () AS place FROM (
{statement.numbered(number).escaped}
    ) AS given({listed})
  ) AS placed
) AS digested"""  # noqa: S608

    def together(self, statement: Statement, columns: int, numbers: Sequence[int]) -> str:
        """The same for several bindings, in one statement."""
        return "\nUNION ALL".join(self.digested(statement, columns, number) for number in numbers)


POSTGRESQL = Dialect(
    row="CAST(ROW({columns}) AS text)",
    digest="sha256(convert_to({text}, 'UTF8'))",
    digests="encode(sha256(coalesce(string_agg(digest, CAST('' AS bytea) ORDER BY place), CAST('' AS bytea))), 'hex')",
    type="CAST(pg_typeof({column}) AS text)",
    # What a time of day means depends on the session's zone, which is the database's own choice, and so counts.
    types="CAST(ARRAY[{types}, current_setting('TimeZone')] AS text)",
    # A year of dates, which is planned in a tenth of a second.
    most=400,
)
DUCKDB = Dialect(
    row="CAST(to_json([{texts}]) AS VARCHAR)",
    digest="sha256({text})",
    digests="sha256(coalesce(string_agg(digest, '' ORDER BY place), ''))",
    type="typeof({column})",
    types="CAST(to_json([{types}]) AS VARCHAR)",
    # It is in this very process, where a question is quick, and long statements are slow.
    most=50,
)
DIALECTS = {"postgresql": POSTGRESQL, "duckdb": DUCKDB}

BEGIN = {
    "sqlite": ("PRAGMA query_only = ON",),
    "postgresql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SELECT set_config('DateStyle', 'ISO', true), set_config('IntervalStyle', 'postgres', true), "
        "set_config('extra_float_digits', '3', true), set_config('bytea_output', 'hex', true)",
    ),
    # DuckDB takes the machine's zone, which is no matter of the data.
    "duckdb": ("SET TimeZone = 'UTC'",),
}
"""What begins a transaction in which nothing can write, and in which values are spelled as in every other session."""
