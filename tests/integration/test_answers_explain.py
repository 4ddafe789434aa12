"""`parcours explain`: the whole tree of real artefacts, each result once; what is damaged is not vouched for."""

from __future__ import annotations

import datetime
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from workflows.answers.explain import explain
from workflows.errors import ParcoursError, PathError, StoreError
from workflows.tasks.report import ReportTask

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
DIAMOND = """
class Left(Stage):
    date = luigi.DateParameter()
    def requires(self): return {"events": Events(date=self.date)}
    def compute(self, events): return events[events.kind == "a"]

class Right(Stage):
    date = luigi.DateParameter()
    def requires(self): return {"left": Left(date=self.date), "events": Events(date=self.date)}
    def compute(self, left, events):
        measure("events", len(events), better="higher")
        return events.assign(left=len(left))

class Cleaned(Stage):
    date = luigi.DateParameter()
    factor = luigi.FloatParameter(default=2.0)
    def requires(self): return {"left": Left(date=self.date), "right": Right(date=self.date)}
    def compute(self, left, right): return right.assign(value=right.value * self.factor)
"""

OF_A_FILE = """
class Rows(Query):
    date = luigi.DateParameter()
    sql = "rows.sql"

class Twice(Stage):
    date = luigi.DateParameter()
    def requires(self): return Rows(date=self.date)
    def compute(self, rows): return rows.assign(value=rows.value * 2)
"""


@pytest.fixture
def cleaned(pipeline: Any) -> Path:
    """The artefact of a stage that uses two results twice."""
    task = pipeline.load(DIAMOND).Cleaned(date=DAY)
    assert pipeline.build(task)
    return pipeline.files(task)


@pytest.fixture
def report(pipeline: Any) -> Path:
    """The folder of a report with a measure."""
    pipeline.load(DIAMOND)
    pipeline.template(
        "measured",
        'import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\ncleaned: "Cleaned" = "x.parquet"',
        'from workflows import measure\nmeasure("late", 0.25, unit="min", better="lower")',
    )
    task = ReportTask(date=DAY, template="measured")
    assert pipeline.build(task)
    return pipeline.files(task)


def lines(path: Path | str, **more: Any) -> list[str]:
    return explain(str(path), **more).lines()


def test_a_result_that_is_used_twice_is_drawn_once(cleaned: Path) -> None:
    tree = [re.sub(r"fingerprint \w+", "", line) for line in lines(cleaned)[4:]]
    assert tree == [
        "├─ Left 2020-01-01",
        "│  └─ Events 2020-01-01  2 rows from acme.db, ",
        "└─ Right 2020-01-01",
        "   ├─ Left 2020-01-01  (above)",
        "   └─ Events 2020-01-01  2 rows from acme.db,   (above)",
    ]


def test_json_tells_it_once_too(cleaned: Path) -> None:
    told = explain(str(cleaned)).as_json()
    left, right = told["inputs"]
    again, events = right["inputs"]
    assert (left["is_told_elsewhere"], again["is_told_elsewhere"], events["is_told_elsewhere"]) == (False, True, True)
    assert again["version"] == left["version"]
    assert again["digest"] == left["outputs"]["table.parquet"]["sha256"]
    assert left["inputs"][0]["source"]["rows"] == 2


def test_a_report_tells_its_measures(report: Path, tmp_path: Path) -> None:
    shutil.copyfile(report / "report.html", tmp_path / "lone.html")
    for path in (report, tmp_path / "lone.html"):
        assert "measures late 0.25 min (lower is better)" in lines(path)
        [measure] = explain(str(path)).as_json()["measures"]
        assert measure == {"name": "late", "value": 0.25, "unit": "min", "better": "lower"}


def test_the_code_is_listed_by_definition_where_it_is_wanted(report: Path, pipeline: Any) -> None:
    plain, full = lines(report), lines(report, shows_code=True)
    assert full[: len(plain)] == plain
    assert any(re.match(r"code \w{16} of ReportTask$", line) for line in full)
    assert any(line.startswith("  templates/measured.ipynb  ") for line in full)
    assert any(line.startswith("  acme.py  ") for line in full)
    shutil.rmtree(pipeline.store / "code")
    assert "  (its definitions are not in the store, only the names of its files)" in lines(report, shows_code=True)


