"""The version of a result: one digest over everything that could change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflows.identity.canonical import digest


def version_of(
    task: str,
    parameters: Mapping[str, str],
    code: str,
    environment: str,
    inputs: Sequence[str],
    fingerprint: str | None = None,
) -> str:
    """The version of a result, in 64 hex digits.

    `parameters` are the significant ones as text, `code` and `environment` are digests, `inputs` are the versions of the
    inputs in order, `fingerprint` is that of a query's data.
    """
    return digest(
        {
            "task": task,
            "parameters": dict(parameters),
            "code": code,
            "environment": environment,
            "inputs": list(inputs),
            "fingerprint": fingerprint,
        }
    )
