"""What is imported before Luigi forks a process for each task."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PIPELINE = """
import os, sys
import luigi
from workflows import Stage

BEFORE = os.getpid()

class Asked(Stage):
    number = luigi.IntParameter()

    def compute(self):
        known = [name in sys.modules for name in ("pandas", "pandera.backends.pandas.builtin_checks", "nbclient")]
        import pandas as pd
        return pd.DataFrame({"is_forked": [os.getpid() != BEFORE], "known": [str(known)]})
"""
SCRIPT = """
import luigi, sys
from workflows.tasks import local, project
from workflows.tasks.build import current

if __name__ == "__main__":
    current()
    from acme import Asked
    tasks = [Asked(number=number) for number in range(int(sys.argv[1]))]
    luigi.build(tasks, local.Factory(), local_scheduler=True, workers=2, log_level="CRITICAL")
    import pandas as pd
    store = current().store
    for task in tasks:
        print(pd.read_parquet(store.file(store.find(task.address), "table.parquet")).to_dict("records"))
"""


def test_what_tables_need_is_there_in_every_process_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "luigi.cfg").write_text("[workflows]\npipelines = acme\n")
    (tmp_path / "acme.py").write_text(PIPELINE)
    (tmp_path / "run.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "run.py", "3"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[{'is_forked': True, 'known': '[True, True, False]'}]"] * 3
