"""The record of how an artefact came to be."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from workflows.errors import StoreError

FORMAT = 1


@dataclass(frozen=True)
class Provenance:
    """What `provenance.json` holds; the same record is embedded in `report.html`."""

    task: str
    """The task's family."""
    version: str
    """64 hex digits."""
    parameters: dict[str, str]
    """The significant parameters as Luigi writes them."""
    code: dict[str, Any]
    """`digest`, `files` {path: digest}, `commit` (or null), `dirty`."""
    environment: dict[str, Any]
    """`python`, `packages` {name: version}."""
    inputs: list[dict[str, Any]]
    """For each input, in order: `task`, `version`, `digest` of its table, and `date` (or '-')."""
    outputs: dict[str, dict[str, Any]]
    """For each file beside this record: `sha256`, `bytes`, and for tables `rows`."""
    started: str
    """ISO 8601, UTC."""
    seconds: float
    """From start to the last byte, before this record was written."""
    host: str
    """The machine's name."""
    user: str
    """Who ran it."""
    task_id: str
    """Luigi's id of the task."""
    source: dict[str, Any] | None = None
    """Queries only: `database` (without a password), `query`, `fingerprint`, `rows`."""
    template: dict[str, Any] | None = None
    """Reports only: `name`, `digest`, `values`."""
    failure: dict[str, Any] | None = None
    """Failed reports only, which are no artefacts: `cell`, `of`, `reason`, `line`."""
    accepted: dict[str, Any] | None = None
    """Where a change of code was declared to be without effect: `reason`, `user`, `time`."""
    reused_from: str | None = None
    """The version whose bytes these are, if nothing was computed."""
    format: int = field(default=FORMAT)
    """The version of this record's own shape."""

    def to_json(self) -> str:
        """The record as JSON text; fields that do not apply are left out."""
        record = {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if name not in ("source", "template", "failure", "accepted") or value
        }
        return json.dumps({"format": record.pop("format"), **record}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> Provenance:
        """Read a record; raises ValueError when it is none, StoreError when it is of another format."""
        try:
            record = json.loads(text)
            known = {f.name for f in dataclasses.fields(cls)}
            if record["format"] != FORMAT:
                raise StoreError.unreadable(where, f"has provenance of format {record['format']}, not {FORMAT}")
            if not _is_record(record):
                raise ValueError(f"{where} has provenance of another shape")
            return cls(**{name: value for name, value in record.items() if name in known})
        except (TypeError, KeyError) as error:
            raise ValueError(f"{where} has no readable provenance") from error

    def same_recipe(self, other: Provenance) -> bool:
        """Whether both were made by the same code and environment with the same parameters from the same bytes."""
        return (
            self.task == other.task
            and _unversioned(self.parameters) == _unversioned(other.parameters)
            and self.code["digest"] == other.code["digest"]
            and self.environment_key == other.environment_key
            and [i["digest"] for i in self.inputs] == [i["digest"] for i in other.inputs]
            and _recipe(self.template) == _recipe(other.template)
        )

    @property
    def environment_key(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What of the environment enters the version: Python's minor version and the packages."""
        minor = ".".join(self.environment["python"].split(".")[:2])
        return minor, tuple(sorted(self.environment["packages"].items()))


def _is_record(record: dict[str, Any]) -> bool:
    """Whether the parts that others read have their shape; the rest is only shown."""
    template = record.get("template")
    return (
        _has(record, task=str, version=str, parameters=dict, code=dict, environment=dict, inputs=list, outputs=dict)
        and _has(record["code"], digest=str, files=dict)
        and _has(record["environment"], python=str, packages=dict)
        and all(_has(given, task=str, version=str, digest=str) for given in record["inputs"])
        and all("/" not in name and _has(file, sha256=str, bytes=int) for name, file in record["outputs"].items())
        and (template is None or _has(template, name=str, digest=str, values=dict))
    )


def _has(found: Any, **kinds: type) -> bool:
    return isinstance(found, dict) and all(isinstance(found.get(name), kind) for name, kind in kinds.items())


def _unversioned(parameters: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name != "version"}


def _recipe(template: dict[str, Any] | None) -> object:
    return template and (template["name"], template["digest"], template["values"])


def commit_of(code: dict[str, Any]) -> str:
    """A record's commit in words."""
    if not code["commit"]:
        return "no commit"
    return f"commit {code['commit'][:7]} ({'with uncommitted changes' if code['dirty'] else 'clean'})"
