"""What a statement's calls, imports and assignments do."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from workflows.identity.expressions import held, imported_by_name, kinds, operands
from workflows.identity.references import References
from workflows.identity.scopes import IMPORTED, target
from workflows.identity.unit import EVERYTHING, UNKNOWN
from workflows.identity.vocabulary import CHANGING, FILLING, ITERATORS, KEPT, READING, SHELL, TAKING, UNPICKLING

# What the values consist of that nothing can change.
_FIXED = (
    ast.Constant,
    ast.Tuple,
    ast.UnaryOp,
    ast.BinOp,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
)
_FILE_NAME = re.compile(r"[^\n\r\0<>|:*?\"]{1,200}")
_AT_NAMES = re.compile(r"@([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")


class Calls(References):
    """Notes what a statement runs, imports and binds."""

    def visit_Call(self, node: ast.Call) -> None:
        called = self._reference(node.func)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if not self._inside:
            self._unit.runs += called
            self._pass(node, called)
        if name in ("query", "eval"):
            self._at_names(node)
        if name in ("eval", "exec") and self._evaluates(node):
            return
        if name in ("locals", "vars") and not node.args and self._inside:
            self._use([target for scope in self._scopes for targets in scope.imports.values() for target in targets])
        if name in ("setattr", "delattr") and node.args:
            self._change(self._attribute(node))
        elif name in ("import_module", "__import__") and node.args:
            self._import_by_name(node)
        elif name in ("vars", "dir", "locals") and not node.args and not self._inside:
            self._undecided(f"{name}()")
        elif name in ("load", "loads") and called and called[0].partition(".")[0].strip("@:") in UNPICKLING:
            self._undecided("what is unpickled")
        elif name == "next" and node.args:
            self._change(self._changed_by(node.args[0]))
        if isinstance(node.func, ast.Attribute) and (name in CHANGING or (not self._inside and name not in READING)):
            self._change_locally(node.func.value)
            is_sure = name in CHANGING | FILLING or any(keyword.arg == "inplace" for keyword in node.keywords)
            (self._change if is_sure else self._touch)(self._changed_by(node.func.value))
        self._join(node.args)
        if name in SHELL:
            for text in ast.walk(node):
                for word in str(text.value).split() if isinstance(text, ast.Constant) else ():
                    self._file(word)
        if name in ("getattr", "hasattr", "setattr", "delattr") and len(node.args) > 1 and self._named_attribute(node):
            self._use(self._attribute(node))
            for part in (node.func, *node.args[1:]):
                self.visit(part)
        else:
            self.generic_visit(node)

    def _pass(self, node: ast.Call, called: list[str]) -> None:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        for part in given:
            if isinstance(part, ast.Attribute) and part.attr in CHANGING:
                # Whoever is given the method may call it.
                self._change(self._changed_by(part.value))
        if called and called[0].rpartition(".")[2].rpartition(":")[2][:1].islower():
            given = [inner for part in given for inner in held(getattr(part, "value", part))]
        names = [found for part in given for found in self._reference(getattr(part, "value", part))]
        self._unit.passes += [[one, *names] for one in called if names]

    def _touch(self, references: list[str]) -> None:
        """Methods of which nobody knows whether they change their object are taken to do so."""
        self._unit.decorates += references

    def _at_names(self, node: ast.Call) -> None:
        """What pandas takes from around it: `frame.query("x > @LIMIT")`."""
        for text in ast.walk(node):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                for name in _AT_NAMES.findall(text.value):
                    self._use(self._reference(ast.parse(name, mode="eval").body))

    def _evaluates(self, node: ast.Call) -> bool:
        """Whether the text that is evaluated is there to be read, as code in this place."""
        first = node.args[0] if node.args else None
        if not isinstance(node.func, ast.Name) or len(node.args) > 1 or not isinstance(first, ast.Constant):
            return False
        try:
            tree = ast.parse(str(first.value).strip())
        except (SyntaxError, ValueError):
            return False
        if any(isinstance(part, ast.stmt) and not isinstance(part, ast.Expr) for part in tree.body):
            return False
        for part in tree.body:
            self.visit(part)
        return True

    def _named_attribute(self, node: ast.Call) -> bool:
        """Whether a call takes an attribute by a name in its text, of something that has a name."""
        name = node.args[1]
        return isinstance(name, ast.Constant) and isinstance(name.value, str) and bool(self._reference(node.args[0]))

    def _attribute(self, node: ast.Call) -> list[str]:
        """What getattr() or setattr() names: the attribute, or everything of the object where its name is computed."""
        objects = self._reference(node.args[0])
        named = node.args[1] if len(node.args) > 1 else None
        name = named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else EVERYTHING
        return [f"{found}{'' if found.endswith(':') else '.'}{name}" for found in objects]

    def _import_by_name(self, node: ast.Call) -> None:
        module = imported_by_name(node)
        if module is not None:
            self._load(module)
            self._use([module])
        else:
            # What it gives is seen when it runs.
            self._undecided("an import by a computed name")

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            whole = f"{IMPORTED}{alias.name}:"
            bound = alias.asname or alias.name.partition(".")[0]
            self._import(bound, whole if alias.asname else f"{IMPORTED}{bound}:", whole)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            found = target(node, "" if alias.name == "*" else alias.name)
            self._import("" if alias.name == "*" else alias.asname or alias.name, found, found)

    def _import(self, bound: str, target: str, loaded: str) -> None:
        self._load(loaded)
        if bound and not self._scopes:
            self._unit.names.append(bound)
            self._unit.targets.setdefault(bound, []).append(target)
        elif self._scopes and self._scopes[-1].is_class:
            self._use([target])

    def visit_Assign(self, node: ast.Assign) -> None:
        self._alias(node.value)
        module = imported_by_name(node.value)
        name = node.targets[0]
        if isinstance(node.value, ast.Call) and isinstance(name, ast.Name) and name.id == "_" and not self._scopes:
            self._unit.bare += self._reference(node.value.func)
        if module is not None and not self._scopes and isinstance(name, ast.Name):
            self._import(name.id, module, module)
        else:
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        self.visit(node.target)
        if node.value:
            self._alias(node.value)
            self.visit(node.value)

    def visit_For(self, node: ast.For) -> None:
        self._alias(node.iter)
        self.generic_visit(node)

    def _alias(self, value: ast.expr) -> None:
        if not self._inside and all(scope.is_class for scope in self._scopes):
            self._unit.kinds += kinds(value, self._reference)
        if self._scopes:
            return
        self._unit.aliases += [found for part in held(value) for found in self._reference(part)]
        called = value.func if isinstance(value, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if isinstance(value, ast.Call) and name in KEPT:
            self._unit.aliases += [found for part in value.args for found in self._reference(part)]
        if called is not None and name.startswith("get"):
            # `getcontext()`, `getLogger()`: what others get, too.
            self._unit.aliases += self._reference(called)
        is_fixed = all(isinstance(part, _FIXED) for part in ast.walk(value))
        self._unit.is_fixed = is_fixed and (self._unit.is_fixed or not self._binds)
        self._unit.is_iterator |= isinstance(value, ast.GeneratorExp) or name in ITERATORS
        self._unit.keeps_state |= called is not None and name not in KEPT
        self._unit.made_by += self._reference(called) if called is not None else []
        self._binds = True

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.BinOp) and not self._inside:
            # Without an effect it would not stand there.
            for part in ast.walk(node.value):
                self._change(self._reference(part) if isinstance(part, ast.Name) else [])
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call):
            called = self._reference(call.func)
            (self._unit.bare_inside if self._inside else self._unit.bare).extend(called)
            if isinstance(call.func, ast.Attribute):
                self._change_locally(call.func.value)
                if call.func.attr not in READING:
                    self._change(self._changed_by(call.func.value))
            if not self._inside:
                taken = () if getattr(call.func, "id", "") in TAKING else call.args
                for argument in (*taken, *(keyword.value for keyword in call.keywords)):
                    self._change(self._reference(argument))
                if not called and not self._changed_by(call.func):
                    self._unit.bare.append(UNKNOWN)
        self.generic_visit(node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._unit.changes_locals = True

    def visit_Raise(self, node: ast.Raise) -> None:
        if not self._inside:
            self._unit.bare.append(UNKNOWN)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._file(node.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Div):
            self._join(operands(node))
        self.generic_visit(node)

    def _join(self, parts: Sequence[ast.expr]) -> None:
        """Texts that follow one another in a path."""
        texts: list[str] = []
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                texts.append(part.value)
                if len(texts) > 1:
                    self._file("/".join(texts))
            else:
                texts = []

    def _file(self, text: str) -> None:
        if ("." in text.strip(".") or "/" in text.strip("/")) and _FILE_NAME.fullmatch(text):
            self._unit.files.append(text)

    def _annotation(self, node: ast.expr | None) -> None:
        """An annotation; whoever asks for it at run time has its texts evaluated."""
        if node is None:
            return
        self.visit(node)
        for text in ast.walk(node):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                try:
                    self.visit(ast.parse(text.value.strip(), mode="eval").body)
                except (SyntaxError, ValueError):
                    continue
