"""The record of how an artefact came to be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.answers.tree import when_and_who
from workflows.errors import StoreError
from workflows.store.provenance import FORMAT, ChangedRecord, Provenance

TEXT = st.text()
VALUE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
NAMES = st.text("abc.parquet", min_size=1, max_size=8)
RECORDS = st.builds(
    Provenance,
    task=TEXT,
    version=st.text("0123456789abcdef", min_size=64, max_size=64),
    parameters=st.dictionaries(TEXT, TEXT, max_size=3),
    code=st.fixed_dictionaries(
        {"digest": TEXT, "files": st.dictionaries(TEXT, TEXT, max_size=2), "commit": st.none() | TEXT, "dirty": st.booleans()}
    ),
    environment=st.fixed_dictionaries({"python": TEXT, "packages": st.dictionaries(TEXT, TEXT, max_size=2)}),
    inputs=st.lists(st.fixed_dictionaries({"task": TEXT, "date": TEXT, "version": TEXT, "digest": TEXT}), max_size=2),
    outputs=st.dictionaries(NAMES, st.fixed_dictionaries({"sha256": TEXT, "bytes": st.integers(0)}, optional={"rows": st.integers(0)}), max_size=2),
    started=TEXT,
    seconds=st.floats(0, 1e6),
    host=TEXT,
    user=TEXT,
    task_id=TEXT,
    source=st.none() | st.fixed_dictionaries({"database": TEXT, "query": TEXT, "fingerprint": TEXT, "rows": st.integers(0)}),
    template=st.none() | st.fixed_dictionaries({"name": TEXT, "digest": TEXT, "values": st.dictionaries(TEXT, VALUE, max_size=3)}),
    reused_from=st.none() | TEXT,
    requested=st.none() | st.fixed_dictionaries({"by": TEXT, "request": TEXT}),
)  # fmt: skip


@given(RECORDS)
def test_a_record_survives_json(record: Provenance) -> None:
    assert Provenance.from_json(record.to_json(), "here") == record
    assert Provenance.from_json(record.to_json().encode(), "here") == record


def made(**others: Any) -> Provenance:
    fields: dict[str, Any] = {
        "task": "Cleaned", "version": "0" * 64, "parameters": {"date": "2020-01-01"},
        "code": {"digest": "c", "files": {}, "commit": None, "dirty": False},
        "environment": {"python": "3.11.7", "packages": {}}, "inputs": [], "outputs": {},
        "started": "2020-01-01T00:00:00.000+00:00", "seconds": 0.5, "host": "h", "user": "u", "task_id": "i",
    }  # fmt: skip
    return Provenance(**{**fields, **others})


def test_a_result_is_of_who_asked_for_it_or_else_of_who_ran_it() -> None:
    asked = made(requested={"by": "zoë", "request": "r1"})
    assert (asked.person, made().person) == ("zoë", "u")
    assert when_and_who(asked) == "2020-01-01 00:00 UTC by u on h, asked for by zoë"
    assert when_and_who(made()) == "2020-01-01 00:00 UTC by u on h"
    assert asked.same_recipe(made())


@pytest.mark.parametrize("requested", ["zoë", {"by": "zoë"}, {"by": 3, "request": "r"}, ["by", "request"]])
def test_a_request_of_another_shape_is_no_record(requested: Any) -> None:
    record = json.loads(made().to_json())
    del record["seal"]
    with pytest.raises(ValueError, match="another shape"):
        Provenance.from_json(json.dumps({**record, "requested": requested}), "here")


def test_the_record_has_the_fields_of_the_contract() -> None:
    always = [
        "format", "task", "version", "parameters", "code", "environment", "inputs", "outputs", "started", "seconds",
        "host", "user", "task_id", "reused_from", "seal",
    ]  # fmt: skip
    assert list(json.loads(made().to_json())) == always
    assert json.loads(made().to_json())["format"] == FORMAT == 1


@pytest.mark.parametrize("part", ["source", "template"])
def test_what_does_not_apply_is_left_out(part: str) -> None:
    assert part not in json.loads(made().to_json())
    given: dict[str, Any] = {part: {"name": "x", "digest": "y", "values": {}}}
    assert json.loads(made(**given).to_json())[part] == given[part]


def test_fields_of_later_releases_are_passed_over() -> None:
    text = json.dumps({**made().as_record(), "later": 1})
    assert Provenance.from_json(text, "here") == made()


EDITS: list[dict[str, Any]] = [
    {"parameters": {"date": "2020-01-02"}}, {"version": "1" * 64}, {"seconds": 0.6}, {"user": "v"}, {"later": 1},
    {"code": {**made().code, "commit": "c"}}, {"inputs": [{"task": "Events", "version": "2", "digest": "3"}]},
    {"reused_from": "1" * 64}, {"seal": None},
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=json.dumps)
def test_a_record_that_was_edited_is_not_believed(edit: dict[str, Any]) -> None:
    text = json.dumps({**json.loads(made().to_json()), **edit})
    with pytest.raises(ChangedRecord, match="here has provenance that is not what was written"):
        Provenance.from_json(text, "here")


def test_other_layout_is_no_edit() -> None:
    assert Provenance.from_json(json.dumps(json.loads(made().to_json()), sort_keys=True), "here") == made()


def test_a_record_that_another_program_wrote_has_no_seal() -> None:
    assert Provenance.from_json(json.dumps(made().as_record()), "here") == made()


def test_another_format_is_said_not_guessed() -> None:
    text = json.dumps({**json.loads(made().to_json()), "format": 2})
    with pytest.raises(StoreError, match="here has provenance of format 2, not 1"):
        Provenance.from_json(text, "here")


def test_a_record_too_deep_to_be_read_is_none() -> None:
    with pytest.raises(ValueError, match="here has no readable provenance"):
        Provenance.from_json("[" * 100_000, "here")


@pytest.mark.parametrize("field", ["task", "version", "code", "environment", "inputs", "outputs", "started", "user"])
def test_a_record_without_a_field_is_none(field: str) -> None:
    record = json.loads(made().to_json())
    del record[field]
    with pytest.raises(ValueError, match="here has"):
        Provenance.from_json(json.dumps(record), "here")


def test_text_stays_readable() -> None:
    assert "Zürich" in made(parameters={"place": "Zürich"}).to_json()


def test_a_result_was_given_its_parameters_but_not_its_version() -> None:
    assert made(parameters={"date": "2020-01-01", "version": "0"}).given == {"date": "2020-01-01"}


def test_a_report_was_given_the_values_of_its_template() -> None:
    template = {"name": "daily", "digest": "d", "values": {"date": "2020-01-01", "limit": 3.0}}
    assert made(template=template).given == {"template": "daily", "date": "2020-01-01", "limit": 3.0}