def test_json_has_the_code_of_every_result(cleaned: Path) -> None:
    told = explain(str(cleaned)).as_json()
    assert "acme.py" in told["definitions"][told["code"]["digest"]]["definitions"]


def test_a_reused_result_names_who_computed_its_bytes(pipeline: Any) -> None:
    made = []
    for order in ("id", "id ASC", "+id"):
        (pipeline.folder / "rows.sql").write_text(f"SELECT * FROM events WHERE date = :date ORDER BY {order}")
        made.append(pipeline.load(OF_A_FILE).Twice(date=DAY))
        assert pipeline.build(made[-1])
    first, _, last = made
    record = json.loads((pipeline.files(last) / "provenance.json").read_text())
    assert record["reused_from"]
    told = lines(pipeline.files(last))
    [reused] = [line for line in told[:5] if line.startswith("reused from ")]
    assert reused.startswith(f"reused from {first.version[:16]} (computed 20")
    assert explain(str(pipeline.files(last))).as_json()["computed"]["version"] == first.version
    shutil.rmtree(pipeline.files(first))
    assert re.search(r"^reused from \w{16} \(not in the store\)$", "\n".join(lines(pipeline.files(last))), re.MULTILINE)


def test_an_accepted_change_is_told_with_its_reason(cleaned: Path) -> None:
    rewrite(
        cleaned / "provenance.json",
        accepted={"reason": "only renamed", "user": "ada", "time": "2026-01-02T03:04:05+00:00"},
    )
    assert "change accepted by ada 2026-01-02: only renamed" in lines(cleaned)


def edit(path: Path, **fields: Any) -> None:
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, **fields}))


def rewrite(path: Path, **fields: Any) -> None:
    """Write a record as another program would, without a seal."""
    record = json.loads(path.read_text())
    del record["seal"]
    path.write_text(json.dumps({**record, **fields}))


def test_an_artefact_is_found_by_the_first_digits_of_its_version(report: Path) -> None:
    version = explain(str(report)).found.record.version
    for digits in (version[:8], version[:16], version):
        assert lines(digits) == lines(report)
    with pytest.raises(
        PathError, match=r"^no artefact in the store has a version that begins with 00000000, and no file"
    ):
        explain("00000000")


def test_digits_that_begin_several_versions_are_not_guessed(report: Path) -> None:
    twin = report.with_name(f"{report.name[:-1]}{'0' if report.name[-1] != '0' else '1'}")
    shutil.copytree(report, twin)
    with pytest.raises(PathError, match=r" begins the versions of .*; expected more digits, or one of these paths\.$"):
        explain(report.name[-16:-8])


class TestDamage:
    """What is not as it was written is said first, and the exit code is 1."""

    def check(self, path: Path, told: str) -> None:
        answer = explain(str(path))
        assert answer.exit_code == 1
        assert answer.lines()[0] == f"damaged: {told}; what follows is what was recorded"
        assert answer.as_json()["damage"] == told

    @pytest.mark.parametrize("name", ["report.html", "report.ipynb", "measures.json"])
    def test_a_file_that_was_edited(self, report: Path, name: str) -> None:
        (report / name).write_text((report / name).read_text().replace("2020", "2021") + " ")
        for path in (report, report / name):
            self.check(path, f"{name} is not what was written")
        assert report.exists(), "a question moves nothing"

    def test_a_page_that_was_cut_off(self, report: Path) -> None:
        (report / "report.html").write_bytes((report / "report.html").read_bytes()[:1000])
        self.check(report / "report.html", "report.html is not what was written")

    def test_a_file_that_is_gone(self, cleaned: Path) -> None:
        (cleaned / "table.parquet").unlink()
        self.check(cleaned, "table.parquet cannot be read")

    def test_a_record_of_another_version_than_its_folder(self, cleaned: Path) -> None:
        rewrite(cleaned / "provenance.json", version="0" * 64)
        self.check(cleaned, f"provenance.json says version {'0' * 16}, its folder {cleaned.name}")

    def test_a_lone_page_that_is_not_the_one_in_the_store(self, report: Path, tmp_path: Path, pipeline: Any) -> None:
        lone = tmp_path / "lone.html"
        lone.write_text((report / "report.html").read_text().replace("<body", "<body title='better'"))
        self.check(lone, "lone.html is not what was written")
        shutil.rmtree(pipeline.store)
        assert explain(str(lone)).exit_code == 0


