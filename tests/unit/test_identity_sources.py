"""The text of a definition, and the difference of two texts."""

from __future__ import annotations

import pytest

from workflows.identity.sources import definition_text, source_diff, statements_text

MODULE = '''\
"""What it holds."""
import math
from statistics import median as middle

WINDOW = 28  # days
first, (second, *rest) = 1, (2, 3, 4)

# The factor that makes it
# comparable with a deviation.
SCALE: float = 1.4826

# Of something else.

@cached
@other(
    1,
)
def scale(values):
    """Docstring."""
    # inside
    return SCALE * middle(values)

class Cleaned(Base):
    factor = 2.0

    # Tables in, table out.
    @wrapped
    async def compute(self, events):
        return events

    class Meta:
        unique = ["id"]

if math:
    def either(): return 1
else:
    try:
        def either(): return 2
    except ValueError:
        def either():
            return 3
'''


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WINDOW", "WINDOW = 28  # days"),
        ("SCALE", "# The factor that makes it\n# comparable with a deviation.\nSCALE: float = 1.4826"),
        ("second", "first, (second, *rest) = 1, (2, 3, 4)"),
        ("rest", "first, (second, *rest) = 1, (2, 3, 4)"),
        ("middle", "from statistics import median as middle"),
        ("Cleaned.factor", "    factor = 2.0"),
        ("Cleaned.Meta.unique", '        unique = ["id"]'),
    ],
)
def test_a_definition_is_its_lines_with_the_comments_right_above(name: str, text: str) -> None:
    assert definition_text(MODULE, name) == text


def test_a_function_begins_with_its_decorators_and_ends_with_its_body() -> None:
    text = definition_text(MODULE, "scale")
    assert text is not None
    assert text.splitlines()[0] == "@cached"
    assert text.endswith("# inside\n    return SCALE * middle(values)")


def test_a_method_is_found_by_its_dotted_name() -> None:
    text = definition_text(MODULE, "Cleaned.compute")
    assert text is not None
    assert [line.strip() for line in text.splitlines()] == [
        "# Tables in, table out.", "@wrapped", "async def compute(self, events):", "return events",
    ]  # fmt: skip


def test_a_name_that_is_defined_more_than_once_gives_every_definition() -> None:
    text = definition_text(MODULE, "either")
    assert text is not None
    assert [line.strip() for line in text.splitlines()] == [
        "def either(): return 1", "def either(): return 2", "def either():", "return 3",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["nothing", "Cleaned.nothing", "scale.values", "", "Cleaned."])
def test_a_name_that_is_not_defined_has_no_text(name: str) -> None:
    assert definition_text(MODULE, name) is None


@pytest.mark.parametrize("source", ["def broken(:", "a\0b", "SELECT 1"])
def test_a_source_that_is_no_python_has_no_definitions(source: str) -> None:
    assert definition_text(source, "broken") is None


def test_the_difference_of_two_texts_has_no_lines_that_name_files() -> None:
    assert source_diff("a\nb\n", "a\nc") == ["@@ -1,2 +1,2 @@", " a", "-b", "+c"]


def test_an_absent_text_is_all_added_or_removed() -> None:
    assert source_diff(None, "a") == ["@@ -0,0 +1 @@", "+a"]
    assert source_diff("a", None) == ["@@ -1 +0,0 @@", "-a"]
    assert source_diff("a", "a") == []


PARTS = (
    "import os as o\nif o:\n    A = 1\nelse:\n    A = 2\ndef f(): pass\nwith f() as (b, c): pass\nif (d := 1): pass\n"
)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["o"], "import os as o"),
        (["A"], "if o:\n    A = 1\nelse:\n    A = 2"),
        (["f", "c"], "def f(): pass\nwith f() as (b, c): pass"),
        (["d"], "if (d := 1): pass"),
        ([], ""),
        (["A", "what runs on import"], PARTS),
        ([""], PARTS),
    ],
)
def test_whole_statements_are_found_by_what_they_bind(names: list[str], text: str) -> None:
    assert statements_text(PARTS, names) == text


def test_what_is_no_python_is_taken_whole() -> None:
    assert statements_text("def (", ["f"]) == "def ("
