"""Outputs of cells and ids in them, without chance and clock."""

from __future__ import annotations

import os
import uuid
from multiprocessing import get_context
from typing import Any

import nbformat
import pytest

from workflows.notebooks.outputs import settled
from workflows.notebooks.repeatable import Ids


def printed(name: str, text: str) -> Any:
    return nbformat.v4.new_output("stream", name=name, text=text)


def shown(**data: str) -> Any:
    return nbformat.v4.new_output("display_data", data={kind.replace("_", "/"): text for kind, text in data.items()})


def test_what_was_printed_in_pieces_is_one_piece() -> None:
    pieces = [printed("stdout", "a"), printed("stdout", "b\n"), printed("stderr", "c"), printed("stdout", "d")]
    assert [(output.name, output.text) for output in settled(pieces)] == [
        ("stdout", "ab\n"),
        ("stderr", "c"),
        ("stdout", "d"),
    ]


def test_what_is_shown_between_keeps_its_place() -> None:
    found = settled([printed("stdout", "a"), shown(text_plain="figure"), printed("stdout", "b")])
    assert [output.output_type for output in found] == ["stream", "display_data", "stream"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<Axes at 0x7f1c2a80>", "<Axes at 0x…>"),
        ("[<matplotlib.lines.Line2D at 0x7f8b1c2a80d0>, 1]", "[<matplotlib.lines.Line2D at 0x…>, 1]"),
        ("&lt;object object at 0x7f8b1c2a80d0&gt;", "&lt;object object at 0x…&gt;"),
        ("the jump at 0x7f8b1c2a80d0 is far", "the jump at 0x7f8b1c2a80d0 is far"),
        ("0x7f8b1c2a80d0>", "0x7f8b1c2a80d0>"),
    ],
)
def test_addresses_in_memory_are_left_out_and_other_numbers_stay(text: str, expected: str) -> None:
    assert settled([shown(text_plain=text)])[0].data["text/plain"] == expected
    assert settled([printed("stdout", text)])[0].text == expected


def test_an_address_that_was_printed_in_two_pieces_is_left_out() -> None:
    assert settled([printed("stdout", "<A at 0x7f8b"), printed("stdout", "1c2a80>")])[0].text == "<A at 0x…>"


def drawn(ids: Ids, *cells: str) -> list[uuid.UUID]:
    found = []
    for cell in cells:
        ids.begin(cell)
        found += [ids.draw(), ids.draw()]
    return found


def test_ids_are_those_of_the_seed_and_the_cell() -> None:
    assert drawn(Ids("a"), "x", "y") == drawn(Ids("a"), "x", "y")
    assert len({*drawn(Ids("a"), "x", "y", "x"), *drawn(Ids("b"), "x")}) == 8


def test_ids_of_a_cell_do_not_depend_on_the_cells_before() -> None:
    assert drawn(Ids("a"), "x", "y")[2:] == drawn(Ids("a"), "y")


def test_ids_have_the_form_of_random_ones() -> None:
    found = drawn(Ids("a"), "x")[0]
    assert (found.version, found.variant) == (4, uuid.RFC_4122)


def test_ids_before_the_first_cell_are_random() -> None:
    assert Ids("a").draw() != Ids("a").draw()


def test_child_processes_draw_at_random() -> None:
    """Two that draw the same would write to the same file."""
    ids = Ids("a")
    ids.begin("x")
    with get_context("fork").Pool(2) as pool:
        others = pool.map(_ask, [ids] * 4)
    assert len({ids.draw(), *others}) == 5
    assert os.getpid() == ids._owner


def _ask(ids: Ids) -> uuid.UUID:
    return ids.draw()
