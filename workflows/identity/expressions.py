"""What expressions say by themselves: modules imported by a name in the text, parts of a path, what a value holds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from workflows.identity.scopes import IMPORTED


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
