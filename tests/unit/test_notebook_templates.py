"""Templates read without being run: what they take, and every way in which they are refused."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workflows.errors import ParameterError, TemplateError
from workflows.identity.memo import Memo
from workflows.notebooks.template import Template, Templates

Make = Callable[..., Template]


@pytest.fixture
def folder(tmp_path: Path) -> Templates:
    (tmp_path / "templates").mkdir()
    return Templates(tmp_path / "templates", Memo(tmp_path / "cache", "templates"))


@pytest.fixture
def make(folder: Templates) -> Make:
    """Writes the template `daily` of these cells (text for code, `("markdown", text)`, or a whole cell) and reads it."""

    def write(*cells: Any, name: str = "daily", **metadata: Any) -> Template:
        made = [
            cell if isinstance(cell, dict) else code(cell) if isinstance(cell, str) else markdown(cell[1])
            for cell in cells
        ]
        save(folder, {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}, name)
        return folder.read(name)

    return write


def code(source: str | list[str], *tags: str, **metadata: Any) -> dict[str, Any]:
    marked = {**metadata, "tags": list(tags)} if tags else metadata
    return {
        "cell_type": "code",
        "id": "c",
        "metadata": marked,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "m", "metadata": {}, "source": source}


def save(folder: Templates, notebook: Any, name: str = "daily") -> Path:
    path = folder.folder / f"{name}.ipynb"
    path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook))
    return path


def test_the_first_code_cell_holds_the_parameters(make: Make) -> None:
    template = make(("markdown", "# A day"), "a = 1", "b = 2")
    assert (template.index, list(template.parameters)) == (1, ["a"])


def test_the_cell_tagged_parameters_holds_them(make: Make) -> None:
    template = make("import os", code("a = 1", "parameters"), code("b = 2", "parameters"))
    assert (template.index, list(template.parameters)) == (1, ["a"])


def test_a_source_in_lines_is_the_same_as_one_text(make: Make) -> None:
    assert make(code(["a = 1\n", "b = 2"])).digest == make("a = 1\nb = 2").digest


def test_the_title_is_the_first_heading_or_the_name(make: Make) -> None:
    assert make(("markdown", "Text\n\n## The *day*\n# Later"), "a = 1").title == "The *day*"
    assert make(("markdown", "no heading"), "a = 1").title == "daily"


@pytest.mark.parametrize(
    ("options", "shown"), [({"code": "shown"}, True), ({"code": "hidden"}, False), ({}, False), ("x", False)]
)
def test_the_author_says_whether_the_code_is_shown(make: Make, options: Any, shown: bool) -> None:
    assert make("a = 1", parcours=options).shows_code is shown


@pytest.mark.parametrize("options", [{"all": True}, {}, "x", {"all": None}])
def test_a_template_is_one_of_all_unless_its_author_says_no(make: Make, options: Any) -> None:
    assert make("a = 1", parcours=options).is_in_all
    assert not make("a = 1", parcours={"all": False}).is_in_all


def test_tables_and_values_are_apart(make: Make) -> None:
    template = make("a = 1\nevents: 'Events' = 'x.parquet'\nb: int")
    assert template.tables == {"events": "Events"}
    assert template.values == {"a": 1}


def test_the_filled_notebook_has_the_values_and_no_outputs(make: Make) -> None:
    old = {**code("a"), "outputs": [{"output_type": "stream", "name": "stdout", "text": "old"}], "execution_count": 7}
    template = make("a = 1  # one", old, ("markdown", "text"))
    filled = template.filled({"a": 2})
    assert filled["cells"][0]["source"] == "a = 2  # one"
    assert [filled["cells"][1][key] for key in ("source", "outputs", "execution_count")] == ["a", [], None]
    assert template.notebook["cells"][0]["source"] == "a = 1  # one"


SIGNATURE = """import datetime
from typing import Literal, Optional, Annotated
date: datetime.date = datetime.date(2013, 1, 15)  # the day
events: "Events" = "samples/events.parquet"
limit: Annotated[float, Field(gt=0)] = 3.0  # how many
carrier: Literal["all", "UA"] = "all"
note: Optional[str] = None
must: int  # has to be given
end = date + datetime.timedelta(days=7)
"""


def test_the_signature_is_json_schema(make: Make) -> None:
    assert make(SIGNATURE).json_schema() == {
        "title": "daily",
        "type": "object",
        "properties": {
            "date": {"type": "string", "format": "date", "description": "the day", "default": "2013-01-15"},
            "limit": {"type": "number", "exclusiveMinimum": 0, "description": "how many", "default": 3.0},
            "carrier": {"type": "string", "enum": ["all", "UA"], "default": "all"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "must": {"type": "integer", "description": "has to be given"},
        },
        "required": ["must"],
        "additionalProperties": False,
    }


def test_given_values_become_their_types(make: Make) -> None:
    given = {"date": "2013-02-01", "limit": "4", "carrier": "UA", "note": None, "must": 5}
    assert make(SIGNATURE).validated(given) == {**given, "date": datetime.date(2013, 2, 1), "limit": 4.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limitt": 1}, r"daily has no parameter 'limitt'\. It takes: date, limit, carrier, note, must\. Did you mean 'limit'\?"),
        ({"limit": "x"}, r"daily: parameter 'limit' is 'x'; expected float \(Input should be a valid number"),
        ({"limit": 0}, r"daily: parameter 'limit' is 0; expected .*greater than 0"),
        ({"carrier": "DL"}, r"daily: parameter 'carrier' is 'DL'; expected one of 'all', 'UA'"),
        ({"date": "soon"}, r"daily: parameter 'date' is 'soon'; expected datetime.date"),
        ({"must": None}, r"daily: parameter 'must' is None; expected int"),
        ({"end": "2013-01-22"}, r"daily: 'end' cannot be set, it follows from `end = date \+ datetime.timedelta\(days=7\)`"),
        ({"events": "mine.parquet"}, r"daily: parameter 'events' is the table of Events, which the pipeline makes"),
        ({"x = 1; import os": 1}, r"daily has no parameter 'x = 1; import os'"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_refused_before_anything_runs(
    make: Make, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=f"^{message}"):
        make(SIGNATURE).validated(given)


@pytest.mark.parametrize(
    "name", ["../daily", "/etc/passwd", "a/b", "a\\b", "daily\0", "", ".", "..", "-x", "daily.ipynb", "a b", "ä", "a\n"]
)
def test_a_name_that_is_no_plain_name_is_refused(folder: Templates, make: Make, name: str) -> None:
    make("a = 1")
    with pytest.raises(TemplateError, match="is no template name; expected the name of a notebook"):
        folder.read(name)


def test_a_missing_template_is_named_with_the_nearest(folder: Templates, make: Make) -> None:
    make("a = 1")
    with pytest.raises(
        TemplateError, match=r"there is no template 'dayly' in .*\. Templates: daily\. Did you mean 'daily'\?"
    ):
        folder.read("dayly")


def test_a_folder_in_a_templates_place_is_no_template(folder: Templates) -> None:
    (folder.folder / "daily.ipynb").mkdir()
    with pytest.raises(TemplateError, match="there is no template 'daily'"):
        folder.read("daily")


def test_only_notebooks_with_plain_names_are_listed(folder: Templates, make: Make) -> None:
    for name in ("b", "a-1", "x y", ".hidden"):
        save(folder, "{}", name)
    (folder.folder / "notes.txt").write_text("")
    assert folder.names() == ["a-1", "b"]


GOOD_CELL = code("a = 1")
NO_NOTEBOOKS: dict[str, Any] = {
    "no JSON": "this is no notebook",
    "nothing": "",
    "a list": [],
    "null": "null",
    "no cells": {"nbformat": 4},
    "cells that are none": {"nbformat": 4, "cells": {}},
    "an older format": {"nbformat": 3, "cells": []},
    "no format": {"cells": [GOOD_CELL]},
    "a cell that is none": {"nbformat": 4, "cells": ["x"]},
    "a cell without a type": {"nbformat": 4, "cells": [{"source": "x"}]},
    "a cell without a source": {"nbformat": 4, "cells": [{"cell_type": "code"}]},
    "metadata that are none": {"nbformat": 4, "metadata": [1], "cells": [GOOD_CELL]},
    "a cell's metadata that are none": {"nbformat": 4, "cells": [{**GOOD_CELL, "metadata": 1}]},
    "tags that are none": {"nbformat": 4, "cells": [{**GOOD_CELL, "metadata": {"tags": 3}}]},
    "not Unicode": b"\xff\xfe\xfa",
    "a table of numbers": "[" * 100_000,
}


@pytest.mark.parametrize("content", NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS)
def test_what_is_no_notebook_is_said(folder: Templates, content: Any) -> None:
    if isinstance(content, bytes):
        (folder.folder / "daily.ipynb").write_bytes(content)
    else:
        save(folder, content)
    with pytest.raises(TemplateError, match=r"template 'daily' \(.*daily\.ipynb\) is not a notebook: .*format 4"):
        folder.read("daily")


@pytest.mark.parametrize(
    "metadata", [{}, {"metadata": None}, {"metadata": {"kernelspec": None, "language_info": {"name": 3}}}]
)
def test_a_notebook_without_metadata_is_one(folder: Templates, metadata: dict[str, Any]) -> None:
    save(folder, {"nbformat": 4, **metadata, "cells": [{**GOOD_CELL, "metadata": {"tags": None}}]})
    assert list(folder.read("daily").parameters) == ["a"]


@pytest.mark.parametrize("minor", [2, 4, 5])
@pytest.mark.parametrize("ids", [{}, {"id": None}, {"id": "same"}])
def test_every_cell_has_an_id_and_always_the_same(folder: Templates, minor: int, ids: dict[str, Any]) -> None:
    """Else nbformat would give random ones, and no two reports would have the same bytes."""
    cells = [{"cell_type": "code", "metadata": {}, "source": "a = 1", "outputs": [], **ids} for _ in range(3)]
    save(folder, {"nbformat": 4, "nbformat_minor": minor, "metadata": {}, "cells": cells})
    found = folder.read("daily").filled({})
    assert [cell["id"] for cell in found["cells"]] == [ids.get("id") or "cell-0", "cell-1", "cell-2"]
    assert found["nbformat_minor"] == 5
    nbformat.validate(found)


@pytest.mark.parametrize("language", ["julia", "R", "octave"])
def test_another_language_is_said(make: Make, language: str) -> None:
    with pytest.raises(TemplateError, match=f"template 'daily' is written for a {language} kernel; expected Python"):
        make("a = 1", kernelspec={"name": "x", "language": language})


def test_the_name_of_the_authors_kernel_does_not_matter(make: Make) -> None:
    assert make("a = 1", kernelspec={"name": "my-laptop-3.9", "language": "python"}).values == {"a": 1}


@pytest.mark.parametrize("cells", [[], [("markdown", "# text")]])
def test_a_notebook_without_code_has_no_parameters_cell(make: Make, cells: list[Any]) -> None:
    with pytest.raises(TemplateError, match="template 'daily' has no parameters cell; expected a code cell tagged"):
        make(*cells)


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        (["a = 1", "x = (\ny = 2"], "cell 2, line 1"),
        (["a = "], "cell 1, line 1"),
        (["a = 1", ("markdown", "text"), "b = 1\nc d"], "cell 2, line 2"),
        (["a = 1", "return 1"], "cell 2, line 1"),
        (["a = 1", "def f():\nx"], "cell 2, line 2"),
        (["a = 1", "break"], "cell 2, line 1"),
        (["a = 1", "x = '\0'"], "cell 2, line 1"),
        (["a = 1", "x = '\ud800'"], "cell 2, line 1"),
    ],
)
def test_a_syntax_error_is_found_before_anything_runs(make: Make, cells: list[Any], place: str) -> None:
    with pytest.raises(TemplateError, match=f"template 'daily' has a syntax error in {place}: "):
        make(*cells)


@pytest.mark.parametrize(
    "cell",
    ["%matplotlib inline\nx = 1", "%%bash\nls | cat", "!ls -l {a}", "len?", "??len", "x = !ls", "x = %env HOME", "%time x = 1", "await f()", "%%time\nx = 1",
     "async for x in y: pass", "%load_ext autoreload\n%autoreload 2", "for x in y:\n    !echo {x}", "if a:\n    %who"],
)  # fmt: skip
def test_the_notebooks_own_syntax_is_understood_in_every_cell(make: Make, cell: str) -> None:
    assert make("a = 1", cell).values == {"a": 1}
    assert make(cell, code("a = 1", "parameters")).values == {"a": 1}
    assert make(cell).index == 0


def test_dates_are_understood_below_a_cell_of_magics(make: Make) -> None:
    template = make(
        "%matplotlib inline\nimport datetime as dt", code("day: dt.date = dt.date(2020, 1, 1)", "parameters")
    )
    assert template.values == {"day": datetime.date(2020, 1, 1)}


@pytest.mark.parametrize(
    "annotation", ["Flights", "np.ndarray", "list[Flights]", "set[int]", "Annotated[int, Field(nonsense=1)]"]
)
@pytest.mark.parametrize("default", ["", " = 1"])
def test_an_annotation_that_is_no_type_is_said(make: Make, annotation: str, default: str) -> None:
    with pytest.raises(
        TemplateError,
        match=r"template 'daily', parameter 'a': the annotation .* is not understood; expected int, float",
    ):
        make(f"a: {annotation}{default}")


@pytest.mark.parametrize(
    ("source", "found"),
    [("a: int = 'x'", "'x'"), ("a: int = 1.5", "1.5"), ("a: Literal['b'] = 'c'", "'c'"), ("a: Annotated[int, Field(ge=2)] = 1", "1"),
     ("a: str = None", "None"), ("a: bool = 1", "1"), ("a: list[int] = ['x']", r"\['x'\]")],
)  # fmt: skip
def test_a_default_that_does_not_fit_is_said(make: Make, source: str, found: str) -> None:
    with pytest.raises(
        TemplateError, match=f"template 'daily', parameter 'a': the default {found} does not fit; expected "
    ):
        make(source)


SAME = [
    (["a = 1", "b"], ["a = 1  # one", "b  # comment"]),
    (["a = 1"], ["'''Doc.'''\na = 1"]),
    (["a = 1"], [{**code("a = 1"), "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}], "execution_count": 3}]),
    (["a = 1"], [{**code("a = 1"), "id": "other"}]),
    (["a = 1"], [code("a = 1", collapsed=True)]),
]  # fmt: skip
OTHER = [
    (["a = 1"], ["a = 2"]),
    (["a = 1", "b"], ["a = 1", "c"]),
    (["a = 1", "b"], ["a = 1"]),
    (["a = 1", "b"], ["a = 1", code("b", "remove-cell")]),
    (["a = 1", ("markdown", "x")], ["a = 1", ("markdown", "y")]),
    (["a = 1", ("markdown", "x")], [("markdown", "x"), "a = 1"]),
    (["a = 1", "!ls"], ["a = 1", "!ls -l"]),
    (["a = 1", ("markdown", "x")], ["a = 1", {**markdown("x"), "attachments": {"a.png": {"image/png": "x"}}}]),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_a_report_cannot_show_is_not_in_the_digest(make: Make, one: list[Any], other: list[Any]) -> None:
    assert make(*one).digest == make(*other, kernelspec={"name": "other"}).digest


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_a_report_shows_is_in_the_digest(make: Make, one: list[Any], other: list[Any]) -> None:
    assert make(*one).digest != make(*other).digest


def test_the_option_to_show_code_is_in_the_digest(make: Make) -> None:
    assert make("a = 1").digest != make("a = 1", parcours={"code": "shown"}).digest


def test_the_memo_gives_what_reading_gives(make: Make, folder: Templates, tmp_path: Path) -> None:
    first = make(SIGNATURE, "from acme import x\n!ls")
    folder.memo.save()
    again = Templates(folder.folder, Memo(tmp_path / "cache", "templates")).read("daily")
    assert (again.digest, again.cells, again.values, again.cell.derived) == (
        first.digest,
        first.cells,
        first.values,
        first.cell.derived,
    )


def test_reading_a_template_runs_nothing(make: Make, tmp_path: Path) -> None:
    touch = f"__import__('pathlib').Path({str(tmp_path / 'ran')!r}).touch()"
    template = make(f"a = 1\nb = {touch}\nc: Annotated[int, 'x'] = {touch}")
    template.json_schema()
    assert not (tmp_path / "ran").exists()
