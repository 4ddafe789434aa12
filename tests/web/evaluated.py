"""A project whose commits were evaluated and that has reports, with texts and pictures that would do harm if they could."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HARM = "<script>alert(1)</script>"
MEASURE = f'late"{HARM}'
SUITES = f"""
[default]
dataset = "small"
reports = [{{ template = "figures", dates = ["2020-01-01"] }}]

[default.measures]
{json.dumps(MEASURE)} = {{ better = "lower", absolute = 0.1 }}
"""
PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)
cleaned: "Cleaned" = "samples/cleaned.parquet"
factor: float = 2.0
"""
MEASURED = f"""import pandas as pd
from workflows import measure
table = pd.read_parquet(cleaned)
assert factor
total = float(table.value.sum())
measure({MEASURE!r}, total, better="lower", unit={HARM!r})
measure("rows", len(table))"""
DRAWN = """from IPython.display import SVG, display
from PIL import Image
display(Image.new("RGB", (40, 20), (int(total * 9) % 255, 0, 0)))
display(SVG(f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="alert(1)"><script>alert({total})</script></svg>'))"""


@dataclass
class Evaluated:
    """The project."""

    place: Any
    commits: list[str] = field(default_factory=list)
    """Oldest first; the last one makes the measure worse."""

    def git(self, *words: str) -> str:
        """Run git in it."""
        environment = self.place.variables()
        done = subprocess.run(
            ["git", *words], cwd=self.place.folder, check=True, capture_output=True, text=True, env=environment
        )
        return done.stdout.strip()

    def commit(self, subject: str) -> None:
        """Commit all there is."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={subject}")
        self.commits.append(self.git("rev-parse", "HEAD"))

    def report(self, date: str, *more: str) -> None:
        """Make a report, or one that fails."""
        self.place.report("figures", date, *more)

    def made(self, date: str) -> list[str]:
        """The reports of a date, oldest first, by their places in the store."""
        folders = sorted((self.place.store / "ReportTask" / date).iterdir(), key=lambda path: path.stat().st_mtime)
        return [path.relative_to(self.place.store).as_posix() for path in folders]

    @property
    def failed(self) -> str:
        """The report that failed."""
        [found] = (self.place.store / "failed").glob("*/*/*")
        return found.relative_to(self.place.store).as_posix()


def evaluated(place: Any) -> Evaluated:
    """The project, its three commits run and judged, and reports of two dates, of which one failed."""
    ada = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    place.environment |= ada | {"GIT_CONFIG_GLOBAL": os.devnull}
    found = Evaluated(place)
    (place.folder / "templates" / "small.ipynb").unlink()
    place.template("figures", PARAMETERS, MEASURED, DRAWN)
    (place.folder / "templates" / "suites.toml").write_text(SUITES)
    (place.folder / "requirements.lock").write_text(f"pandas=={importlib.metadata.version('pandas')}\n")
    (place.folder / ".gitignore").write_text("data/\n*.db\n__pycache__/\n")
    found.git("init", "--quiet", "--initial-branch=main")
    days = ("--from", "2020-01-01", "--to", "2020-01-01")
    assert place.run("parcours", "freeze", "small", "--queries", "Events", *days).code == 0
    found.commit("Begin")
    found.commit("Explain")
    found.report("2020-01-01")
    pipeline = Path(place.folder / "acme.py")
    pipeline.write_text(pipeline.read_text().replace("* self.factor", "* (self.factor + 1)"))
    found.commit(f'Weigh {HARM} "otherwise"')
    done = place.run("parcours", "evaluate", "--range", f"{found.commits[0]}..HEAD")
    assert done.code == 1, done.err
    for date, *more in (("2020-01-01",), ("2020-01-02",), ("2020-01-02", "--parameters", '{"factor": 0}')):
        found.report(date, *more)
    return found
