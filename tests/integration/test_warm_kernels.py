"""Kernels by fork: that they are as clean as those that start by themselves, and what happens when their parent ends."""

from __future__ import annotations

import configparser
import contextlib
import datetime
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from workflows import ReportTask
from workflows.notebooks.execution import Execution, Limits, execute
from workflows.notebooks.guarded import OPTIONS
from workflows.notebooks.warm import lease
from workflows.notebooks.warm.fresh import Request
from workflows.notebooks.warm.spare import AGE, MODULE, Spare, Spares
from workflows.tasks.kernels import imported_ahead

pytestmark = [pytest.mark.integration, pytest.mark.skipif(not lease.can_fork(), reason="needs Linux")]

Run = Callable[..., Execution]
ROOT = Path(__file__).resolve().parents[2]
AHEAD = ["matplotlib", "numpy", "pandas"]


def notebook(*cells: str) -> dict[str, Any]:
    made = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for n, source in enumerate(cells)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs cells in the folder `templates` of a project in `tmp_path`."""
    (tmp_path / "templates").mkdir()

    def through(*cells: str, ahead: list[str] | None = AHEAD, watcher: Any = lambda *_: None) -> Execution:
        return execute(notebook(*cells), tmp_path / "templates", tmp_path, Limits(20, 60), watcher, ahead=ahead)

    return through


def said(execution: Execution) -> str:
    """The text of the last cell's first output."""
    assert execution.failure is None, execution.failure
    output = execution.notebook.cells[-1].outputs[0]
    return str(output.get("text") or output["data"]["text/plain"]).strip()


def parents() -> list[psutil.Process]:
    """The processes of this one that fork kernels."""
    found = []
    for child in psutil.Process().children():
        # One of another test may have ended, and be waited for by nobody.
        with contextlib.suppress(psutil.Error):
            if "warm.parent" in " ".join(child.cmdline()):
                found.append(child)
    return found


