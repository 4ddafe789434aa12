"""Thousands of trivial stages made by one worker, against plain Luigi that runs as many trivial tasks.

Goal: at most a tenth of the time for 4,000, and growth close to linear. Ours makes a table of one row in each stage, stored
with its provenance; theirs writes a number to a file.
Run: .venv/bin/python benchmarks/many_stages.py [--stages STAGES] [--runs RUNS]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from workplace import LUIGI, Taken, compare, taken

STAGES = '''
import luigi
import pandas as pd
from workflows import Stage

class Trivial(Stage):
    """A table of one number."""

    number = luigi.IntParameter()

    def compute(self):
        return pd.DataFrame({"value": [self.number]})

class All(luigi.WrapperTask):
    count = luigi.IntParameter()

    def requires(self):
        return [Trivial(number=number) for number in range(self.count)]
'''
TASKS = """
import luigi

class Trivial(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"files/{self.number}")

    def run(self):
        with self.output().open("w") as file:
            file.write(str(self.number))

class All(luigi.WrapperTask):
    count = luigi.IntParameter()

    def requires(self):
        return [Trivial(number=number) for number in range(self.count)]
"""


def ours(folder: Path, count: int) -> Taken:
    """What a run of stages takes, from an empty store."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    found = taken([str(LUIGI), "--module", "workflows", "All", "--count", str(count), "--local-scheduler"], folder)
    assert len(list((folder / "data" / "store" / "Trivial" / "-").iterdir())) == count
    return found


def theirs(folder: Path, count: int) -> Taken:
    """What a run of plain tasks takes."""
    shutil.rmtree(folder / "files", ignore_errors=True)
    command = [str(LUIGI), "--module", "trivial", "All", "--count", str(count), "--local-scheduler"]
    found = taken(command, folder, folder)
    assert len(list((folder / "files").iterdir())) == count
    return found


def main(folder: Path, count: int, runs: int) -> None:
    """Run both sides in turn, then ours with fewer stages, and print the ratio and the growth."""
    plain = folder / "plain"
    plain.mkdir()
    (plain / "trivial.py").write_text(TASKS)
    (folder / "acme.py").write_text(STAGES)
    (folder / "luigi.cfg").write_text("[workflows]\npipelines = acme\n")
    ours(folder, 1)
    pairs = [(ours(folder, count), theirs(plain, count)) for _ in range(runs)]
    names = (f"{count:,} stages", "plain luigi, as many tasks")
    compare([own for own, _ in pairs], [other for _, other in pairs], names, goal=0.1)
    for part in (count // 4, count // 2, count):
        found = ours(folder, part)
        each, computed = 1000 * found.wall / part, 1000 * found.processor / part
        print(
            f"{part:6,} stages   {found.wall:.1f} s, {each:.2f} ms each, processor {computed:.2f} ms each", flush=True
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stages", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as temporary:
        main(Path(temporary), options.stages, options.runs)
