"""How the records of two results differ: code by definition, templates by cell, values by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workflows.answers.lineage import Node, Stores
from workflows.answers.texts import cell_pairs, template_changes, texts_changed
from workflows.identity.canonical import digest, digest_bytes
from workflows.store.artefacts import Store
from workflows.store.provenance import Provenance

RECORD = Provenance(
    task="Cleaned", version="0" * 64, parameters={"date": "2020-01-01", "version": "0"},
    code={"digest": "c", "files": {}, "commit": None, "dirty": False},
    environment={"python": "3.11.7", "packages": {"numpy": "2.0.0", "pandas": "3.0.1"}}, inputs=[], outputs={},
    started="2020-01-01T00:00:00.000+00:00", seconds=0.5, host="h", user="u", task_id="i",
)  # fmt: skip
Made = Callable[..., Node]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Makes results whose code is in a store: {file: ({definition: digest}, source)}; None where no copy was kept."""
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache")

    def make(code: dict[str, tuple[dict[str, str], str | None]], **others: Any) -> Node:
        files = {name: digest(definitions) for name, (definitions, _) in code.items()}
        sources = {name: text.encode() for name, (_, text) in code.items() if text is not None}
        kept = {
            "digest": digest(files), "files": files, "definitions": {name: d for name, (d, _) in code.items()},
            "sources": {name: digest_bytes(data) for name, data in sources.items()}, "undecided": {},
        }  # fmt: skip
        if sources:
            store.code.keep(kept, sources)
        record = replace(RECORD, code={**RECORD.code, "digest": kept["digest"], "files": files}, **others)
        return Node(record.task, "2020-01-01", record.version, None, record, Stores((store,)))

    return make


OLD = "import math\n\nSCALE = 2\n\ndef scaled(x):\n    return SCALE * x\n"
NEW = "import math\n\nSCALE = 3\n\ndef scaled(x):\n    return SCALE * abs(x)\n"


def test_each_definition_that_differs_is_named_with_the_difference_of_its_own_text(made: Made) -> None:
    old = made({"acme.py": ({"SCALE": "1", "scaled": "2", "math": "0"}, OLD)})
    new = made({"acme.py": ({"SCALE": "3", "scaled": "4", "math": "0"}, NEW)})
    scale, scaled = texts_changed(old, new)
    assert (scale.sentence, scale.lines) == ("SCALE in acme.py changed", ("@@ -1 +1 @@", "-SCALE = 2", "+SCALE = 3"))
    assert scaled.sentence == "scaled in acme.py changed"
    assert scaled.lines[1:] == (" def scaled(x):", "-    return SCALE * x", "+    return SCALE * abs(x)")


def test_definitions_that_come_and_go_are_shown_whole(made: Made) -> None:
    old, new = made({"acme.py": ({"SCALE": "1"}, OLD)}), made({"acme.py": ({"scaled": "2"}, NEW)})
    come, gone = texts_changed(old, new)
    assert (gone.sentence, gone.lines[1:]) == ("SCALE in acme.py removed", ("-SCALE = 2",))
    assert (come.sentence, len(come.lines)) == ("scaled in acme.py added", 3)


def test_files_that_come_and_go_are_named(made: Made) -> None:
    old, new = made({"a.py": ({"": "1"}, "A = 1")}), made({"b.sql": ({"": "2"}, "SELECT 1")})
    assert [(change.sentence, change.lines[1:]) for change in texts_changed(old, new)] == [
        ("b.sql added", ("+SELECT 1",)), ("a.py removed", ("-A = 1",)),
    ]  # fmt: skip


def test_a_file_that_counts_whole_on_one_side_only_is_compared_whole(made: Made) -> None:
    [change] = texts_changed(made({"acme.py": ({"": "1"}, OLD)}), made({"acme.py": ({"SCALE": "3"}, NEW)}))
    assert change.sentence == "acme.py changed"
    assert [line for line in change.lines if line[0] in "+-"] == [
        "-SCALE = 2", "+SCALE = 3", "-    return SCALE * x", "+    return SCALE * abs(x)",
    ]  # fmt: skip


