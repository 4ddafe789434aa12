"""Two states of code or of the environment, and what is said of the difference."""

from __future__ import annotations

import pytest

from workflows.identity.changes import CodeState, code_changes, environment_changes, value_changes

Definitions = dict[str, dict[str, str]]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"a.py": {"f": "1"}}, {"a.py": {"f": "1"}}, []),
        ({"a.py": {"f": "1"}}, {"a.py": {"f": "2"}}, ["f in a.py changed"]),
        ({"a.py": {"f": "1"}}, {"a.py": {"f": "1", "g": "1"}}, ["g in a.py added"]),
        ({"a.py": {"f": "1", "g": "1"}}, {"a.py": {"f": "1"}}, ["g in a.py removed"]),
        ({"a.py": {"f": "1"}}, {"a.py": {"e": "1", "f": "2"}}, ["f in a.py changed", "e in a.py added"]),
        ({"a.py": {"": "1"}}, {"a.py": {"": "2"}}, ["a.py changed"]),
        ({"a.py": {"": "1"}}, {"a.py": {"f": "2"}}, ["a.py changed"]),
        ({}, {"a.py": {"f": "2", "g": "3"}}, ["a.py added"]),
        ({"a.py": {"f": "2"}}, {}, ["a.py removed"]),
    ],
)
def test_code_is_named_by_definition_and_whole_files_by_their_name(
    old: Definitions, new: Definitions, said: list[str]
) -> None:
    states = [CodeState({file: str(found) for file, found in side.items()}, side) for side in (old, new)]
    assert [change.sentence for change in code_changes(*states)] == said


def test_a_file_of_which_only_the_digest_is_known_is_compared_whole() -> None:
    old, new = CodeState({"a.py": "1"}, {}), CodeState({"a.py": "2"}, {"a.py": {"f": "2"}})
    assert [change.sentence for change in code_changes(old, new)] == ["a.py changed"]


def test_statements_in_another_order_are_a_change_of_the_file() -> None:
    old, new = CodeState({"a.py": "1"}, {"a.py": {"f": "1"}}), CodeState({"a.py": "2"}, {"a.py": {"f": "1"}})
    assert [change.sentence for change in code_changes(old, new)] == ["a.py changed"]


def test_packages_are_named_with_both_versions_and_python_with_its_last_part() -> None:
    old = {"python": "3.11.7", "packages": {"numpy": "2.0", "pandas": "3.0.1"}}
    new = {"python": "3.12.1", "packages": {"pandas": "3.1.1", "scipy": "1.9"}}
    assert [change.sentence for change in environment_changes(old, new)] == [
        "Python 3.11.7 -> 3.12.1",
        "numpy 2.0 -> none",
        "pandas 3.0.1 -> 3.1.1",
        "scipy none -> 1.9",
    ]


def test_the_last_part_of_pythons_version_is_no_change() -> None:
    assert environment_changes({"python": "3.11.7", "packages": {}}, {"python": "3.11.9", "packages": {}}) == []


def test_values_differ_as_json_spells_them() -> None:
    old, new = {"limit": 3, "on": True, "kind": ""}, {"limit": 3.0, "on": True, "kind": "UA", "window": 7}
    assert [change.sentence for change in value_changes(old, new)] == [
        "limit 3 -> 3.0",
        'kind "" -> UA',
        "window none -> 7",
    ]
