"""The web page under readers: how long it takes one, two hundred who read at once, and what the first page weighs.

Goals: 200 readers at once on two cores get no error, and 95 of 100 pages within 3 times the median of one reader; the first
page with all that it loads is under 60 kB over the wire. A reader opens a page, reads for some seconds and opens another.
Beyond the goals: what happens when all 200 ask in the same moment. Run: .venv/bin/python benchmarks/readers.py [SECONDS]
"""

from __future__ import annotations

import contextlib
import datetime
import http.client
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from workplace import workplace

READERS = 200
READING = 8.0
"""Seconds that a page is read, on average."""
REPORTS = 20


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The page of a project, by its address."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        port, scheduler = one.getsockname()[1], two.getsockname()[1]
    config = folder / "luigi.cfg"
    config.write_text(re.sub(r"(?m)^scheduler_port = .*$", f"scheduler_port = {scheduler}", config.read_text()))
    command = [sys.executable, "-m", "workflows.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if read(address, "/healthz")[0] == 200:
                    break
            assert time.monotonic() < until, "the page did not begin"
            time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def read(address: str, path: str) -> tuple[int, bytes, float, dict[str, str]]:
    """Read a page as a browser does: its status, its bytes as they came, the seconds, its headers."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "br, gzip", "Accept": "text/html"})
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, data, time.perf_counter() - began, {k.lower(): v for k, v in answer.getheaders()}
    finally:
        connection.close()


def weight(address: str) -> int:
    """The bytes of the first page with its styles, scripts and pictures, compressed, with their headers."""
    found = {"/"}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", "/")
    text = connection.getresponse().read().decode()
    connection.close()
    for element in re.findall(r"<(?:link|script|img|use)\b[^>]*>", text):
        for given in re.findall(r'(?:href|src)="([^"#]+)', element):
            found.add(urljoin("/", given))
    total = 0
    for path in found:
        status, data, _, headers = read(address, path)
        assert status == 200, f"{path} answers {status}"
        total += len(data) + sum(len(name) + len(value) + 4 for name, value in headers.items())
    return total


def together(address: str, paths: list[str], seconds: float) -> tuple[list[float], int]:
    """Have all readers read for a while; the seconds that each page took, and how many failed."""
    taken: list[float] = []
    failed: list[str] = []
    until = time.monotonic() + seconds

    def reader(number: int) -> None:
        chance = random.Random(number)
        time.sleep(chance.uniform(0, READING))
        while time.monotonic() < until:
            try:
                status, _, passed, _ = read(address, chance.choice(paths))
                taken.append(passed)
                if status != 200:
                    failed.append(str(status))
            except (OSError, http.client.HTTPException) as error:
                failed.append(str(error))
            time.sleep(chance.uniform(0.5, 1.5) * READING)

    _all(reader)
    return taken, len(failed)


def at_the_same_moment(address: str, path: str) -> tuple[list[float], int]:
    """Have all readers ask for a page in the same moment; the seconds that each waited, and how many failed."""
    taken: list[float] = []
    gate = threading.Barrier(READERS)

    def reader(number: int) -> None:
        gate.wait()
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, _, passed, _ = read(address, path)
            if status == 200:
                taken.append(passed)

    _all(reader)
    return taken, READERS - len(taken)


def _all(reader: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=reader, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def percentile(values: list[float], part: float) -> float:
    """The value below which a part of the values lies."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def main() -> None:
    """Serve the example with some reports, read it, and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with workplace() as folder:
        first = datetime.date(2013, 1, 1)
        last = first + datetime.timedelta(days=REPORTS - 1)
        words = ["--start", str(first), "--stop", str(last), "--template", "daily", "--local-scheduler"]
        backfill = [str(Path(sys.executable).parent / "luigi"), "--module", "workflows", "Backfill", *words]
        subprocess.run(backfill, cwd=folder, check=True, capture_output=True)
        with served(folder) as address:
            made = [
                path.parent.relative_to(folder / "data/store")
                for path in folder.glob("data/store/ReportTask/*/*/provenance.json")
            ]
            paths = [
                "/",
                "/?template=daily",
                f"/?date={first}",
                "/?words=daily",
                "/calendar",
                "/requests/",
                "/templates/",
            ]
            paths += [f"/reports/{path}" for path in made[:5]] + [
                f"/reports/{path}?tab=provenance" for path in made[:2]
            ]
            for path in paths * 3:
                status = read(address, path)[0]
                assert status == 200, f"{path} answers {status}"
            alone = {path: statistics.median(read(address, path)[2] for _ in range(10)) for path in paths}
            for path, took in alone.items():
                print(f"one reader  {took * 1000:6.1f} ms  {path}")
            one = statistics.median(alone.values())
            taken, failed = together(address, paths, seconds)
            high = percentile(taken, 0.95)
            print(f"{READERS} readers: {len(taken)} pages in {seconds:g} s, {failed} errors")
            print(
                f"median {statistics.median(taken) * 1000:.1f} ms, 95th percentile {high * 1000:.1f} ms: {high / one:.2f} times one reader's {one * 1000:.1f} ms (goal 3)"
            )
            burst, failed = at_the_same_moment(address, "/")
            print(
                f"all in the same moment: median {statistics.median(burst) * 1000:.0f} ms, the last {max(burst) * 1000:.0f} ms, {failed} errors"
            )
            print(f"the first page with all that it loads: {weight(address) / 1000:.1f} kB (goal 60)")


if __name__ == "__main__":
    main()