def test_a_name_without_a_text_of_its_own_shows_the_difference_of_the_file(made: Made) -> None:
    old, new = made({"acme.py": ({"<module>": "1"}, OLD)}), made({"acme.py": ({"<module>": "2"}, NEW)})
    assert "-SCALE = 2" in texts_changed(old, new)[0].lines


def test_statements_in_another_order_are_a_difference_of_the_file(made: Made) -> None:
    old, new = made({"acme.py": ({"A": "1"}, "A = 1\nA = 2")}), made({"acme.py": ({"A": "1"}, "A = 2\nA = 1")})
    assert old.record is not None
    # The file's digest is over its definitions and their order.
    code = {**old.record.code, "digest": "other", "files": {"acme.py": "other"}}
    [change] = texts_changed(replace(old, record=replace(old.record, code=code)), new)
    assert change.sentence.startswith("acme.py changed")


def test_code_without_a_copy_in_the_store_is_named_by_file(made: Made) -> None:
    old, new = made({"acme.py": ({"SCALE": "1"}, None)}), made({"acme.py": ({"SCALE": "2"}, NEW)})
    [change] = texts_changed(old, new)
    assert (change.sentence, change.lines) == ("acme.py changed (no copy of its text is in the store)", ())


def test_the_same_code_has_no_changes(made: Made) -> None:
    assert texts_changed(made({"a.py": ({"": "1"}, "A = 1")}), made({"a.py": ({"": "1"}, "A = 1  # again")})) == []


def notebook(*cells: tuple[str, str | list[str]], ids: bool = True) -> str:
    found = [
        {"cell_type": kind, "source": source, **({"id": f"c{n}"} if ids else {})}
        for n, (kind, source) in enumerate(cells)
    ]
    return json.dumps({"cells": found})


def report(made: Made, text: str, sha: str, name: str = "daily", keeps: bool = True) -> Node:
    template = {"name": name, "digest": sha, "values": {}}
    return made({f"templates/{name}.ipynb": ({"": sha}, text if keeps else None)}, template=template)


@pytest.mark.parametrize("ids", [True, False])
def test_the_cells_of_a_template_are_compared_one_by_one(made: Made, ids: bool) -> None:
    old = report(made, notebook(("code", "x = 1"), ("markdown", "# A"), ("code", ["y\n", "z"]), ids=ids), "1")
    new = report(
        made, notebook(("code", "x = 2"), ("markdown", "# B"), ("code", "y\nz"), ("code", "more"), ids=ids), "2"
    )
    assert [(change.name, change.what, change.lines[1:]) for change in template_changes(old, new)] == [
        ("cell 1", "changed", ("-x = 1", "+x = 2")), ("text cell 1", "changed", ("-# A", "+# B")), ("cell 3", "added", ("+more",)),
    ]  # fmt: skip
    assert template_changes(new, old)[-1].sentence == "cell 3 of A in templates/daily.ipynb removed"
    assert texts_changed(old, new) == []


def test_a_template_that_differs_in_no_cell_says_so(made: Made) -> None:
    text = notebook(("code", "x = 1"))
    [change] = template_changes(report(made, text, "1"), report(made, text, "2"))
    assert change.sentence == "templates/daily.ipynb changed (the order, tags or options of its cells)"


def test_a_template_without_a_copy_in_the_store_says_so(made: Made) -> None:
    text = notebook(("code", "x = 1"))
    [change] = template_changes(report(made, text, "1", keeps=False), report(made, text, "2"))
    assert "no copy of it is in the store" in change.sentence


def test_another_template_is_named_and_not_compared(made: Made) -> None:
    text = notebook(("code", "x = 1"))
    [change] = template_changes(report(made, text, "1"), report(made, text, "2", name="weekly"))
    assert change.sentence == "templates/weekly.ipynb in place of templates/daily.ipynb"


def test_a_cell_that_moved_is_found_by_its_id() -> None:
    cells = [{"id": name, "cell_type": "code", "source": ""} for name in "abc"]
    assert list(cell_pairs(cells, [cells[2], cells[0]])) == [(2, 0), (0, 1), (1, None)]
