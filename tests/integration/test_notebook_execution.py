"""Notebooks run in real kernels: what comes out, and that nothing is left of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from workflows.evaluation.measures import Measure, in_notebook
from workflows.identity.surroundings import fixed
from workflows.notebooks.execution import Execution, Limits, execute
from workflows.notebooks.warm import lease

pytestmark = pytest.mark.integration

Run = Callable[..., Execution]
NO_LIMITS = Limits(None, None)


def notebook(*cells: str) -> dict[str, Any]:
    made = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for n, source in enumerate(cells)
    ]
    text = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "text"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [text, *made]}


@pytest.fixture(params=["plain", "warm"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs cells in the folder `templates` of a project in `tmp_path`, in kernels that start by themselves or by fork."""
    (tmp_path / "templates").mkdir()
    ahead = ["matplotlib", "numpy", "pandas"] if request.param == "warm" else None
    if ahead:
        # Its folder is none of the kernels'.
        lease.start(fixed(os.environ), tmp_path, ahead)

    def through(*cells: str, limits: Limits = NO_LIMITS, watcher: Any = lambda *_: None) -> Execution:
        return execute(notebook(*cells), tmp_path / "templates", tmp_path, limits, watcher, ahead=ahead)

    return through


def texts(execution: Execution) -> list[str]:
    """What each output of the cells says, in order."""
    return [
        output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue", "")
        for cell in execution.notebook.cells
        for output in cell.get("outputs", [])
    ]


def test_a_notebook_is_run_from_its_first_cell_to_its_last(run: Run, tmp_path: Path) -> None:
    """One kernel for what needs no more: order, outputs, folder, modules, magics, measures, watcher, leftovers."""
    (tmp_path / "acme.py").write_text("x = 41")
    seen = []
    execution = run(
        "import acme, os, sys\nx = acme.x",
        "print('first')\nprint('second', file=sys.stderr)\nx + 1",
        "print(os.getcwd())",
        "y = !echo shell\nz = await __import__('asyncio').sleep(0, 3)\n%timeit -n 1 -r 1 -q z\ny[0]",
        "from workflows import measure\nmeasure('late', 0.5, unit='min', better='lower')\nmeasure('none', float('nan'))",
        "sys.stdin.readline()",
        "print('luigi' in sys.modules, 'ü€😀')",
        watcher=lambda _, done, of: seen.append((done, of)),
    )
    assert execution.failure is None
    said = texts(execution)
    assert said[:4] == ["first\n", "second\n", "42", f"{tmp_path}/templates\n"]
    assert "'shell'" in said
    assert said[-1] == "False ü€😀\n"
    assert in_notebook(execution.notebook.cells) == [
        Measure("late", 0.5, "min", "lower"),
        Measure("none", None, "1", None),
    ]
    assert seen == [(n, 7) for n in range(8)]
    assert [cell.get("execution_count") for cell in execution.notebook.cells] == [None, 1, 2, 3, 4, 5, 6, 7]
    assert all("execution" not in cell.metadata for cell in execution.notebook.cells)


