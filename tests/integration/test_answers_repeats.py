"""Copied code: found whatever its names, comments and layout, in templates and in modules; what only looks alike is left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workflows.answers.repeats import Repeats, repeats

pytestmark = pytest.mark.integration

PARAMETERS = "import datetime\nimport pandas as pd\ndate = datetime.date(2020, 1, 1)\nlimits = {'low': 1, 'high': 2, 'mid': [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]}"
FUNCTION = '''\
def late_share(flights, after):
    """The share of the late ones."""
    late = flights[flights.dep_delay > after]
    return len(late) / max(len(flights), 1)
'''
RENAMED = """\
def share(table: pd.DataFrame, minutes: int) -> float:
    # what counts as late
    gone = table[
        table.dep_delay > minutes
    ]

    return len(gone) / max(len(table), 1)
"""
STATEMENTS = """\
events = pd.read_parquet("x.parquet")
events = events[events.value > 2].sort_values("value")
summary = events.groupby("kind").agg(total=("value", "sum"))
summary["share"] = summary.total / summary.total.sum()
"""


def found(pipeline: Any, first: str, second: str, **modules: str) -> Repeats:
    """What is repeated in two templates with a cell each."""
    pipeline.load("", **modules)
    pipeline.template("one", PARAMETERS, first)
    pipeline.template("two", PARAMETERS, "print('another cell')", second)
    (pipeline.folder / "templates" / "small.ipynb").unlink(missing_ok=True)
    pipeline.again()
    return repeats()


def test_a_function_with_other_names_comments_and_annotations_is_found(pipeline: Any) -> None:
    assert found(pipeline, FUNCTION, RENAMED).lines() == [
        "1 piece of code copied, 2 templates and 1 module compared",
        "",
        "4 lines: def late_share(flights, after):",
        "  one, cell 2, lines 1 to 4",
        "  two, cell 3, lines 1 to 7",
        "  move it to a module beside the pipelines, and import it in one, two",
    ]


def test_statements_in_the_midst_of_cells_are_found_as_one_piece(pipeline: Any) -> None:
    [repeat] = found(pipeline, f"print(1)\n{STATEMENTS}", f"{STATEMENTS}summary.plot()").found
    assert [(place.source.name, place.first, place.last) for place in repeat.places] == [("one", 2, 5), ("two", 1, 4)]


def test_a_copy_from_a_module_names_what_to_import(pipeline: Any) -> None:
    answer = found(pipeline, FUNCTION, "1 + 1", robust=RENAMED + "import pandas as pd\n")
    assert not answer.found, "a module that nothing uses is not of the project's code"
    answer = found(pipeline, FUNCTION, "import robust", robust=RENAMED + "import pandas as pd\n")
    [repeat] = answer.found
    assert repeat.remedy == "import it from robust in one"
    assert answer.lines()[-2] == "  robust.py, lines 1 to 7"


def test_the_same_statement_inside_and_outside_of_a_function_is_found(pipeline: Any) -> None:
    inside = (
        "def summarised():\n" + "".join(f"    {line}\n" for line in STATEMENTS.splitlines()) + "    return summary\n"
    )
    [repeat] = found(pipeline, STATEMENTS, inside).found
    assert repeat.lines == 4


def test_another_constant_method_or_import_is_other_code(pipeline: Any) -> None:
    for old, new in (("1)", "2)"), ("dep_delay", "arr_delay"), ("max(", "min("), ("flights.dep", "pd.dep")):
        assert not found(pipeline, FUNCTION, FUNCTION.replace(old, new)).found, (old, new)


def test_names_that_change_places_are_other_code(pipeline: Any) -> None:
    assert not found(
        pipeline, FUNCTION, FUNCTION.replace("len(late) / max(len(flights)", "len(flights) / max(len(late)")
    ).found


def test_what_is_imported_under_another_name_is_the_same(pipeline: Any) -> None:
    other = "import pandas as frames\n" + STATEMENTS.replace("pd.", "frames.")
    assert len(found(pipeline, STATEMENTS, other).found) == 1


def test_the_parameters_cell_and_imports_and_a_line_or_two_are_left_alone(pipeline: Any) -> None:
    short = "import numpy\nimport os\nday = pd.read_parquet(date)\nday.head()"
    assert found(pipeline, short, short).lines() == ["no code was copied, 2 templates and 1 module compared"]


def test_code_that_one_template_has_twice_is_not_between_templates(pipeline: Any) -> None:
    assert not found(pipeline, f"{FUNCTION}\n{RENAMED}", "1 + 1").found


def test_a_template_that_cannot_be_read_is_named_and_hinders_nothing(pipeline: Any) -> None:
    pipeline.template("wrong", PARAMETERS, "def")
    answer = found(pipeline, FUNCTION, FUNCTION)
    assert len(answer.found) == 1
    assert answer.lines()[-1].startswith("not read: template 'wrong' has a syntax error in cell 2")


def test_the_command_prints_json(small: Any) -> None:
    small.template("one", PARAMETERS, FUNCTION)
    small.template("two", PARAMETERS, RENAMED)
    done = small.run("parcours", "repeats", "--json")
    assert done.code == 0, done.err
    [repeat] = json.loads(done.out)["repeats"]
    assert repeat["places"][0] == {"template": "one", "cell": 2, "first": 1, "last": 4}
