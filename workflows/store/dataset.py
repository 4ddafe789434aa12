"""One dataset as it lies in the store: what was asked of a database, what it answered, and whether that is as it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workflows.errors import DamagedDataset, DatasetError
from workflows.identity.canonical import digest, digest_bytes
from workflows.store.address import DATASETS
from workflows.store.files import Place

RECORD = "dataset.json"
FORMAT = 1

AS_DATABASE = "dataset:"
"""What begins the place of a dataset that stands for a database, where that has its file or URL."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_FILE = re.compile(r"[\w-][\w.-]*\.parquet")


@dataclass(frozen=True)
class Answer:
    """What a database answered to a statement with bound values."""

    values: dict[str, Any]
    """The values that the statement binds, as JSON."""
    fingerprint: str | None
    """64 hex digits over columns and rows; None where nobody asks for it."""
    rows: int
    """How many rows there are."""
    file: str | None = None
    """The file with the rows; None where the fingerprint is all that anybody asks for."""
    sha256: str = ""
    """The digest of the file."""
    bytes: int = 0
    """The size of the file."""

    @property
    def date(self) -> str | None:
        """The date that is bound, as ISO text."""
        found = self.values.get("date")
        return str(next(iter(found.values()))) if isinstance(found, dict) and found else None


@dataclass(frozen=True)
class Asked:
    """A statement of a query with all its answers."""

    query: str
    """The query's name."""
    use: str
    """'sql', 'probe' or 'dates'."""
    text: str
    """The statement without comments and layout."""
    answers: list[Answer]
    """One for each binding, in the order of the dates."""


@dataclass(frozen=True)
class Description:
    """What `dataset.json` says."""

    name: str
    note: str
    """Why it was frozen, in the user's words."""
    frozen: str
    """When: ISO 8601, UTC."""
    user: str
    host: str
    database: str
    """Where it is from, without a password."""
    commit: str | None
    """The commit that was checked out, if any."""
    parameters: dict[str, dict[str, str]]
    """The parameters besides the date, for each query."""
    statements: list[Asked]
    format: int = FORMAT

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Description:
        """The description in a record; raises ValueError for one that was changed, or is of another format."""
        rest = {name: value for name, value in record.items() if name != "digest"}
        if record.get("format") != FORMAT:
            raise ValueError(f"has format {record.get('format')!r}, where this release reads {FORMAT}")
        if digest(rest) != record.get("digest"):
            raise ValueError("was changed after it was written")
        try:
            asked = [Asked(**{**one, "answers": [Answer(**a) for a in one["answers"]]}) for one in rest["statements"]]
            found = cls(**{**rest, "statements": asked})
        except (TypeError, KeyError) as error:
            raise ValueError("lacks what a dataset has") from error
        if not is_name(found.name) or not all(_FILE.fullmatch(answer.file or "") for answer in found.kept()):
            raise ValueError("names what is no plain name")
        return found

    @property
    def digest(self) -> str:
        """What tells this dataset from every other: 64 hex digits over the record, which has the digests of the files."""
        return digest(asdict(self))

    def as_bytes(self) -> bytes:
        """The bytes of `dataset.json`."""
        return (json.dumps({**asdict(self), "digest": self.digest}, indent=1) + "\n").encode()

    def kept(self) -> Iterator[Answer]:
        """The answers whose rows are in a file."""
        return (answer for asked in self.statements for answer in asked.answers if answer.file)

    @property
    def queries(self) -> list[str]:
        """The names of the queries."""
        return list(dict.fromkeys(asked.query for asked in self.statements))

    def answers(self, query: str, use: str = "sql") -> list[Answer]:
        """The answers to a query's statement."""
        return [a for asked in self.statements if (asked.query, asked.use) == (query, use) for a in asked.answers]

    def dates(self, query: str) -> list[str]:
        """The dates of a query, ascending."""
        return sorted({answer.date for answer in self.answers(query) if answer.date})

    @property
    def rows(self) -> int:
        """How many rows the queries have together."""
        return sum(answer.rows for query in self.queries for answer in self.answers(query))

    @property
    def size(self) -> int:
        """Bytes of all files but the record."""
        return sum(answer.bytes for answer in self.kept())


class Dataset:
    """A dataset in a store. What is read of it is checked each time."""

    def __init__(self, place: Place, name: str) -> None:
        """Raises DamagedDataset where its record is not as it was written, FileNotFoundError where there is none."""
        self._place = place
        self.name = name
        shown = self._shown(RECORD)
        try:
            self.description = Description.from_record(_object(place.read(f"{folder(name)}/{RECORD}")))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise DamagedDataset.record(name, shown, f"cannot be read ({error.strerror or error})") from error
        except ValueError as error:
            raise DamagedDataset.record(name, shown, str(error)) from error
        if self.description.name != name:
            raise DamagedDataset.record(name, shown, f"is that of '{self.description.name}'")
        self.digest = self.description.digest
        """What tells it from every other dataset, 64 hex digits."""

    def read(self, answer: Answer) -> bytes:
        """The bytes of the file with an answer's rows; raises DamagedDataset when they are not those that were written."""
        assert answer.file
        try:
            data = self._place.read(f"{folder(self.name)}/{answer.file}")
        except OSError as error:
            raise DamagedDataset.file(self.name, self._shown(answer.file), "missing", answer.sha256) from error
        found = digest_bytes(data)
        if found != answer.sha256:
            raise DamagedDataset.file(self.name, self._shown(answer.file), found, answer.sha256)
        return data

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file with its bytes, the record last; raises DamagedDataset."""
        for answer in self.description.kept():
            yield str(answer.file), self.read(answer)
        yield RECORD, self.description.as_bytes()

    @property
    def shown(self) -> str:
        """Its folder as the user should see it."""
        return self._place.shown(folder(self.name))

    def _shown(self, file: str) -> str:
        return self._place.shown(f"{folder(self.name)}/{file}")


def folder(name: str) -> str:
    """A dataset's folder, relative to the store; raises DatasetError for a name that could lead elsewhere."""
    if not is_name(name):
        raise DatasetError.bad_name(name)
    return f"{DATASETS}/{name}"


def is_name(text: str) -> bool:
    """Whether a text can be a dataset's name; 'none' is the setting for the database."""
    return text != "none" and _NAME.fullmatch(text) is not None


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError("is no JSON") from error
    if not isinstance(found, dict):
        raise ValueError("is no JSON object")
    return found


def description_of(data: bytes) -> Description:
    """The description in the bytes of a record; raises ValueError."""
    return Description.from_record(_object(data))
