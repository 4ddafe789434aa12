"""The graph of what a report was made from: kin together, each once, nothing left out."""

from __future__ import annotations

from collections.abc import Sequence

from workflows.answers.origin import Made, Origin
from workflows.store.provenance import Provenance
from workflows.web.reports.origin_graph import HEIGHT, MOST, WIDTH, Branch, graph


def made(task: str, date: str, version: str, inputs: Sequence[str] = (), is_kept: bool = True) -> Made:
    given = [{"task": "", "version": one, "digest": "", "date": date} for one in inputs]
    environment = {"python": "3.11", "packages": {}}
    code = {"digest": "", "files": {}, "commit": None, "dirty": False}
    record = Provenance(task, version, {"date": date}, code, environment, given, {}, "", 0.0, "", "", "")
    return Made(task, date, version, record if is_kept else None)


def origin(*results: Made) -> Origin:
    return Origin(results[0], {one.version: one for one in results})


def test_the_days_before_stand_together_and_the_day_itself_apart() -> None:
    """As people tell them: Flights of the day, and 28 before that only the expectation used."""
    before = [made("Flights", f"2013-02-{n + 1:02}", f"f{n}") for n in range(28)]
    found = graph(
        origin(
            made("Report", "2013-03-08", "r", ["a"]),
            made("Anomalies", "2013-03-08", "a", ["day", "e"]),
            made("Expected", "2013-03-08", "e", [f"f{n}" for n in range(28)]),
            made("Flights", "2013-03-08", "day"),
            *before,
        )
    )
    assert [group.name for group in found.groups] == [
        "Report 2013-03-08",
        "Anomalies 2013-03-08",
        "Flights 2013-03-08",
        "Expected 2013-03-08",
        "Flights ×28",
    ]
    assert found.groups[4].span == "2013-02-01 … 2013-02-28"
    assert len(found.lines) == 4
    assert found.left == 0


def test_what_two_results_used_is_told_once() -> None:
    results = origin(
        made("R", "-", "r", ["a", "b"]), made("A", "-", "a", ["c"]), made("B", "-", "b", ["c"]), made("C", "-", "c")
    )
    tree = graph(results).tree
    assert [[below.is_above for below in branch.below] for branch in tree.below] == [[False], [True]]


def test_no_two_boxes_overlap() -> None:
    inputs = [f"t{n}" for n in range(12)]
    found = graph(
        origin(
            made("R", "-", "r", inputs), *(made(f"T{n}", "-", f"t{n}", ["q"]) for n in range(12)), made("Q", "-", "q")
        )
    )
    places = [(box.x, box.y) for box in found.boxes]
    assert len(set(places)) == 14
    assert all(abs(a[0] - b[0]) >= WIDTH or abs(a[1] - b[1]) >= HEIGHT for a in places for b in places if a is not b)


def test_what_the_store_no_longer_has_is_said() -> None:
    found = graph(origin(made("R", "-", "r", ["a"]), made("A", "-", "a", is_kept=False)))
    assert (found.groups[1].kind, found.groups[1].note) == ("gone", "not in the store")


def test_of_very_many_the_rest_is_counted() -> None:
    chain = [made("Day", f"d{n}", f"v{n}", [f"v{n + 1}"] if n < 299 else []) for n in range(300)]
    found = graph(origin(*chain))
    assert (len(found.groups), found.left) == (MOST, 300 - MOST)
    assert depth(found.tree) == MOST


def depth(branch: Branch) -> int:
    return 1 + max(map(depth, branch.below), default=0)


def test_a_forged_circle_ends() -> None:
    found = graph(origin(made("R", "-", "r", ["a"]), made("A", "-", "a", ["r"])))
    assert {group.title for group in found.groups} == {"R", "A"}
