"""The real command with a stage and a template that open what their code does not name."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

STAGE = """
    def compute(self, events):
        import importlib
        factor = float(open("limits" + ".csv").read())
        return importlib.import_module("plugins." + "north").clean(events, factor)
"""


def test_a_watched_run_is_complete_at_once_and_made_anew_after_a_change(small: Any) -> None:
    """Also with two workers, whose processes know nothing of one another."""
    source = (small.folder / "acme.py").read_text()
    small.module("acme", source[: source.index("    def compute")] + STAGE)
    (small.folder / "plugins").mkdir()
    small.module("plugins/north", "def clean(events, factor):\n    return events.assign(value=events.value * factor)\n")
    (small.folder / "limits.csv").write_text("2")
    (small.folder / "templates" / "note.txt").write_text("The first note.")
    small.template("small", *_cells(small), "open('note' + '.txt').read()")
    first = small.report("small", "2020-01-01", "--workers", "2")
    assert first.code == 0, first.err
    assert (
        "WARNING: Cleaned 2020-01-01 opened limits.csv and imported plugins.north, which its code does not name; "
        "from now on a change there makes it anew." in first.err
    )
    assert "WARNING: small 2020-01-01 opened templates/note.txt, which" in first.err
    again = small.report("small", "2020-01-01")
    assert (again.code, again.err) == (0, "plan          1 result: complete, nothing to do\n")
    (small.folder / "templates" / "note.txt").write_text("The second note.")
    noted = small.report("small", "2020-01-01")
    assert "2 results: 1 to make, 1 reused" in noted.err
    assert "WARNING" not in noted.err
    (small.folder / "limits.csv").write_text("3")
    limited = small.report("small", "2020-01-01", "--workers", "2")
    assert "3 results: 2 to make, 1 reused" in limited.err
    (small.folder / "limits.csv").write_text("2")
    assert small.report("small", "2020-01-01").err == "plan          1 result: complete, nothing to do\n"


def _cells(small: Any) -> list[str]:
    import json

    cells = json.loads((small.folder / "templates" / "small.ipynb").read_text())["cells"]
    return [cell["source"] for cell in cells]
