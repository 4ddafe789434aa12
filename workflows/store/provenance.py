"""The record of how an artefact came to be."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.errors import StoreError
from workflows.identity.canonical import digest

FORMAT = 1
_SEAL = "seal"


class ChangedRecord(ValueError):
    """A record that is not what was written."""


@dataclass(frozen=True)
class Provenance:
    """What `provenance.json` holds, under a seal; the same record is embedded in `report.html`."""

    task: str
    """The task's family."""
    version: str
    """64 hex digits."""
    parameters: dict[str, str]
    """The significant parameters as Luigi writes them."""
    code: dict[str, Any]
    """`digest`, `files` {path: digest}, `commit` (or null), `dirty`; where the run has shown more than its code names,
    `observed` {path: digest}, `shown` (see `Observed`), and `named`, a digest of what it names and its environment."""
    environment: dict[str, Any]
    """`python`, `packages` {name: version}."""
    inputs: list[dict[str, Any]]
    """For each input, in order: `task`, `version`, `digest` of its table, and `date` (or '-')."""
    outputs: dict[str, dict[str, Any]]
    """For each file beside this record: `sha256`, `bytes`, for tables `rows`, for pages `content`: the sha256 of the page
    without what says how it came to be."""
    started: str
    """ISO 8601, UTC."""
    seconds: float
    """From start to the last byte, before this record was written."""
    host: str
    """The machine's name."""
    user: str
    """The user that ran it."""
    task_id: str
    """Luigi's id of the task."""
    source: dict[str, Any] | None = None
    """Queries only: `database` (without a password), `query`, `fingerprint`, `rows`."""
    template: dict[str, Any] | None = None
    """Reports only: `name`, `digest`, `values`."""
    failure: dict[str, Any] | None = None
    """Failed reports only, which are no artefacts: `cell`, `of`, `reason`, `line`."""
    reused_from: str | None = None
    """The version that computed these bytes, if this one did not."""
    settled: str | None = None
    """The version that the next plan gives this result, where its run has shown more than its own plan knew."""
    accepted: dict[str, Any] | None = None
    """Where those bytes are of other code, whose change was declared to be without effect: `reason`, `user`, `time`, `code`."""
    timing: dict[str, Any] | None = None
    """Where the time went (see `Timing`): `parts` {name: seconds}, for reports `cells` and `kernel`, and the `run` it was made in."""
    requested: dict[str, str] | None = None
    """Where somebody asked for it in the web page: `by`, who that is, and the id of the `request`."""
    format: int = field(default=FORMAT)
    """The version of this record's own shape."""

    def as_record(self) -> dict[str, Any]:
        """The record as JSON has it; fields that do not apply are left out."""
        record = {name: getattr(self, name) for name in _FIELDS}
        given = {name: value for name, value in record.items() if value or name not in _OPTIONAL}
        found: dict[str, Any] = json.loads(json.dumps({"format": given.pop("format"), **given}))
        return found

    def to_json(self) -> str:
        """The record as JSON text, with its seal."""
        record = self.as_record()
        return json.dumps({**record, _SEAL: _seal(record)}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> Provenance:
        """Read a record.

        Raises ValueError when it is none, ChangedRecord when it is not what was written, StoreError when it is of another
        format. One without a seal, which another program wrote, is taken at its word.
        """
        try:
            record = json.loads(text)
            if record["format"] != FORMAT:
                raise StoreError.other_format(where, record["format"], FORMAT)
            if not _is_record(record):
                raise ValueError(f"{where} has provenance of another shape")
            if _SEAL in record and record[_SEAL] != _seal(record):
                raise ChangedRecord(f"{where} has provenance that is not what was written")
            return cls(**{name: value for name, value in record.items() if name in _FIELDS})
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"{where} has no readable provenance") from error

    def same_recipe(self, other: Provenance, accepted: Collection[str] = ()) -> bool:
        """Whether another would make the same by the same code and environment with the same parameters from the same bytes.

        What runs with other data or files have shown of the other beyond what the run of this one did does not matter.
        `accepted` are digests of what is named (see `named`) that count as the other's.
        """
        return (
            self.task == other.task
            and _unversioned(self.parameters) == _unversioned(other.parameters)
            and self.named in {other.named, *accepted}
            and self.observed.items() <= other.observed.items()
            and self.is_of(other.environment)
            and [i["digest"] for i in self.inputs] == [i["digest"] for i in other.inputs]
            and (self.source or {}).get("fingerprint") == (other.source or {}).get("fingerprint")
            and _recipe(self.template) == _recipe(other.template)
        )

    @property
    def person(self) -> str:
        """Who asked for it, or else the user that ran it."""
        return str((self.requested or {}).get("by") or self.user)

    @property
    def maker(self) -> str:
        """The version that computed these bytes, however often they were reused since."""
        return self.reused_from or self.version

    @property
    def given(self) -> dict[str, Any]:
        """The significant parameters; those of a report are the values of its template."""
        return given(self.parameters, self.template)

    @property
    def observed(self) -> dict[str, str]:
        """The files and folders that the run has shown beyond what its code names, with their digests."""
        found: dict[str, str] = self.code.get("observed", {})
        return found

    @property
    def named(self) -> str:
        """What the code names and the environment it names, in a digest."""
        return str(self.code.get("named") or digest_named(self.code["digest"], self.environment_key))

    def is_of(self, environment: dict[str, Any]) -> bool:
        """Whether it was made with packages of this environment, as far as they enter the version."""
        minor, packages = self.environment_key
        other = environment_key(environment)
        return minor == other[0] and set(packages) <= set(other[1])

    @property
    def environment_key(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What of the environment enters the version: Python's minor version and the packages."""
        return environment_key(self.environment)


_FIELDS = tuple(field.name for field in dataclasses.fields(Provenance))
_OPTIONAL = ("source", "template", "failure", "settled", "accepted", "timing", "requested")


def given(parameters: Mapping[str, str], template: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a record with these parameters, and for a report this template, says that it was given."""
    if template is None:
        return _unversioned(parameters)
    values = {name: value for name, value in template["values"].items() if name != "date"}
    return {"template": template["name"], "date": parameters.get("date"), **values}


def environment_key(environment: dict[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What of an environment's record enters the version: Python's minor version and the packages."""
    minor = ".".join(environment["python"].split(".")[:2])
    return minor, tuple(sorted(environment["packages"].items()))


def digest_named(code: str, environment: tuple[str, tuple[tuple[str, str], ...]]) -> str:
    """The digest of what code names: the code's own digest and its environment's key."""
    return digest([code, environment])


def _is_record(record: dict[str, Any]) -> bool:
    """Whether the parts that others read have their shape; the rest is only shown."""
    template = record.get("template")
    return (
        _has(record, task=str, version=str, parameters=dict, code=dict, environment=dict, inputs=list, outputs=dict)
        and _has(record["code"], digest=str, files=dict)
        and _has({"observed": {}, **record["code"]}, observed=dict)
        and _has(record["environment"], python=str, packages=dict)
        and all(_has(given, task=str, version=str, digest=str) for given in record["inputs"])
        and all("/" not in name and _has(file, sha256=str, bytes=int) for name, file in record["outputs"].items())
        and (template is None or _has(template, name=str, digest=str, values=dict))
        and (record.get("requested") is None or _has(record["requested"], by=str, request=str))
    )


def _has(found: Any, **kinds: type) -> bool:
    return isinstance(found, dict) and all(isinstance(found.get(name), kind) for name, kind in kinds.items())


def _unversioned(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name != "version"}


def _recipe(template: dict[str, Any] | None) -> object:
    return template and (template["name"], template["digest"], template["values"])


def _seal(record: Mapping[str, Any]) -> str:
    """The digest of all that a record says; it tells an edit, not a forgery."""
    return digest({name: value for name, value in record.items() if name != _SEAL})


def fault(error: ValueError) -> str:
    """What is wrong with a record that could not be read, for the end of a sentence."""
    return "is not what was written" if isinstance(error, ChangedRecord) else "cannot be read"


def asked_by(record: Mapping[str, Any]) -> str:
    """Who asked for a result in the web page, for the middle of a sentence; nothing where nobody did."""
    requested = record.get("requested")
    return f", asked for by {requested['by']}" if requested else ""


def commit_of(code: dict[str, Any]) -> str:
    """A record's commit in words."""
    if not code["commit"]:
        return "no commit"
    return f"commit {code['commit'][:7]} ({'with uncommitted changes' if code['dirty'] else 'clean'})"
