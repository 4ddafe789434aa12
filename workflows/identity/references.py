"""How a statement's names are read as references, with the scopes of its functions and classes in mind."""

from __future__ import annotations

import ast

from workflows.identity.expressions import imported_by_name, is_sys_modules, left
from workflows.identity.scopes import Scope
from workflows.identity.syntax import reads_docs
from workflows.identity.unit import CALLED, Unit
from workflows.identity.vocabulary import ASKING, DYNAMIC

# What methods call the class that they are called on, by custom.
_CLASSES = frozenset({"cls", "mcls", "mcs", "metacls"})


class References(ast.NodeVisitor):
    """Notes what a statement uses and changes."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._scopes: list[Scope] = []
        self._inside = 0
        self._is_required = False
        self._is_hook = False
        self._binds = False

    def read(self, statement: ast.stmt) -> None:
        self._unit.reads_docs = any(reads_docs(node) for node in ast.walk(statement))
        self.visit(statement)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(self._reference(node))
            self._dynamic(node.id)
        else:
            self._bind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._dynamic(node.attr)
        if is_sys_modules(node):
            self._undecided("sys.modules")
        references = self._reference(node)
        if not references:
            self.visit(node.value)
        elif imported_by_name(left(node)) is not None:
            self._load(f"{references[0].partition(':')[0]}:")
        self._use(references)
        if not isinstance(node.ctx, ast.Load):
            self._change_attribute(node)
            self._change(references or self._changed_by(node.value))

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if (module := imported_by_name(node)) is not None:
            self._use([module])
            return
        if not isinstance(node.ctx, ast.Load):
            self._change_locally(node.value)
            self._change(self._changed_by(node.value))
        self.generic_visit(node)

    def _reference(self, node: ast.AST) -> list[str]:
        """The chains of names that an expression may be; none where it starts from a local value."""
        rest: list[str] = []
        while isinstance(node, ast.Attribute):
            rest.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            bases = self._bases(node.id)
            if rest and rest[0] in ASKING and self._inside and not self._is_required:
                # Who asks for its inputs by itself uses the tasks, and not only their results.
                self._unit.asks_inputs = True
        elif (module := imported_by_name(node)) is not None:
            bases = [module]
        else:
            return []
        return [".".join([base, *rest]).replace(":.", ":") for base in bases]

    def _bases(self, name: str) -> list[str]:
        """What a name stands for: itself at the top level, imports of a function, nothing where it is local."""
        found: list[str] = []
        for depth, scope in enumerate(reversed(self._scopes)):
            if scope.is_class and depth:
                continue
            if name in scope.shared:
                break
            if name in scope.imports:
                return [*found, *scope.imports[name]]
            if name in scope.names:
                if not scope.is_class:
                    return found
                # In a class body, a name that the body binds later is still the one outside.
                continue
        return [*found, name]

    def _use(self, references: list[str]) -> None:
        (self._unit.uses_required if self._is_required else self._unit.uses).extend(references)
        if not self._inside:
            self._unit.now += references

    def _change(self, references: list[str]) -> None:
        (self._unit.changes_inside if self._inside else self._unit.changes).extend(references)

    def _changed_by(self, node: ast.AST) -> list[str]:
        """What a method's call changes: the object at the left end, or what a call of it gave, past those in between."""
        is_given, is_method, is_part = False, False, False
        while True:
            found = self._reference(node)
            if found or not isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
                given = [f"{one}.{CALLED}" for one in found] if is_given else []
                return given if is_given and not is_part else [*found, *given]
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "vars" and node.args:
                node = node.args[0]
            else:
                # What hangs on the object that a call gave may belong to others, too.
                is_part |= not is_method and not isinstance(node, ast.Call)
                is_method = isinstance(node, ast.Call)
                is_given |= is_method
                node = node.func if isinstance(node, ast.Call) else node.value

    def _change_locally(self, node: ast.AST) -> None:
        attribute, depth = "", 0
        while isinstance(node, ast.Attribute | ast.Subscript):
            depth += 1
            attribute = node.attr if isinstance(node, ast.Attribute) else attribute
            if _is_own_class(node.value) and self._inside:
                self._unit.changes_inside += self._unit.names
            node = node.value
        if not self._inside or not isinstance(node, ast.Name) or self._reference(node):
            return
        if node.id in _CLASSES and any(scope.is_class for scope in self._scopes):
            self._unit.changes_inside += self._unit.names
        elif node.id != "self":
            self._unit.changes_locals |= bool(depth) or node.id not in self._scopes[-1].fresh
        elif any(scope.is_class and attribute in scope.names for scope in self._scopes):
            # What the class holds is the same for all of its instances.
            self._unit.changes_inside += self._unit.names

    def _change_attribute(self, node: ast.Attribute) -> None:
        """An attribute that a function sets: of its class, or of something that it was given."""
        if self._inside and _is_own_class(node.value):
            self._unit.changes_inside += self._unit.names
        elif getattr(left(node), "id", "") != "self" and not self._is_hook:
            self._change_locally(node.value)

    def _bind(self, name: str) -> None:
        if not self._scopes:
            self._unit.names.append(name)
        elif any(name in scope.shared for scope in self._scopes):
            self._unit.changes_inside.append(name)

    def _load(self, target: str) -> None:
        (self._unit.loads_inside if self._inside else self._unit.loads).append(target)

    def _dynamic(self, name: str) -> None:
        if name in DYNAMIC:
            self._undecided(DYNAMIC[name])

    def _undecided(self, why: str) -> None:
        self._unit.undecided = self._unit.undecided or why
        self._unit.undecided_now = self._unit.undecided_now or not self._inside


def _is_own_class(node: ast.AST) -> bool:
    """Whether an expression is `type(self)` or `self.__class__`."""
    is_type = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "type"
    return is_type or (isinstance(node, ast.Attribute) and node.attr == "__class__")
