"""What expressions say by themselves: modules imported by a name in the text, parts of a path, what a value holds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from workflows.identity.scopes import IMPORTED
from workflows.identity.unit import CALLED, PLAIN, UNKNOWN
from workflows.identity.vocabulary import CHANGING, ITERATORS, READING, TAKING

_MAKING = frozenset({"__init__", "__init_subclass__", "__new__", "__post_init__"})


def left(node: ast.AST) -> ast.AST:
    """What a chain of attributes starts from."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def held(value: ast.expr) -> Iterator[ast.expr]:
    """What a value is, or holds, without what calls give."""
    if isinstance(value, ast.Tuple | ast.List | ast.Set):
        for part in value.elts:
            yield from held(part)
    elif isinstance(value, ast.Dict | ast.BoolOp):
        for part in value.values:
            yield from held(part)
    elif isinstance(value, ast.IfExp):
        yield from held(value.body)
        yield from held(value.orelse)
    elif isinstance(value, ast.Starred | ast.NamedExpr | ast.Subscript):
        yield from held(value.value)
    else:
        yield value


def kinds(value: ast.expr, refer: Callable[[ast.AST], list[str]]) -> list[str]:
    """What a value is made of; `refer` gives the references that an expression may be."""
    if isinstance(value, ast.Constant | ast.JoinedStr | ast.Compare | ast.Lambda):
        return [PLAIN]
    parts = _parts(value)
    if parts is not None:
        return [PLAIN, *(kind for part in parts for kind in kinds(part, refer))]
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        called = refer(value.func)
        if name in ITERATORS:
            return [UNKNOWN]
        return [f"{found}.{CALLED}" for found in called] or _parts_of(value.func, refer)
    if isinstance(value, ast.Attribute | ast.Subscript):
        return refer(value) or _parts_of(value, refer)
    return refer(value) or [UNKNOWN]


def _parts_of(value: ast.expr, refer: Callable[[ast.AST], list[str]]) -> list[str]:
    """What an attribute, an item, or what a method gives is made of: of something, but not it."""
    whole = kinds(value.value, refer) if isinstance(value, ast.Attribute | ast.Subscript) else [UNKNOWN]
    return [kind if kind in (PLAIN, UNKNOWN) else f"{kind}.{CALLED}" for kind in whole]


def _parts(value: ast.expr) -> list[ast.expr] | None:
    """What a value holds or is worked out from, without calls."""
    if isinstance(value, ast.List | ast.Tuple | ast.Set):
        return value.elts
    if isinstance(value, ast.Dict | ast.BoolOp):
        return value.values
    if isinstance(value, ast.BinOp):
        return [value.left, value.right]
    if isinstance(value, ast.UnaryOp):
        return [value.operand]
    if isinstance(value, ast.IfExp):
        return [value.body, value.orelse]
    if isinstance(value, ast.Starred | ast.NamedExpr | ast.Await):
        return [value.value]
    if isinstance(value, ast.ListComp | ast.SetComp):
        return [value.elt]
    return [value.value] if isinstance(value, ast.DictComp) else None


def changes_itself(node: ast.ClassDef) -> bool:
    """Whether the methods of a class may change their object after it was made."""
    methods = (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(_changes_self(part) for part in methods if part.name not in _MAKING)


def _changes_self(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    def is_own(part: ast.AST) -> bool:
        while isinstance(part, ast.Attribute | ast.Subscript):
            part = part.value
        return isinstance(part, ast.Name) and part.id == "self"

    inside: set[int] = set()
    for part in ast.walk(method):
        if isinstance(part, ast.Attribute | ast.Return) and isinstance(part.value, ast.Name):
            inside.add(id(part.value))
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load) and is_own(part):
            return True
        if isinstance(part, ast.Call) and _may_change(part, is_own):
            return True
    return any(is_own(part) and isinstance(part, ast.Name) and id(part) not in inside for part in ast.walk(method))


def _may_change(call: ast.Call, is_own: Callable[[ast.AST], bool]) -> bool:
    """Whether a call may change what hangs on an object: as its method, or because it is given to it."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, ast.Attribute | ast.Subscript) and is_own(owner) and name not in READING:
        return True
    if isinstance(owner, ast.Call) and getattr(owner.func, "id", "") == "super" and name in CHANGING:
        return True
    return name not in TAKING and not name[:1].isupper() and any(is_own(part) for part in call.args)


def is_sys_modules(node: ast.AST) -> bool:
    """Whether an expression is `sys.modules`."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "modules"
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    )


def imported_by_name(node: ast.AST) -> str | None:
    """The module that `import_module("acme.rules")` or `sys.modules["acme.rules"]` gives, where the name is in the text."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and is_sys_modules(node.value):
        return f"{IMPORTED}{node.slice.value!s}:"
    if not isinstance(node, ast.Call) or not node.args:
        return None
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    name = node.args[0]
    if (
        called not in ("import_module", "__import__")
        or not isinstance(name, ast.Constant)
        or not isinstance(name.value, str)
    ):
        return None
    # Plain `__import__("acme.rules")` gives the package.
    return f"{IMPORTED}{name.value if called == 'import_module' else name.value.partition('.')[0]}:"


def operands(node: ast.expr) -> list[ast.expr]:
    """The parts of `a / b / c`, in order."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return [*operands(node.left), node.right]
    return [node]


def is_elsewhere(test: ast.expr) -> bool:
    """Whether a condition holds only in a program or for a type checker, and so not on import."""
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__":
        right = test.comparators[0]
        return isinstance(test.ops[0], ast.Eq) and isinstance(right, ast.Constant) and right.value == "__main__"
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