def test_the_users_own_configuration_does_not_matter(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start-up files of IPython and Python, configuration beside the notebook, and an installed kernel called python3."""
    home, ran = tmp_path / "home", tmp_path / "ran"
    evil = f"open({str(ran)!r}, 'a').write(__name__)"
    for name in ("ipython/profile_default/startup/00-mine.py", "ipython/profile_default/ipython_config.py", "start.py"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(evil)
    for name in ("ipython_config.py", "ipython_kernel_config.py", "jupyter_config.py"):
        (tmp_path / "templates" / name).write_text(evil)
    spec = home / "data" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    for name, value in (
        ("IPYTHONDIR", "ipython"),
        ("JUPYTER_DATA_DIR", "data"),
        ("JUPYTER_CONFIG_DIR", "."),
        ("PYTHONSTARTUP", "start.py"),
    ):
        monkeypatch.setenv(name, str(home / value))
    execution = run("import sys, os\nprint(sys.executable, os.environ['TZ'])")
    assert execution.failure is None
    assert texts(execution) == [f"{sys.executable} UTC\n"]
    assert not ran.exists()


def test_a_cell_that_raises_ends_the_run_and_says_where(run: Run, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def f():\n    raise ValueError('no\\nrows')\n")
    execution = run("print('before')", "import helper\n\nhelper.f()  # here\n", "print('never')")
    failure = execution.failure
    assert failure is not None
    assert (failure.cell, failure.of, failure.reason, failure.line) == (
        2,
        3,
        "ValueError: no rows",
        "helper.f()  # here",
    )
    cells = execution.notebook.cells
    assert [len(cell.get("outputs", [])) for cell in cells] == [0, 1, 1, 0]
    assert cells[2].outputs[0].output_type == "error"


def pids(folder: Path, number: int = 1, seconds: float = 20) -> list[int]:
    """The process ids that a notebook's children wrote."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = [path.read_text() for path in folder.glob("*.pid")]
        if len(found) >= number and all(found):
            return [int(text) for text in found]
        time.sleep(0.05)
    raise AssertionError(f"no process ids in {folder}")


def descriptors_open() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def alive(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(processes: list[int], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(map(alive, processes)):
            return True
        time.sleep(0.02)
    return False


# Children of every kind: a plain one, one in a session of its own, one whose parent is gone, and the kernel itself.
CHILDREN = """
import os, subprocess, sys, time
here = os.environ["HERE"]
def note(name):
    with open(f"{here}/.{name}", "w") as file:
        file.write(str(os.getpid()))
    os.rename(f"{here}/.{name}", f"{here}/{name}.pid")
note("kernel")
write = "import os, sys, time; open(sys.argv[1] + '~', 'w').write(str(os.getpid())); os.rename(sys.argv[1] + '~', sys.argv[1]); time.sleep(600)"
subprocess.Popen([sys.executable, "-S", "-c", write, f"{here}/plain.pid"])
subprocess.Popen([sys.executable, "-S", "-c", write, f"{here}/session.pid"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        note("orphan")
        time.sleep(600)
    os._exit(0)
while len([name for name in os.listdir(here) if name.endswith(".pid")]) < 4:
    time.sleep(0.01)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where children note their process ids."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setenv("HERE", str(folder))
    return folder


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (
            Limits(2.0, None),
            "it took longer than cell_timeout, 2 s, and the kernel was killed; the limit is set in luigi.cfg, [workflows]",
        ),
        (
            Limits(None, 4.0),
            "the report took longer than report_timeout, 4 s, and the kernel was killed; the limit is set in luigi.cfg, [workflows]",
        ),
    ],
    ids=["cell", "report"],
)
def test_a_deadline_kills_the_kernel_and_all_its_children(run: Run, here: Path, limits: Limits, reason: str) -> None:
    began = time.monotonic()
    execution = run(CHILDREN, "while True: pass", "print('never')", limits=limits)
    assert time.monotonic() - began < 10
    assert not any(map(alive, pids(here, 4)))
    assert execution.failure is not None
    assert (execution.failure.cell, execution.failure.of, execution.failure.reason) == (2, 3, reason)
    assert execution.notebook.cells[2].outputs[-1].evalue == reason


def test_a_deadline_also_ends_a_cell_that_ignores_signals(run: Run) -> None:
    stubborn = "import signal, time\nfor s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, signal.SIG_IGN)\nwhile True: time.sleep(1)"
    execution = run(stubborn, limits=Limits(1.0, None))
    assert execution.failure is not None
    assert "cell_timeout" in execution.failure.reason


def test_children_are_gone_after_a_run_that_went_well(run: Run, here: Path) -> None:
    execution = run(CHILDREN)
    assert execution.failure is None
    assert not any(map(alive, pids(here, 4)))


KILLED = "the kernel died: it was killed from outside, or ran out of memory, and then needs less data at once or a larger machine"


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("os.kill(os.getpid(), 9)", KILLED),
        ("os.kill(os.getpid(), 1)", "the kernel died: it was ended from outside (SIGHUP)"),
        ("os._exit(3)", "the kernel died: the cell, or what it calls, ended the process with code 3"),
        (
            "import ctypes; ctypes.string_at(0)",
            "the kernel died: compiled code that the cell calls crashed (SIGSEGV)",
        ),
    ],
)
def test_a_kernel_that_dies_is_a_failure_of_its_cell(run: Run, end: str, reason: str) -> None:
    execution = run("import os", f"print('before', flush=True)\n{end}", "print('never')", limits=Limits(20, 40))
    assert execution.failure is not None
    assert (execution.failure.cell, execution.failure.of) == (2, 3)
    assert execution.failure.reason == reason


def test_a_kernel_that_runs_out_of_memory_is_a_failure(run: Run) -> None:
    hungry = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\nx = bytearray(2**33)"
    execution = run(hungry, limits=Limits(20, 40))
    assert execution.failure is not None
    assert execution.failure.reason in (
        "MemoryError",
        KILLED,
    )


def test_nothing_is_left_of_an_execution(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread, no descriptor, no folder of its own: after a good run, a failed one and a killed one."""
    own = tmp_path / "tmp"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    run("1")
    threads, descriptors = set(threading.enumerate()), descriptors_open()
    run("1")
    run("1 / 0")
    run("while True: pass", limits=Limits(0.5, None))
    run("import os; os._exit(1)")
    assert descriptors_open() == descriptors
    assert set(threading.enumerate()) <= threads
    assert list(own.iterdir()) == []


def test_a_long_temporary_folder_does_not_matter(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of a unix socket has a bound that a laptop's temporary folder may reach."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert run("1").failure is None
    assert list(long.iterdir()) == []


def test_two_notebooks_run_at_the_same_time(run: Run) -> None:
    found: dict[str, Execution] = {}

    def through(name: str) -> None:
        found[name] = run(f"import time\ntime.sleep(0.5)\nx = {name!r}", "x")

    threads = [threading.Thread(target=through, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: texts(execution) for name, execution in found.items()} == {"one": ["'one'"], "two": ["'two'"]}


OWNER = """
import sys
from pathlib import Path
from workflows.notebooks.execution import Limits, execute
cells = [{"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
         for n, source in enumerate([CHILDREN, "while True: pass"])]
execute({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}, Path("."), Path("."), Limits(None, None), lambda *_: None)
"""


def test_an_owner_that_is_killed_leaves_no_kernel_and_no_grandchild(here: Path, tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", f"CHILDREN = {CHILDREN!r}\n{textwrap.dedent(OWNER)}"], cwd=tmp_path)
    try:
        processes = pids(here, 4)
        assert all(map(alive, processes))
    finally:
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    assert all_gone(processes, 3.0)


def test_an_interrupt_while_a_cell_runs_leaves_nothing(run: Run, here: Path) -> None:
    """Ctrl-C, as the terminal sends it."""

    def press() -> None:
        pids(here, 4)
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=press)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        run(CHILDREN, "while True: pass", limits=Limits(20, 40))
    pressing.join()
    assert not any(map(alive, pids(here, 4)))


def test_the_folders_of_owners_that_were_killed_are_swept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # A socket's path must be short, which pytest's own folders are not.
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as name:
        place = Path(name)
        monkeypatch.setattr(tempfile, "tempdir", name)
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        left, kept = place / f"parcours-{dead.pid}-left", place / f"parcours-{os.getpid()}-kept"
        for folder in (left, kept, place / "parcours-other"):
            (folder / "ipython").mkdir(parents=True)
        assert run("1").failure is None
        assert sorted(path.name for path in place.iterdir()) == sorted([kept.name, "parcours-other"])


UNWELCOMING = "import ipykernel.iostream\nipykernel.iostream.IOPubThread._send_welcome_message = lambda *_: None"


def test_a_kernel_that_overlooks_who_listens_is_heard_all_the_same(run: Run, tmp_path: Path) -> None:
    """As ipykernel does where it publishes something at that very moment."""
    # Kernels start by themselves where there is such a file.
    (tmp_path / "sitecustomize.py").write_text(UNWELCOMING)
    assert texts(run("1 + 1")) == ["2"]


PLOT = "import matplotlib.pyplot as plt\nplt.rcParams['lines.linewidth'], plt.rcParams['svg.hashsalt'] is None"


def test_a_matplotlibrc_of_the_user_does_not_count_and_one_beside_the_templates_does(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("lines.linewidth: 7\n")
    monkeypatch.setenv("MATPLOTLIBRC", str(mine))
    assert texts(run(PLOT)) == ["(1.5, False)"]
    (tmp_path / "templates" / "matplotlibrc").write_text("lines.linewidth: 3\n")
    assert texts(run(PLOT)) == ["(3.0, True)"]


def test_the_kernels_own_variables_are_not_seen_by_its_code(run: Run) -> None:
    assert texts(run("import os\nsorted({'_PARCOURS_SEED', '_PARCOURS_OWNER'} & set(os.environ))")) == ["[]"]


def test_a_function_of_a_cell_can_be_read_and_its_error_names_the_cell(run: Run) -> None:
    execution = run("def f():\n    return 1 / 0", "import inspect\nprint(inspect.getsource(f))", "f()")
    assert texts(execution)[0] == "def f():\n    return 1 / 0\n\n"
    assert execution.failure is not None
    assert (execution.failure.cell, execution.failure.line) == (3, "f()")


def test_random_numbers_stay_random(run: Run) -> None:
    """An author who forgot the seed should notice."""
    cell = "import random\nrandom.random()"
    assert texts(run(cell)) != texts(run(cell))