def spare() -> psutil.Process:
    """The kernel that waits to be lent, once it does and no other runs."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = [child for parent in parents() for child in parent.children()]
        if len(found) == 1 and found[0].num_threads() > 1:
            # Its parent may still be removing what the one before left.
            time.sleep(0.2)
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"{found} wait")


ALL_KINDS = (
    "import sys\nimport numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt",
    "frame = pd.DataFrame({'n': [1.5, 2], 't': ['a', None], 'd': pd.Timestamp(0)})\nframe",
    "frame.style.format(precision=1)",
    "plt.plot([1, 3, 2], label='$x^2$')\nplt.legend();",
    "plt.rcParams['svg.hashsalt'], plt.get_backend()",
    "%config InlineBackend.figure_formats = ['svg']\nplt.bar(['a', 'b'], [1, 2]);",
    "import warnings\nwarnings.warn('once')\nprint('out')\nprint('err', file=sys.stderr)\nnp.float64(1) / 0",
    "sys.path, sys.flags, sys.stdin.readline(), {'a', 'b', 'c'}",
    "1 / 0",
)


def test_warm_and_plain_kernels_give_the_same_bytes(run: Run) -> None:
    warm, plain = run(*ALL_KINDS), run(*ALL_KINDS, ahead=None)
    assert nbformat.writes(warm.notebook) == nbformat.writes(plain.notebook)
    assert warm.failure == plain.failure


SURROUNDINGS = """
import gc, json, locale, logging, os, signal, sys, threading, time, warnings
own = ("IPYTHONDIR", "MATPLOTLIBRC", "_PARCOURS", "JPY_")
print(json.dumps({
    "path": sys.path, "flags": str(sys.flags), "module": __name__, "folder": os.getcwd(), "words": sys.orig_argv[:3],
    "environment": {name: value for name, value in sorted(os.environ.items()) if not name.startswith(own)},
    "signals": {number: str(signal.getsignal(number)).split(" at ")[0] for number in (2, 13, 15)},
    "blocked": str(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "time": time.tzname, "gc": gc.get_threshold(),
    "locale": locale.setlocale(locale.LC_ALL), "began": [get_ipython().starting_dir, repr(_dh)], "names": sorted(globals()), "warnings": sorted(map(str, warnings.filters)),
    "logging": str(logging.root.handlers), "leads": [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()],
    "streams": [str(type(stream)) for stream in (sys.stdin, sys.stdout, sys.__stdout__)], "limit": sys.getrecursionlimit(),
}))
"""


def test_a_warm_kernel_finds_what_a_plain_one_finds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = "import matplotlib.pyplot, pandas\n" + SURROUNDINGS
    lease.end()
    forked = json.loads(said(run(cell)))
    spare()
    waited, plain = json.loads(said(run(cell))), json.loads(said(run(cell, ahead=None)))
    assert forked == plain
    assert waited == plain


@pytest.mark.parametrize("ahead", [AHEAD, None])
def test_a_kernel_computes_with_one_thread(run: Run, ahead: list[str] | None) -> None:
    cell = "import numpy, os, pyarrow\nlen(os.listdir('/proc/self/task')), numpy.ones((500, 500)).dot(numpy.ones((500, 500))).sum(), len(os.listdir('/proc/self/task')), pyarrow.cpu_count()"
    before, _, after, of_arrow = said(run(cell, ahead=ahead)).strip("()").split(", ")
    assert (before, of_arrow) == (after, "1")


def test_nothing_of_a_report_is_seen_by_the_next(run: Run, tmp_path: Path) -> None:
    mark = "import builtins, pandas, os\nbuiltins.left = pandas.left = 1\nos.environ['LEFT'] = '1'\nkept = open('left', 'w')"
    assert run(mark, "pandas.options.display.max_rows = 3").failure is None
    look = "import builtins, pandas, os\nopen_files = [os.path.realpath(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')]\n"
    found = "hasattr(builtins, 'left'), hasattr(pandas, 'left'), 'LEFT' in os.environ, 'kept' in globals(), any('left' in f for f in open_files), pandas.options.display.max_rows"
    assert said(run(look + found)) == "(False, False, False, False, False, 60)"


def test_random_numbers_are_others_in_each_report(run: Run) -> None:
    cell = "import random, numpy, uuid\nrandom.random(), numpy.random.random(), numpy.random.default_rng().random()"
    one, two = said(run(cell)), said(run(cell))
    assert not set(one.strip("()").split(", ")) & set(two.strip("()").split(", "))


def test_a_module_of_the_project_is_read_by_each_report_anew(run: Run, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / "acme.py").write_text(f"x = {number}  #{' ' * number}")
        assert said(run("import acme\nacme.x")) == str(number)


def test_the_project_is_never_imported_ahead(run: Run, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (tmp_path / "acme.py").write_text(f"open({str(ran)!r}, 'a').write(__name__)")
    assert said(run("1", ahead=["acme", "pandas"])) == "1"
    assert not ran.exists()


def test_a_file_with_the_name_of_an_installed_module_is_what_is_imported(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "jinja2.py").write_text("x = 'mine'")
    assert said(run("import jinja2\njinja2.x")) == "'mine'"
    assert "kernels start cold" in capfd.readouterr().err


def test_a_sitecustomize_of_the_project_is_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.mine = 1")
    assert said(run("import sys\nsys.mine")) == "1"


def test_a_matplotlibrc_beside_the_templates_counts(run: Run, tmp_path: Path) -> None:
    cell = "import matplotlib\nmatplotlib.rcParams['lines.linewidth'], matplotlib.rcParamsOrig['timezone']"
    (tmp_path / "templates" / "matplotlibrc").write_text("lines.linewidth: 3\ntimezone: Europe/Paris\n")
    assert said(run(cell)) == said(run(cell, ahead=None)) == "(3.0, 'Europe/Paris')"


def test_a_parent_that_was_killed_costs_one_retry(run: Run) -> None:
    run("1")
    for parent in parents():
        parent.kill()
    before = lease.counts.copy()
    assert said(run("2")) == "2"
    assert lease.counts - before == {"retries": 1, "parents": 1, "forks": 1}


def test_a_parent_that_ended_is_there_again_before_others_ask(run: Run) -> None:
    run("1")
    lease.renew()
    assert len(parents()) == 1
    for parent in parents():
        parent.kill()
        parent.wait()
    before = lease.counts.copy()
    lease.renew()
    assert said(run("2")) == "2"
    assert lease.counts - before == {"parents": 1, "forks": 1}


@pytest.mark.parametrize("seed", range(3))
def test_a_parent_may_be_killed_at_any_moment(run: Run, seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    lease.end()
    draw, ended, before = random.Random(seed), threading.Event(), lease.counts.copy()
    kills = 0

    def kill() -> None:
        nonlocal kills
        # Now and then while it imports, forks, or has lent all that it had.
        while not ended.wait(draw.uniform(0.4, 2.5)):
            for parent in parents():
                with contextlib.suppress(psutil.NoSuchProcess):
                    parent.kill()
                    kills += 1

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        reports = 0
        while kills < 4:
            assert said(run(f"{reports} + 1")) == str(reports + 1)
            reports += 1
    finally:
        ended.set()
        killer.join()
    assert reports
    assert "Traceback" not in capfd.readouterr().err
    assert (lease.counts - before)["retries"] <= kills


def test_a_parent_that_is_killed_harms_no_report_that_runs(run: Run) -> None:
    def kill(_: Any, done: int, of: int) -> None:
        if done == 1:
            for parent in parents():
                parent.kill()
                parent.wait()

    assert said(run("x = 1", "import time; time.sleep(0.2)", "x + 1", watcher=kill)) == "2"


def test_a_kernel_that_waited_goes_on_when_its_parent_is_ended_as_soon_as_it_is_lent(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork = lease.fork

    def fork_and_end(*asked: Any) -> lease.Fork:
        forked = fork(*asked)
        lease.end()
        return forked

    for _ in range(5):
        run("1")
        spare()
        with monkeypatch.context() as patch:
            patch.setattr(lease, "fork", fork_and_end)
            assert said(run("2")) == "2"


TOLD = """
import os, signal, socket, sys
from pathlib import Path
from workflows.notebooks.warm.parent import Parent
from workflows.notebooks.warm.spare import Spares
os.register_at_fork(before=lambda: os.kill(os.getpid(), signal.SIGTERM))
with socket.socket() as listener:
    listener.listen()
    if Parent(listener, os.pidfd_open(os.getppid()), 60, Spares(Path(sys.argv[1]), 1)).serve() is None:
        print("ended")
"""


def test_a_parent_that_is_told_to_end_while_it_forks_ends(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOLD, str(tmp_path)], capture_output=True, text=True, timeout=20, check=True
    )
    assert (done.stdout, done.stderr) == ("ended\n", "")


@pytest.mark.parametrize(
    "end",
    [
        "import ctypes; ctypes.string_at(0)",
        "import os, pathlib\nparent = os.getppid()\n"
        "assert b'warm.parent' in pathlib.Path(f'/proc/{parent}/cmdline').read_bytes(), 'it has another parent'\n"
        "os.kill(parent, 15); os._exit(3)",
        "import os; os.fork(); 1/0",
    ],
)
def test_a_kernel_that_ends_badly_harms_no_other(run: Run, end: str) -> None:
    assert run(end).failure is not None
    assert said(run("3")) == "3"


def test_a_kernel_that_waits_is_lent_to_the_next_report(run: Run) -> None:
    run("1")
    waiting, before = spare().pid, lease.counts["ahead"]
    assert said(run("import os\nos.getpid()")) == str(waiting)
    assert lease.counts["ahead"] == before + 1
    assert spare().pid != waiting


def test_a_kernel_that_waited_gives_the_bytes_of_a_plain_one(run: Run) -> None:
    run("1")
    spare()
    before = lease.counts["ahead"]
    waited, plain = run(*ALL_KINDS), run(*ALL_KINDS, ahead=None)
    assert lease.counts["ahead"] == before + 1
    assert nbformat.writes(waited.notebook) == nbformat.writes(plain.notebook)


def test_a_kernel_that_died_while_it_waited_costs_nothing(run: Run) -> None:
    run("1")
    spare().kill()
    assert said(run("2")) == "2"


def test_a_module_of_the_project_that_changed_while_a_kernel_waited_is_read_anew(run: Run, tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text("x = 1")
    run("import acme")
    spare()
    (tmp_path / "acme.py").write_text("x = 'changed'")
    assert said(run("import acme\nacme.x")) == "'changed'"


def test_a_kernel_that_waits_ends_with_its_parent(run: Run) -> None:
    run("1")
    waiting = spare()
    for parent in parents():
        parent.kill()
    until = time.monotonic() + 5
    while waiting.is_running() and waiting.status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
        time.sleep(0.02)
    assert not waiting.is_running() or waiting.status() == psutil.STATUS_ZOMBIE


def test_no_more_kernels_wait_than_there_will_be_reports(tmp_path: Path) -> None:
    spares = Spares(tmp_path, bound=2, reports=1)
    assert spares.is_wanting
    assert spares.lend(Request("workflows.notebooks.guarded", [], {}, "/"), []) is None
    assert not spares.is_wanting


def test_none_is_started_ahead_for_who_asks_for_kernels_that_cannot_be(tmp_path: Path) -> None:
    spares = Spares(tmp_path, bound=1)
    assert spares.lend(Request("ipykernel_launcher", ["-f", "k.json"], {}, "/"), []) is None
    assert not spares.is_wanting
    assert spares.lend(Request(MODULE, ["-f", "k.json", *OPTIONS], {}, "/"), []) is None
    assert spares.is_wanting


def test_a_kernel_that_waited_too_long_is_ended_and_not_replaced(tmp_path: Path) -> None:
    child = os.posix_spawnp("sleep", ["sleep", "60"], os.environ)
    control, other = socket.socketpair()
    spares = Spares(tmp_path, bound=1)
    long_ago = time.monotonic() - AGE - 1
    spares.waiting.append(Spare(child, os.pidfd_open(child), control, tmp_path / "x", long_ago))
    with other:
        spares.retire()
    assert not psutil.pid_exists(child)
    assert spares.waiting == []
    assert not spares.is_wanting


def test_a_kernel_that_waits_is_ended_where_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = os.posix_spawnp("sleep", ["sleep", "60"], os.environ)
    control, other = socket.socketpair()
    spares = Spares(tmp_path, bound=1)
    spares.waiting.append(Spare(child, os.pidfd_open(child), control, tmp_path / "x", time.monotonic()))
    monkeypatch.setattr("workflows.notebooks.warm.spare._available", lambda: 2**20)
    with other:
        spares.retire()
    assert not psutil.pid_exists(child)
    assert spares.waiting == []


def test_no_kernel_is_started_ahead_where_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.notebooks.warm.spare._available", lambda: 2**20)
    assert not Spares(tmp_path, bound=1).is_wanting


def test_many_reports_leave_no_process_and_no_descriptor(run: Run) -> None:
    run("1")
    spare()
    process, children = psutil.Process(), len(psutil.Process().children(recursive=True))
    descriptors = process.num_fds()
    parent = parents()[0]
    of_parent = parent.num_fds()
    for _ in range(10):
        run("1")
    spare()
    assert process.num_fds() == descriptors
    assert len(process.children(recursive=True)) == children
    assert parent.num_fds() == of_parent
    assert parent.num_threads() == 1


OWNER = """
import os
from workflows.identity.surroundings import fixed
from workflows.notebooks.warm import lease
from pathlib import Path
lease.start(fixed(os.environ), Path.cwd(), [])
print(lease._held._lender._process.pid, flush=True)
input()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_parent_ends_with_its_owner(number: int) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdin=-1, stdout=-1, text=True) as owner:
        assert owner.stdout is not None
        parent = psutil.Process(int(owner.stdout.readline()))
        owner.send_signal(number)
    until = time.monotonic() + 10
    while psutil.pid_exists(parent.pid) and parent.status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
        time.sleep(0.02)
    assert not psutil.pid_exists(parent.pid) or parent.status() == psutil.STATUS_ZOMBIE