class TestBadInput:
    """What is no artefact is refused in one line, and nothing is written or moved."""

    EXPECTED = (
        "; expected a report's HTML file, an artefact's folder, a file in it, or a version's first 8 digits or more."
    )

    def refused(self, path: Path | str, told: str, pipeline: Any, ending: str = EXPECTED) -> None:
        before = sorted(pipeline.store.rglob("*"))
        with pytest.raises((PathError, StoreError)) as caught:
            explain(str(path))
        assert str(caught.value).startswith(f"{path} {told}")
        assert str(caught.value).endswith(ending)
        assert "\n" not in str(caught.value)
        assert sorted(pipeline.store.rglob("*")) == before

    def test_folders_above_an_artefact(self, report: Path, pipeline: Any) -> None:
        for path in (report.parent, report.parent.parent, pipeline.store, pipeline.folder):
            self.refused(path, "is a folder without provenance", pipeline)

    @pytest.mark.parametrize("given", ["", ".", "./"])
    def test_the_present_folder_is_named(self, pipeline: Any, given: str) -> None:
        with pytest.raises(PathError, match=f"^{pipeline.folder.resolve()} is a folder without provenance"):
            explain(given)

    def test_devices(self, pipeline: Any) -> None:
        self.refused("/dev/zero", "is no regular file", pipeline)

    def test_a_name_that_no_file_can_have(self, pipeline: Any) -> None:
        self.refused("x" * 5000, "cannot be read (File name too long)", pipeline)

    def test_a_store_elsewhere(self, pipeline: Any) -> None:
        self.refused("s3://bucket/store/ReportTask", "is not in the store", pipeline)

    @pytest.mark.parametrize("text", ["", "[", "{}", "null", "[" * 100_000, '{"format": 1}'])
    def test_a_record_that_is_none(self, cleaned: Path, pipeline: Any, text: str) -> None:
        (cleaned / "provenance.json").write_text(text)
        self.refused(cleaned, "has no readable provenance", pipeline)

    def test_a_record_of_another_format(self, cleaned: Path, pipeline: Any) -> None:
        edit(cleaned / "provenance.json", format=2)
        self.refused(cleaned, "has provenance of format 2, not 1; another release", pipeline, "in PARCOURS_STORE.")

    @pytest.mark.parametrize(
        "fields",
        [
            {"started": "yesterday"}, {"started": "2020-01-01T00:00:00"}, {"started": 1}, {"seconds": "long"},
            {"seconds": None}, {"user": 1}, {"host": None}, {"version": "../../x"}, {"task": "../../x"}, {"task": ""},
            {"parameters": {"date": ".."}}, {"parameters": {"date": 1}}, {"reused_from": 1},
            {"code": {"digest": "x", "files": {}}}, {"code": {"digest": "x", "files": {}, "commit": 1, "dirty": True}},
            {"environment": {"python": "3.11", "packages": {"pandas": 3}}}, {"source": {}}, {"source": []},
            {"failure": {"cell": 1}}, {"failure": "x"}, {"accepted": {}}, {"accepted": True},
            {"template": {"name": "../x", "digest": "", "values": {}}},
            {"inputs": [{"task": "..", "date": "-", "version": "0" * 64, "digest": ""}]},
            {"inputs": [{"task": "Events", "date": "../..", "version": "0" * 64, "digest": ""}]},
            {"inputs": ["Events"]}, {"outputs": {"../x": {"sha256": "", "bytes": 0}}}, {"outputs": []},
        ],
        ids=json.dumps,
    )  # fmt: skip
    def test_a_record_of_another_shape(self, light: tuple[Path, str], pipeline: Any, fields: dict[str, Any]) -> None:
        page, record = light
        unsealed = json.loads(record)
        del unsealed["seal"]
        wrong = json.dumps({**unsealed, **fields})
        page.write_text(f'<html><script type="application/json" id="provenance">{wrong}</script></html>')
        self.refused(page, "has no readable provenance", pipeline)

    @pytest.mark.parametrize("fields", [{"user": "somebody"}, {"source": None}, {"seconds": 0.001}], ids=json.dumps)
    def test_a_record_that_was_edited(self, cleaned: Path, pipeline: Any, fields: dict[str, Any]) -> None:
        edit(cleaned / "provenance.json", **fields)
        self.refused(cleaned, "has provenance that was changed after it was written", pipeline, "made anew.")

    @pytest.fixture
    def light(self, cleaned: Path, tmp_path: Path) -> tuple[Path, str]:
        return tmp_path / "page.html", (cleaned / "provenance.json").read_text()

    def test_the_last_record_of_a_page_is_its_own(self, light: tuple[Path, str]) -> None:
        page, record = light
        script = '<script type="application/json" id="provenance">'
        page.write_text(f"<html>{script}broken, shown by a cell {script}{record}</script></html>")
        assert lines(page)[0].startswith("Cleaned 2020-01-01  made ")

    def test_a_broken_pipeline_is_no_obstacle(self, cleaned: Path, pipeline: Any) -> None:
        (pipeline.folder / "acme.py").write_text("broken = ")
        assert lines(cleaned)[0].startswith("Cleaned 2020-01-01  made ")

    def test_a_key_of_luigi_cfg_that_is_wrong_is_said(self, cleaned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PARCOURS_STOER", "x")
        with pytest.raises(ParcoursError, match="PARCOURS_STOER"):
            explain(str(cleaned))


def chain(store: Path, length: int) -> Path:
    """Results of one task, each made from the one before."""
    given: list[dict[str, str]] = []
    for number in range(length):
        version = f"{number:064x}"
        # The folder shows the first digits, so these are what must differ.
        version = version[::-1]
        record = {
            "format": 1, "task": "Chain", "version": version, "parameters": {"version": version}, "inputs": given,
            "code": {"digest": "c", "files": {}, "commit": None, "dirty": False}, "reused_from": None,
            "outputs": {"table.parquet": {"sha256": "d", "bytes": 1, "rows": 1}},
            "environment": {"python": "3.11.7", "packages": {}}, "started": "2020-01-01T00:00:00.000+00:00",
            "seconds": 1.0, "host": "h", "user": "u", "task_id": "t",
        }  # fmt: skip
        folder = store / "Chain" / "-" / version[:16]
        folder.mkdir(parents=True)
        (folder / "provenance.json").write_text(json.dumps(record))
        given = [{"task": "Chain", "date": "-", "version": version, "digest": "d"}]
    return folder


def test_a_chain_longer_than_the_stack_is_told_to_its_end(pipeline: Any) -> None:
    answer = explain(str(chain(pipeline.store, 500)))
    told = answer.lines()
    assert sum(line.lstrip(" ").startswith("└─ Chain") for line in told) == 499
    assert sum("(continued)" in line for line in told) == sum("(continued below)" in line for line in told) > 5
    assert json.dumps(answer.as_json()).count('"task_id"') == 500


def test_a_store_that_is_no_folder_is_asked_by_its_addresses(
    pipeline: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PARCOURS_STORE", "memory://explained")
    task = pipeline.load(DIAMOND).Cleaned(date=DAY)
    assert pipeline.build(task)
    address = task.output().path
    assert address.startswith("memory://explained/Cleaned/2020-01-01/")
    for path in (address, f"{address}/table.parquet"):
        assert lines(path)[0].startswith("Cleaned 2020-01-01  made ")
        assert explain(path).exit_code == 0
    with pytest.raises(PathError, match=r"^memory://explained/nowhere does not exist; expected"):
        explain("memory://explained/nowhere")
    with pytest.raises(PathError, match=r"^s3://bucket/x is not in the store memory://explained/; expected"):
        explain("s3://bucket/x")
    import fsspec

    fsspec.filesystem("memory").pipe_file(
        "explained" + address.removeprefix("memory://explained") + "/table.parquet", b"x"
    )
    assert explain(address).lines()[0].startswith("damaged: table.parquet is not what was written")
