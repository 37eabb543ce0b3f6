"""Another program's file, looked into table by table; what is not as its format has it is a finding with its place."""

from pathlib import Path
from typing import Any, TypeVar

from deploygate.adapters.documents import read_foreign
from deploygate.document import Row, Table
from deploygate.errors import InventoryError
from deploygate.findings import Finding, Where
from deploygate.wording import count, quoted

_KINDS = {Table: "a table", Row: "a list", str: "text"}
Kind = TypeVar("Kind", Table, Row, str)


class ForeignError(InventoryError):
    """A file of another program from which no inventory can begin; carries every complaint about it."""

    def __init__(self, path: Path, findings: tuple[Finding, ...]) -> None:
        super().__init__(findings)
        self.says = f"{path} has {count(len(findings), 'error')}; nothing was written"
        self.help = "Mend it, or begin without it: --alone."


class Foreign:
    """One file, and what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.findings: list[Finding] = []

    def roots(self) -> list[Table]:
        """Return the file's documents, which must be tables.

        Raises:
            ForeignError: The file can't be read to its end.
        """
        documents, findings = read_foreign(self.path)
        if findings:
            raise ForeignError(self.path, findings)
        tables = [one for one in documents if isinstance(one, Table)]
        if len(tables) < len(documents) or not tables:
            self.complain(Where(str(self.path), 1, 1), "this must be a table", "Is this the right file?")
            self.end()
        return tables

    def complain(self, where: Where, says: str, advice: str) -> None:
        """Put down what is wrong at a place."""
        self.findings.append(Finding("foreign-file", where, says, advice))

    def end(self) -> None:
        """Stop where something is wrong.

        Raises:
            ForeignError: Something is.
        """
        if self.findings:
            raise ForeignError(self.path, tuple(self.findings))

    def inner(self, table: Table, key: str, kind: type[Kind]) -> Kind | None:
        """Return the value of a key; None where it is not there, or is of another kind, which is a complaint."""
        value: Any = table.get(key)
        if value is None or isinstance(value, kind):
            return value
        if kind is str and key in table.written:
            return table.written[key]
        self.complain(Where(*table.values_at[key]), f"{quoted(key)} must be {_KINDS[kind]}", "See its own format.")
        return None

    def texts(self, table: Table, key: str) -> tuple[str, ...]:
        """Return a list of texts; what is no text in it is a complaint."""
        row = self.inner(table, key, Row)
        if row is None:
            return ()
        for index, one in enumerate(row):
            if not isinstance(one, str):
                where = Where(*row.values_at[index])
                self.complain(where, f"what is listed at {quoted(key)} must be text", "Write it in quotes.")
        return tuple(one for one in row if isinstance(one, str))