def test_another_environment_has_another_parent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("1")
    before = lease.counts["parents"]
    run("1")
    assert lease.counts["parents"] == before
    monkeypatch.setenv("SOMETHING", "else")
    assert said(run("import os\nos.environ['SOMETHING']")) == "'else'"
    assert lease.counts["parents"] == before + 1
    assert len(parents()) == 1


def test_where_fork_is_not_to_be_had_kernels_are_plain_and_one_line_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("workflows.notebooks.warm.lease.can_fork", lambda: False)
    assert [said(run("1")), said(run("1"))] == ["1", "1"]
    assert capfd.readouterr().err.count("kernels start cold") == 1


def test_a_folder_that_is_gone_ends_the_kernel_and_not_its_parent(run: Run, tmp_path: Path) -> None:
    run("1")
    execution = execute(notebook("1"), tmp_path / "gone", tmp_path, Limits(20, 60), lambda *_: None, ahead=AHEAD)
    assert execution.failure is not None
    assert execution.failure.reason == "the kernel did not start: it died"
    assert len(parents()) == 1
    assert said(run("4")) == "4"


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A kernel of Jupyter's own that names the provisioner."""
    folder = tmp_path / "data" / "kernels" / "warm"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    stanza = {"kernel_provisioner": {"provisioner_name": "parcours-warm", "config": {"preload": ["pandas"]}}}
    text = {"argv": argv, "display_name": "x", "language": "python", "metadata": stanza}
    (folder / "kernel.json").write_text(json.dumps(text))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    # As an installation writes them; that of a checkout may be older than its setup.cfg.
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    (tmp_path / "entries-1.dist-info").mkdir()
    points = "jupyter_client.kernel_provisioners"
    declared = setup["options.entry_points"][points]
    (tmp_path / "entries-1.dist-info" / "entry_points.txt").write_text(f"[{points}]{declared}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    # It may know what was installed before.
    KernelProvisionerFactory.clear_instance()
    yield "warm"
    lease.end()


def test_jupyters_own_tools_get_warm_kernels_too(spec: str) -> None:
    before = lease.counts["forks"]
    manager = KernelManager(kernel_name=spec)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        reply = client.execute_interactive("import sys; assert 'pandas' in sys.modules; x = 1", timeout=20)
        assert reply["content"]["status"] == "ok"
        assert lease.counts["forks"] == before + 1
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    assert not manager.is_alive()


def test_what_prints_or_looks_for_a_notebook_is_not_imported_ahead(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text("print('hello')")
    (tmp_path / "warner.py").write_text("import warnings\nwarnings.warn('old')")
    (tmp_path / "asker.py").write_text("from IPython import get_ipython\nshell = get_ipython()")
    (tmp_path / "careless.py").write_text("try:\n    import asker\nexcept BaseException:\n    pass")
    (tmp_path / "quiet.py").write_text("x = 1")
    names = ["loud", "warner", "asker", "careless", "quiet"]
    script = f"import sys; sys.path.append({str(tmp_path)!r})\nfrom pathlib import Path\nfrom workflows.notebooks.warm.preload import preload\n"
    script += f"print(preload({names!r}, [Path({str(tmp_path)!r})]), 'asker' in sys.modules, 'quiet' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['loud', 'warner', 'careless'] False True"


def test_another_user_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows.notebooks.warm import parent

    ours, theirs = socket.socketpair()
    with ours, theirs:
        monkeypatch.setattr(os, "getuid", lambda: -1)
        with pytest.raises(PermissionError):
            parent.check(ours)


DATE = "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)"


@pytest.fixture
def plan(pipeline: Any) -> Callable[..., ReportTask]:
    """Plans a report of a template with these cells."""

    def report(*cells: str) -> ReportTask:
        pipeline.template("warm", DATE, *cells)
        pipeline.load("")
        return ReportTask(date=datetime.date(2020, 1, 1), template="warm")

    return report


def test_what_is_imported_ahead_is_what_the_template_imports(plan: Callable[..., ReportTask]) -> None:
    assert {"numpy", "pandas"} <= set(imported_ahead([plan("import pandas as pd\nfrom numpy import linalg")]) or [])


@pytest.mark.parametrize(
    "cell", ["import os\nos.environ['MPLBACKEND'] = 'svg'", "from os import environ\nenviron.update(A='b')", "%env A=b"]
)
def test_a_template_that_changes_the_environment_has_a_plain_kernel(plan: Callable[..., ReportTask], cell: str) -> None:
    assert imported_ahead([plan(cell)]) is None
    assert imported_ahead([plan("import os\nos.environ.get('A')")]) is not None


def test_warm_kernels_can_be_switched_off(plan: Callable[..., ReportTask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCOURS_WARM_KERNELS", "false")
    assert imported_ahead([plan("import pandas")]) is None


def test_a_command_leaves_no_process_and_says_nothing_of_its_kernels(workplace: Any) -> None:
    workplace.template("quick", DATE, "import pandas\n1 + 1")
    done = workplace.run(
        "luigi",
        "--module",
        "workflows",
        "ReportTask",
        "--date",
        "2013-01-15",
        "--template",
        "quick",
        "--local-scheduler",
    )
    assert done.code == 0, done.err
    assert "cold" not in done.err
    assert workplace.processes() == []


KILLER = """
import os, pathlib, signal
place = pathlib.Path(os.environ.get("PLACE"), str(os.getppid()))
is_first = not any(place.parent.iterdir())
place.touch()
if is_first:
    os.kill(os.getppid(), signal.SIGKILL)
"""


def test_a_parent_that_was_killed_costs_the_workers_of_a_backfill_one_more(workplace: Any, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    workplace.template("quick", DATE, KILLER)
    words = "--module workflows Backfill --start 2013-01-01 --stop 2013-01-06 --template quick --local-scheduler --workers 2"
    done = workplace.run("luigi", *words.split(), PLACE=str(seen))
    assert done.code == 0, done.err
    # The first, the one after it, and that of a report which had already begun.
    assert len(list(seen.iterdir())) in (2, 3)
