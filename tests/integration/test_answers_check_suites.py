"""`parcours check` of a project's suites: templates, parameters, and the measures that templates record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stages import CLEANED

from workflows.answers.check import Checked, Findings, check

pytestmark = pytest.mark.integration

PARAMETERS = "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\nfactor: float = 2.0\n"
HEAD = '[default]\ndataset = "january"\n'
REPORT = '[[default.reports]]\ntemplate = "plain"\ndates = [2020-01-01, 2020-01-02]\n'


@pytest.fixture
def write(pipeline: Any) -> Any:
    """Writes the suites of a project with a template `plain`, which records `sum`, and `free`, which may record anything."""
    (pipeline.folder / "templates" / "samples").mkdir()
    (pipeline.folder / "templates" / "samples" / "cleaned.parquet").touch()
    pipeline.template("plain", PARAMETERS, "from workflows import measure as m", "m('sum', factor)")
    pipeline.template("free", PARAMETERS, "from workflows import measure", "for name in 'ab':\n    measure(name, 1)")
    pipeline.load(CLEANED)

    def written(text: str | bytes) -> Path:
        path = Path(pipeline.folder / "templates" / "suites.toml")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        pipeline.again()
        return path

    return written


def suites() -> list[Checked]:
    """What the check says of the suites."""
    return [found for found in check([]).found if found.kind == "suite"]


def test_a_project_without_suites_is_told_nothing(write: Any) -> None:
    write("").unlink()
    assert suites() == []


def test_a_suite_is_summed_up(write: Any) -> None:
    write(f"{HEAD}{REPORT}parameters = {{ factor = 3 }}\n[default.measures]\nsum.absolute = 1")
    [found] = suites()
    assert found.sentence == "suite, 2 reports (plain) of dataset january, 1 limit   fine"
    assert (check([]).exit_code, found.warnings) == (0, ())


def test_a_check_of_templates_leaves_the_suites_alone(write: Any) -> None:
    write("[")
    assert [found.kind for found in check(["plain"]).found] == ["template"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "templates/suites.toml is no TOML: "),
        (HEAD, "templates/suites.toml, suite 'default' has no reports; "),
        (HEAD + REPORT.replace("plain", "plian"), "templates/suites.toml, suite 'default', report 'plian 2020-01-01': there is no template 'plian' in "),
        (HEAD + REPORT.replace("plain", "../x"), "'../x' is no template name"),
        (f"{HEAD}{REPORT}parameters = {{ facto = 1 }}", "report 'plain 2020-01-01 facto=1': plain has no parameter 'facto'. It takes: date, factor. Did you mean 'factor'?"),
        (f"{HEAD}{REPORT}parameters = {{ factor = 'x' }}", "plain: parameter 'factor' is 'x'; expected "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(write: Any, text: str, said: str) -> None:
    write(text)
    [found] = suites()
    assert said in str(found.error)
    assert check([]).exit_code == 2


def test_a_folder_in_place_of_the_file_is_named(write: Any) -> None:
    write("").unlink()
    Path("templates/suites.toml").mkdir()
    assert [found.error for found in suites()] == [
        "templates/suites.toml cannot be read (Is a directory); expected a file of suites."
    ]


def test_a_measure_that_no_template_records_is_a_warning(write: Any) -> None:
    write(f'{HEAD}{REPORT}[default.measures]\nsun.absolute = 1\n"plain.sum" = {{}}\n"plain.sun" = {{}}')
    [found] = suites()
    assert found.warnings == (
        "no report of the suite records the measure 'sun'. Did you mean 'sum'?",
        "no report of the suite records the measure 'plain.sun'. Did you mean 'plain.sum'?",
    )
    assert found.error is None
    assert Findings([found]).lines()[1] == f"         warning: {found.warnings[0]}"
    assert Findings([found]).exit_code == 0


def test_a_measure_is_not_doubted_where_a_template_computes_its_names(write: Any) -> None:
    write(
        HEAD + REPORT + REPORT.replace("plain", "free") + "[default.measures]\nsun = {}\n'free.x' = {}\n'plain.x' = {}"
    )
    [found] = suites()
    assert found.warnings == ("no report of the suite records the measure 'plain.x'. Did you mean 'plain.sum'?",)


def test_a_measure_of_a_module_that_a_template_uses_is_known(pipeline: Any, write: Any) -> None:
    (pipeline.folder / "more.py").write_text("import workflows\ndef tell():\n    workflows.measure('told', 1)\n")
    pipeline.template("plain", PARAMETERS, "import more", "more.tell()")
    write(f"{HEAD}{REPORT}[default.measures]\ntold = {{}}\nsum = {{}}")
    [found] = suites()
    assert found.warnings == ("no report of the suite records the measure 'sum'.",)
