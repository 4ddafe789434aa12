"""What is imported before Luigi forks a process for each task."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = "import sys\nfrom workflows.tasks.imports import import_for\nimport_for([])\nprint('pandera.backends.pandas.builtin_checks' in sys.modules, 'nbclient' in sys.modules, end='')"


def test_a_run_without_reports_imports_what_tables_need_and_no_more() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "True False"
