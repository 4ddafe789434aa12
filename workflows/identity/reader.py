"""Statements of a module's top level, read without being run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from workflows.identity.calls import Calls
from workflows.identity.expressions import changes_itself, is_elsewhere, kinds
from workflows.identity.scopes import Scope, bound, declared, fresh, imports, keep
from workflows.identity.syntax import digest_python, without_docstring
from workflows.identity.unit import CALLED, PLAIN, UNKNOWN, Unit
from workflows.identity.vocabulary import REQUIRING

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def read(statement: ast.stmt) -> Unit:
    """What a statement does."""
    unit = Unit(digest=digest_python(statement, documented=False), documented=digest_python(statement, documented=True))
    unit.is_definition = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    unit.is_definition |= isinstance(getattr(statement, "value", None), ast.Lambda)
    unit.is_class = isinstance(statement, ast.ClassDef)
    unit.is_decorated = bool(getattr(statement, "decorator_list", None))
    unit.is_compound = hasattr(statement, "body") and not unit.is_definition
    _Reader(unit).read(statement)
    if unit.asks_inputs:
        unit.uses, unit.uses_required = unit.uses + unit.uses_required, []
    for name, value in vars(unit).items():
        if isinstance(value, list) and name != "passes":
            setattr(unit, name, list(dict.fromkeys(value)))
    return unit


class _Reader(Calls):
    """Follows a statement into its functions, classes and conditions."""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name)
        for decorator in node.decorator_list:
            self._decorate(decorator)
        if node.name == "requires" and len(self._scopes) == 1 and self._scopes[0].is_class:
            self._required(lambda: self._function(node))
        else:
            # The class that it is called with is the new one.
            self._is_hook = node.name == "__init_subclass__"
            self._function(node)
            self._is_hook = False

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        for decorator in node.decorator_list:
            self._decorate(decorator)
        for base in (*node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(base)
            if not self._inside:
                self._unit.runs += self._reference(base)
        if not self._scopes:
            self._unit.changes_self = changes_itself(node)
            bases = (found for base in node.bases for found in self._reference(base))
            self._unit.kinds += [PLAIN, *(f"{found}.{CALLED}" for found in bases)]
        scope = Scope(True, set(bound(node.body)))
        self._within(scope, without_docstring(node.body))

    def _required(self, visit: Callable[[], None]) -> None:
        self._is_required = True
        visit()
        self._is_required = False

    def _decorate(self, decorator: ast.expr) -> None:
        named = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(named).rpartition(".")[2] in REQUIRING:
            self._required(lambda: self.visit(decorator))
        else:
            self.visit(decorator)
        if not self._inside:
            self._unit.runs += self._reference(named)
            if "register" in ast.unparse(named):
                self._unit.registers += self._reference(named)
            if isinstance(named, ast.Attribute):
                self._unit.decorates += self._changed_by(named.value)

    def _function(self, node: _Function) -> None:
        arguments = node.args
        for default in (*arguments.defaults, *filter(None, arguments.kw_defaults)):
            self.visit(default)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [found for found in (arguments.vararg, arguments.kwarg) if found]
        for argument in every:
            self._annotation(argument.annotation)
        names = {argument.arg for argument in every}
        defaults = (*arguments.defaults, *filter(None, arguments.kw_defaults))
        if any(isinstance(default, ast.List | ast.Dict | ast.Set | ast.Call) for default in defaults):
            self._unit.keeps_state = True
        if isinstance(node, ast.Lambda):
            body: list[Any] = [node.body]
            self._unit.gives.append(UNKNOWN)
        else:
            self._annotation(node.returns)
            body = without_docstring(node.body)
        shared = set(declared(body))
        scope = Scope(False, (names | set(bound(body))) - shared, shared=shared, fresh=set(fresh(body)) - names)
        for imported in imports(body):
            keep(imported, scope.imports)
        self._inside += 1
        self._within(scope, body)
        self._inside -= 1

    def _comprehension(self, node: Any) -> None:
        names = {found.id for part in node.generators for found in ast.walk(part.target) if isinstance(found, ast.Name)}
        # Python evaluates the first one outside, where the names are not bound yet.
        self.visit(node.generators[0].iter)
        self._scopes.append(Scope(False, names))
        for part in ("key", "value", "elt"):
            if hasattr(node, part):
                self.visit(getattr(node, part))
        for number, generator in enumerate(node.generators):
            self.visit(generator.target)
            for inner in (*(() if number == 0 else (generator.iter,)), *generator.ifs):
                self.visit(inner)
        self._scopes.pop()

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def _within(self, scope: Scope, body: Sequence[ast.AST]) -> None:
        self._scopes.append(scope)
        for part in body:
            self.visit(part)
        self._scopes.pop()

    def visit_Compare(self, node: ast.Compare) -> None:
        is_none = all(isinstance(part, ast.Constant) and part.value is None for part in node.comparators)
        if is_none and isinstance(node.left, ast.Name):
            self._ask(node.left)
        else:
            self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._ask(node.test)
        self.visit(node.body)
        self.visit(node.orelse)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self._ask(node.operand) if isinstance(node.op, ast.Not) else self.visit(node.operand)

    def _ask(self, node: ast.expr) -> None:
        """Whether there is something: of a module, that it is one, and not what is in it."""
        references = self._reference(node) if isinstance(node, ast.Name) else []
        if references:
            self._use([f"{found}{'' if found.endswith(':') else '.'}__name__" for found in references])
        else:
            self.visit(node)

    def visit_If(self, node: ast.If) -> None:
        if not is_elsewhere(node.test):
            self._ask(node.test)
        for statement in (*(() if is_elsewhere(node.test) else node.body), *node.orelse):
            self.visit(statement)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._use(self._reference(node.target))
            self._change(self._reference(node.target))
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        # Inside a comprehension, too, it binds outside of it.
        if not self._inside and not any(scope.is_class for scope in self._scopes):
            self._unit.names.append(node.target.id)
        if not self._scopes:
            self._unit.kinds += kinds(node.value, self._reference)
        self.visit(node.value)

    def visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self._unit.is_generator |= len(self._scopes) == 1
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.visit_Yield(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and len(self._scopes) == 1 and not isinstance(node.value, ast.BinOp):
            self._unit.gives += kinds(node.value, self._reference)
        self.generic_visit(node)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        if not self._scopes:
            self._unit.kinds.append(UNKNOWN)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest)
        self.generic_visit(node)
