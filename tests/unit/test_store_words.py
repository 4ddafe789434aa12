"""Words of a search: texts fall into them, and each is found by whatever it begins with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workflows.store.words import asked_in, beginnings, indexed, words_of


def test_a_word_with_dashes_and_dots_is_found_whole_and_by_its_parts() -> None:
    assert words_of(["airport_delay-4.5", "UA"]) == ["airport_delay-4.5", "airport", "delay", "4", "5", "ua"]
    assert asked_in("2013-01- threshold=4.5, (Straße)") == ["2013-01", "threshold", "4.5", "strasse"]


def test_a_report_has_a_bounded_number_of_words_of_bounded_length() -> None:
    found = words_of([" ".join(f"{n}{'x' * 500}" for n in range(10_000))])
    assert len(found) <= 150
    assert max(map(len, found)) <= 80


@given(st.text(alphabet="abcdefghij0123-é", min_size=1, max_size=60), st.data())
def test_a_word_is_found_by_every_beginning(word: str, data: st.DataObject) -> None:
    beginning = word[: data.draw(st.integers(1, len(word)))]
    length, first = indexed(beginning)
    [found] = [kept for size, kept in beginnings(word) if size == length]
    assert found.startswith(first)


@given(st.text())
def test_any_text_falls_into_words_that_are_found_in_themselves(text: str) -> None:
    kept = words_of([text])
    assert all(word in kept for word in asked_in(text)[:40])
    assert not any(word.split() != [word] for word in kept)
