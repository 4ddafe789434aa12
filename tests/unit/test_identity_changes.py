"""Two states of code or of the environment, and what is said of the difference."""

from __future__ import annotations

import pytest

from workflows.identity.changes import Definitions, code_changes, environment_changes


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
    assert [str(change) for change in code_changes(old, new)] == said


def test_packages_are_named_with_both_versions_and_python_by_its_minor_version() -> None:
    old = {"python": "3.11.7", "packages": {"numpy": "2.0", "pandas": "3.0.1"}}
    new = {"python": "3.12.1", "packages": {"pandas": "3.1.1", "scipy": "1.9"}}
    assert environment_changes(old, new) == [
        "Python 3.11 -> 3.12",
        "numpy 2.0 -> none",
        "pandas 3.0.1 -> 3.1.1",
        "scipy none -> 1.9",
    ]


def test_the_last_part_of_pythons_version_is_no_change() -> None:
    assert environment_changes({"python": "3.11.7", "packages": {}}, {"python": "3.11.9", "packages": {}}) == []
