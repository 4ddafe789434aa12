"""What of a source text counts for its digest, and what does not."""

from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.identity.canonical import canonical_json, digest
from workflows.identity.syntax import digest_python, normal_sql
from workflows.identity.version import version_of


def digest_of(source: str) -> str:
    return digest_python(ast.parse(source))


SAME = [
    ("x = 1", "x = 1  # one"),
    ("x = 1", "# one\n\n\nx   =   1\n"),
    ("x = 1", "x = (1)"),
    ("x = 'a'", 'x = "a"'),
    ("x = 1000", "x = 1_000"),
    ("x = 255", "x = 0xff"),
    ("x = 'ab'", "x = 'a' 'b'"),
    ("x = 'a'", "x = u'a'"),
    ("x = 1; y = 2", "x = 1\ny = 2"),
    ("f(a, b)", "f(\n    a,\n    b,\n)"),
    ("def f():\n    return 1", 'def f():\n    """One."""\n    return 1'),
    ("def f():\n    'One.'\n    return 1", "def f():\n    'Eins.'\n    return 1"),
    ("async def f():\n    return 1", "async def f():\n    'One.'\n    return 1"),
    ("class A:\n    x = 1", "class A:\n    '''An A.'''\n    x = 1"),
    ("x = 1", "'''A module.'''\nx = 1"),
    ("def f(): return 1", "def f():\n\treturn 1"),
    ("x = 1  # type: int", "x = 1"),
    ("def f():\n    x = 1\n    'text'", "def f():\n    x = 1"),
    ("for x in y: pass", "for x in y: pass\nelse: ..."),
    ("if a:\n    b\nelse:\n    if c:\n        d", "if a:\n    b\nelif c:\n    d"),
]
OTHER = [
    ("x = 1", "x = 2"),
    ("x = 1", "y = 1"),
    ("x = 1", "x = 1.0"),
    ("x = 1", "x = True"),
    ("x = 1", "x = '1'"),
    ("x = 'a'", "x = b'a'"),
    ("x = None", "x = 'None'"),
    ("x = 0.0", "x = -0.0"),
    ("x = 1", "x: int = 1"),
    ("x = 1", "x += 1"),
    ("x = a + b", "x = a - b"),
    ("x = a + b", "x = b + a"),
    ("x = (a, b)", "x = [a, b]"),
    ("x = {a: b}", "x = {a, b}"),
    ("x = a < b", "x = a <= b"),
    ("x = 'a'", "x = f'a'"),
    ("x = f'{a}'", "x = f'{a!r}'"),
    ("x = f'{a:.1f}'", "x = f'{a:.2f}'"),
    ("f(a)", "f(*a)"),
    ("f(a)", "f(a=a)"),
    ("f(a=1, b=2)", "f(b=2, a=1)"),
    ("{**a}", "{'a': a}"),
    ("def f(a): pass", "def f(a=None): pass"),
    ("def f(a): pass", "def f(*, a): pass"),
    ("def f(a): pass", "def f(a, /): pass"),
    ("def f(a, b=1): pass", "def f(a=1, b=1): pass"),
    ("def f(*, a=1, b): pass", "def f(*, a, b=1): pass"),
    ("def f(a): pass", "def f(a: int): pass"),
    ("def f(): pass", "def f() -> int: pass"),
    ("def f(): pass", "@cached\ndef f(): pass"),
    ("def f(): pass", "async def f(): pass"),
    ("def f():\n    return", "def f():\n    return None"),
    ("def f():\n    return 1", "def f():\n    yield 1"),
    ("class A: pass", "class A(B): pass"),
    ("class A(B): pass", "class A(metaclass=B): pass"),
    ("import a", "import b"),
    ("import a", "import a as b"),
    ("from a import b", "from .a import b"),
    ("from a import b", "from a import *"),
    ("global_ = 1", "x = lambda: 1"),
    ("for x in y: z", "while y: z"),
    ("try: a\nexcept B: c", "try: a\nexcept C: c"),
    ("try: a\nexcept B: c", "try: a\nexcept* B: c"),
    ("try: a\nfinally: c", "try: a\nexcept: c"),
    ("raise A", "raise A from B"),
    ("with a: pass", "with a as b: pass"),
    ("x = a if b else c", "x = c if b else a"),
    ("x = [a for a in b]", "x = [a for a in b if a]"),
    ("x = [a for a in b]", "x = (a for a in b)"),
    ("a[b]", "a[b:]"),
    ("a[1:2]", "a[1:2:1]"),
    ("if a: b", "if a: b\nelse: c"),
    ("a; b", "b; a"),
    ("if a:\n    b\nc", "if a:\n    b\n    c"),
    ("x = not a", "x = -a"),
    ("a and b", "a or b"),
    ("(a and b) or c", "a and (b or c)"),
    ("del a", "a"),
    ("assert a", "assert a, b"),
    ("match a:\n    case 1: b", "match a:\n    case x: b"),
    ("match a:\n    case [b]: c", "match a:\n    case [*b]: c"),
    ("x = 'a\\u0301'", "x = '\\u00e1'"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_program_has_the_same_digest(one: str, other: str) -> None:
    assert digest_of(one) == digest_of(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_program_has_another_digest(one: str, other: str) -> None:
    assert digest_of(one) != digest_of(other)


def test_no_two_programs_of_the_list_are_taken_for_one_another() -> None:
    programs = {ast.unparse(ast.parse(source)) for pair in OTHER for source in pair}
    assert len({digest_of(source) for source in programs}) == len(programs)


@pytest.mark.parametrize("reading", ["print(__doc__)", "print(f.__doc__)"])
def test_docstrings_count_where_the_module_reads_them(reading: str) -> None:
    assert digest_of(f"'One.'\ndef f():\n    'a'\n{reading}") != digest_of(f"'Two.'\ndef f():\n    'a'\n{reading}")
    assert digest_of(f"def f():\n    'a'\n{reading}") != digest_of(f"def f():\n    'b'\n{reading}")


def test_lone_surrogates_in_source_are_digested() -> None:
    assert digest_of("x = '\\ud800'") != digest_of("x = '\\ud801'")


SAME_SQL = [
    ("SELECT 1", "SELECT   1"),
    ("SELECT 1", "\n SELECT\n\t1 ;\n"),
    ("SELECT a FROM b", "SELECT a -- the a\nFROM b"),
    ("SELECT a FROM b", "SELECT a /* the\n a; 'x */ FROM b"),
    ("SELECT a FROM b", "-- it's a comment\nSELECT a FROM b"),
    ("SELECT 'x' FROM b", "SELECT 'x' /* ' */   FROM b"),
]
OTHER_SQL = [
    ("SELECT 1", "SELECT 2"),
    ("SELECT a FROM b", "SELECT A FROM b"),
    ("SELECT ab", "SELECT a b"),
    ("SELECT 'a b'", "SELECT 'a  b'"),
    ("SELECT 'a--b'", "SELECT 'a'"),
    ("SELECT 'a /* b */'", "SELECT 'a '"),
    ("SELECT 'it''s  b'", "SELECT 'it''s b'"),
    ('SELECT "a  b"', 'SELECT "a b"'),
    ('SELECT "a""  b"', 'SELECT "a"" b"'),
    ("SELECT `a  b`", "SELECT `a b`"),
    ("SELECT [a  b]", "SELECT [a b]"),
    ("SELECT [a -- b]", "SELECT [a ]"),
    ("SELECT $$a  b$$", "SELECT $$a b$$"),
    ("SELECT $x$a  'b$x$", "SELECT $x$a 'b$x$"),
    ("SELECT E'it\\'s  b'", "SELECT E'it\\'s b'"),
    ("SELECT 'a;'", "SELECT 'a'"),
]


@pytest.mark.parametrize(("one", "other"), SAME_SQL)
def test_comments_and_layout_of_sql_do_not_count(one: str, other: str) -> None:
    assert normal_sql(one) == normal_sql(other)


@pytest.mark.parametrize(("one", "other"), OTHER_SQL)
def test_all_else_of_sql_counts(one: str, other: str) -> None:
    assert normal_sql(one) != normal_sql(other)


@given(st.text(alphabet="ab '\"`[]-/*;\n:$", max_size=30))
def test_normal_sql_is_normal(text: str) -> None:
    assert normal_sql(normal_sql(text)) == normal_sql(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_canonical_json_is_json_of_the_same_value(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(), st.integers(), min_size=2, max_size=5))
def test_the_order_of_keys_does_not_count(value: dict[str, int]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), ({1}, TypeError), (b"x", TypeError)])
def test_what_json_cannot_hold_has_no_digest(value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        digest(value)


def test_every_part_of_a_recipe_changes_the_version() -> None:
    base = {"task": "T", "parameters": {"a": "1"}, "code": "c", "environment": "e", "inputs": ["x", "y"]}
    others = [
        {"task": "U"},
        {"parameters": {"a": "2"}},
        {"parameters": {"b": "1"}},
        {"code": "d"},
        {"environment": "f"},
        {"inputs": ["y", "x"]},
        {"inputs": ["xy"]},
        {"inputs": []},
        {"fingerprint": "p"},
        {"fingerprint": ""},
    ]
    versions = [version_of(**{**base, **other}) for other in [{}, *others]]  # type: ignore[arg-type]
    assert len(set(versions)) == len(versions)
    assert all(len(version) == 64 and int(version, 16) >= 0 for version in versions)


def test_a_version_is_the_same_for_ever() -> None:
    """Whoever changes this value makes every stored result of every user stale: the release notes must say so."""
    found = version_of("T", {"date": "2013-01-15"}, "c" * 64, "e" * 64, ["1" * 64], "f" * 64)
    assert found == "aa81d6cef180e248a9f6fbe05ff0f9b4d1a40a2213ef1b4bd60d4a50824886fd"
