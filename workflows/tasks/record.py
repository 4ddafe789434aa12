"""The provenance of a result as far as it is known before it is made."""

from __future__ import annotations

import datetime
import functools
import getpass
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workflows.identity.environment import Environment
from workflows.store.address import TABLE
from workflows.store.artefacts import Artefact, Provenance
from workflows.tasks import observed
from workflows.tasks.code import environment_of
from workflows.tasks.plan import Identity, Recipe, version_with
from workflows.tasks.project import current

if TYPE_CHECKING:
    from workflows.tasks.result import Result


_requested: dict[str, str] = {}


def requested(by: str, request: str) -> None:
    """Say who asked in the web page for what this process makes from now on, and the id of that request."""
    _requested.update(by=by, request=request)


def drafted(task: Result, identity: Identity, inputs: Sequence[Artefact]) -> Provenance:
    """The provenance of a task's result under an identity, to be made from these inputs."""
    commit, dirty = current().commit
    code, fingerprint = identity.recipe.code, identity.recipe.fingerprint
    known = {"digest": code.digest, "files": code.files, "commit": commit, "dirty": dirty}
    return Provenance(
        task=task.get_task_family(),
        version=identity.version,
        parameters={**task.significant_texts(), "version": identity.version},
        code={**known, **beyond(identity.recipe)},
        environment=identity.environment.as_record(),
        inputs=[_input(below, found) for below, found in zip(identity.inputs, inputs, strict=True)],
        outputs={},
        source={"fingerprint": fingerprint} if fingerprint else None,
        template=task.template_record(),
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        seconds=0.0,
        settled=next_version(task, identity.recipe, identity.environment, inputs),
        host=socket.gethostname(),
        user=user_name(),
        task_id=task.task_id,
        requested=dict(_requested) or None,
    )


def next_version(task: Result, recipe: Recipe, around: Environment, inputs: Sequence[Artefact]) -> str | None:
    """The version of the next plan, where it is another: runs of the task or of its inputs showed more than was planned."""
    versions = [artefact.provenance.settled or artefact.provenance.version for artefact in inputs]
    identity = task.identity
    if (
        recipe is identity.recipe
        and around == identity.environment
        and versions == [i.version for i in identity.inputs]
    ):
        return None
    found = version_with(task, recipe, around, versions)
    return found if found != task.version else None


def beyond(recipe: Recipe, seen: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the record's `code` says of files that runs have shown; `seen` are those of one run."""
    return observed.record(recipe, environment_of(recipe.named), seen) if recipe.observed else {}


def as_settled(artefact: Artefact) -> Artefact:
    """An input under the version that the next plan gives it."""
    settled = artefact.provenance.settled
    if settled is None:
        return artefact
    path = artefact.path.removesuffix(artefact.provenance.version[:16]) + settled[:16]
    return Artefact(path, replace(artefact.provenance, version=settled, settled=None))


@functools.cache
def user_name() -> str:
    """Who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _input(task: Result, artefact: Artefact) -> dict[str, Any]:
    record = artefact.provenance
    main = TABLE if TABLE in record.outputs else min(record.outputs)
    digest = str(record.outputs[main]["sha256"])
    return {"task": record.task, "date": task.address.date, "version": record.version, "digest": digest}
