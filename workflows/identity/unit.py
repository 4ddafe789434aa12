"""What one statement of a module's top level does: the names it binds, uses, runs and changes."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.identity.scopes import IMPORTED, Scope, bound, declared, imports, keep, target
from workflows.identity.syntax import digest_python, reads_docs, without_docstring

# A reference is a dotted chain of names: `table.update`, from a name of the module's top level, or with an import in front.
EVERYTHING = "*"
UNKNOWN = "?"
"""What is called, where it is none of these."""

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
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# Methods that change their object, by the names that Python and its libraries give them.
CHANGING = frozenset(
    [
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "insert",
        "pop",
        "popitem",
        "popleft",
        "put",
        "register",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "update",
    ]
)
# Methods that leave their object as it is.
_READING = frozenset(
    [
        "as_posix",
        "astype",
        "casefold",
        "copy",
        "count",
        "date",
        "decode",
        "difference",
        "encode",
        "endswith",
        "exists",
        "find",
        "findall",
        "format",
        "fullmatch",
        "get",
        "groupby",
        "head",
        "index",
        "intersection",
        "is_dir",
        "is_file",
        "isdigit",
        "isoformat",
        "items",
        "join",
        "joinpath",
        "keys",
        "lower",
        "lstrip",
        "match",
        "mean",
        "merge",
        "partition",
        "read_bytes",
        "read_text",
        "relative_to",
        "removeprefix",
        "removesuffix",
        "replace",
        "resolve",
        "rpartition",
        "rsplit",
        "rstrip",
        "search",
        "split",
        "splitlines",
        "startswith",
        "strftime",
        "strip",
        "sub",
        "sum",
        "tail",
        "time",
        "title",
        "tolist",
        "total_seconds",
        "union",
        "upper",
        "values",
        "with_name",
        "with_suffix",
    ]
)
# Functions that leave what they are given as it is; what begins with a capital letter is a constructor.
TAKING = frozenset(
    [
        "abs",
        "all",
        "any",
        "array",
        "asarray",
        "asdict",
        "bool",
        "bytes",
        "callable",
        "concat",
        "copy",
        "cumsum",
        "date_range",
        "deepcopy",
        "dict",
        "divmod",
        "dumps",
        "enumerate",
        "escape",
        "exp",
        "field",
        "filter",
        "float",
        "format",
        "frozenset",
        "getattr",
        "getLogger",
        "hasattr",
        "hash",
        "id",
        "int",
        "isinstance",
        "issubclass",
        "iter",
        "join",
        "len",
        "linspace",
        "list",
        "loads",
        "log",
        "map",
        "max",
        "mean",
        "median",
        "merge",
        "min",
        "namedtuple",
        "ones",
        "partial",
        "pow",
        "print",
        "quantile",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "sorted",
        "sqrt",
        "std",
        "str",
        "sum",
        "to_datetime",
        "to_numeric",
        "to_timedelta",
        "tuple",
        "type",
        "unique",
        "vars",
        "wraps",
        "zeros",
        "zip",
    ]
)
_ITERATORS = frozenset(
    [
        "chain",
        "count",
        "cycle",
        "enumerate",
        "filter",
        "islice",
        "iter",
        "map",
        "open",
        "product",
        "reader",
        "repeat",
        "reversed",
        "takewhile",
        "zip",
    ]
)
_KEPT = frozenset(["partial", "attrgetter", "itemgetter", "methodcaller", "compile", "lru_cache", "cache"])
_DYNAMIC = {
    "__globals__": "__globals__",
    "__subclasses__": "__subclasses__()",
    "_getframe": "sys._getframe()",
    "currentframe": "inspect.currentframe()",
    "eval": "eval()",
    "exec": "exec()",
    "getmembers": "inspect.getmembers()",
    "getmodule": "inspect.getmodule()",
    "globals": "globals()",
}
# How a Luigi task asks for the tasks that it requires.
_ASKING = frozenset({"requires", "deps", "clone", "clone_parent", "input"})
_AT_NAMES = re.compile(r"@([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_UNPICKLING = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "joblib"})
# Luigi's own decorators of tasks that name other tasks.
_LUIGI = frozenset({"requires", "inherits"})
_FILE_NAME = re.compile(r"[^\n\r\0<>|:*?\"]{1,200}")


@dataclass
class Unit:
    """One statement of a module's top level."""

    names: list[str] = field(default_factory=list)
    """What it binds."""
    digest: str = ""
    documented: str = ""
    """The digest with docstrings."""
    uses: list[str] = field(default_factory=list)
    """Every reference in it, wherever it stands, but for the following."""
    uses_required: list[str] = field(default_factory=list)
    """The references in a class's `requires`, whose tasks count as inputs and not as code."""
    now: list[str] = field(default_factory=list)
    """The references that are evaluated while the module is imported."""
    loads: list[str] = field(default_factory=list)
    """What it imports."""
    loads_inside: list[str] = field(default_factory=list)
    """What its functions import when they are called."""
    runs: list[str] = field(default_factory=list)
    """What is called while the module is imported: functions, decorators, bases."""
    registers: list[str] = field(default_factory=list)
    """The decorators that register what they decorate."""
    decorates: list[str] = field(default_factory=list)
    """The objects whose methods are its decorators."""
    aliases: list[str] = field(default_factory=list)
    """The objects that what it binds is, or holds."""
    passes: list[list[str]] = field(default_factory=list)
    """Calls while the module is imported: what is called, and the names that it is given."""
    is_iterator: bool = False
    """Whether it binds something that is used up by reading it."""
    keeps_state: bool = False
    """Whether it binds something that a call may change: what another call gave, a function with a list as default."""
    is_fixed: bool = False
    """Whether it binds a value that cannot be changed, such as a number."""
    changes_locals: bool = False
    """Whether its functions change what they are given."""
    bare: list[str] = field(default_factory=list)
    """What is called while the module is imported and has its result thrown away, so for what it does elsewhere."""
    changes: list[str] = field(default_factory=list)
    """What is changed in place while the module is imported."""
    changes_inside: list[str] = field(default_factory=list)
    """What its functions change when they are called."""
    bare_inside: list[str] = field(default_factory=list)
    """What its functions call for what it does elsewhere."""
    files: list[str] = field(default_factory=list)
    """Texts that may name a file."""
    undecided: str = ""
    """What makes its reach undecidable, if anything does."""
    undecided_now: bool = False
    """Whether that happens while the module is imported."""
    reads_docs: bool = False
    asks_inputs: bool = False
    """Whether code beside `requires` asks for the required tasks."""
    is_definition: bool = False
    """Whether it is a function or a class."""
    is_compound: bool = False
    """Whether it holds other statements: a condition, a loop."""
    targets: dict[str, list[str]] = field(default_factory=dict)
    """The names that it binds by import, each with what they stand for."""


def read(statement: ast.stmt) -> Unit:
    """What a statement does."""
    unit = Unit(digest=digest_python(statement, documented=False), documented=digest_python(statement, documented=True))
    unit.is_definition = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    unit.is_definition |= isinstance(getattr(statement, "value", None), ast.Lambda)
    unit.is_compound = hasattr(statement, "body") and not unit.is_definition
    _Reader(unit).read(statement)
    if unit.asks_inputs:
        unit.uses, unit.uses_required = unit.uses + unit.uses_required, []
    for name, value in vars(unit).items():
        if isinstance(value, list) and name != "passes":
            setattr(unit, name, list(dict.fromkeys(value)))
    return unit


class _Reader(ast.NodeVisitor):
    """Collects what one statement of the top level does."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._scopes: list[Scope] = []
        self._inside = 0
        self._is_required = False
        self._binds = False

    def read(self, statement: ast.stmt) -> None:
        self._unit.reads_docs = any(reads_docs(node) for node in ast.walk(statement))
        self.visit(statement)

    # Names

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(self._reference(node))
            self._dynamic(node.id)
        else:
            self._bind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._dynamic(node.attr)
        if _is_sys_modules(node):
            self._undecided("sys.modules")
        references = self._reference(node)
        if not references:
            self.visit(node.value)
        elif _imported_by_name(_left(node)) is not None:
            self._load(f"{references[0].partition(':')[0]}:")
        self._use(references)
        if not isinstance(node.ctx, ast.Load):
            self._change(references or self._changed_by(node.value))

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if (module := _imported_by_name(node)) is not None:
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
            if rest and rest[0] in _ASKING and self._inside and not self._is_required:
                # Who asks for its inputs by itself uses the tasks, and not only their results.
                self._unit.asks_inputs = True
        elif (module := _imported_by_name(node)) is not None:
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

    def _bind(self, name: str) -> None:
        if not self._scopes:
            self._unit.names.append(name)
        elif any(name in scope.shared for scope in self._scopes):
            self._unit.changes_inside.append(name)

    # Imports

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

    def _load(self, target: str) -> None:
        (self._unit.loads_inside if self._inside else self._unit.loads).append(target)

    # Calls

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
        elif name in ("load", "loads") and called and called[0].partition(".")[0].strip("@:") in _UNPICKLING:
            self._undecided("what is unpickled")
        elif name == "next" and node.args:
            self._change(self._changed_by(node.args[0]))
        if isinstance(node.func, ast.Attribute) and (name in CHANGING or (not self._inside and name not in _READING)):
            self._change_locally(node.func.value)
            (self._change if name in CHANGING else self._touch)(self._changed_by(node.func.value))
        self._join(node.args)
        if name in ("getattr", "hasattr", "setattr", "delattr") and len(node.args) > 1 and self._named_attribute(node):
            self._use(self._attribute(node))
            for part in (node.func, *node.args[1:]):
                self.visit(part)
        else:
            self.generic_visit(node)

    def _pass(self, node: ast.Call, called: list[str]) -> None:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        names = [found for part in given for found in self._reference(getattr(part, "value", part))]
        self._unit.passes += [[one, *names] for one in called if names]

    def _touch(self, references: list[str]) -> None:
        """Methods of which nobody knows whether they change their object are taken to do so."""
        self._unit.decorates += references

    def _change_locally(self, node: ast.AST) -> None:
        attribute = ""
        while isinstance(node, ast.Attribute | ast.Subscript):
            attribute = node.attr if isinstance(node, ast.Attribute) else attribute
            node = node.value
        if not self._inside or not isinstance(node, ast.Name) or self._reference(node):
            return
        if node.id not in ("self", "cls"):
            self._unit.changes_locals = True
        elif any(scope.is_class and attribute in scope.names for scope in self._scopes):
            # What the class holds is the same for all of its instances.
            self._unit.changes_inside += self._unit.names

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

    def visit_Assign(self, node: ast.Assign) -> None:
        self._alias(node.value)
        module = _imported_by_name(node.value)
        name = node.targets[0]
        if isinstance(node.value, ast.Call) and isinstance(name, ast.Name) and name.id == "_" and not self._scopes:
            self._unit.bare += self._reference(node.value.func)
        if module is not None and not self._scopes and isinstance(name, ast.Name):
            self._import(name.id, module, module)
        else:
            self.generic_visit(node)

    def _alias(self, value: ast.expr) -> None:
        if self._scopes:
            return
        self._unit.aliases += [found for part in _held(value) for found in self._reference(part)]
        called = value.func if isinstance(value, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if isinstance(value, ast.Call) and name in _KEPT:
            self._unit.aliases += [found for part in value.args for found in self._reference(part)]
        if called is not None and name.startswith("get"):
            # `getcontext()`, `getLogger()`: what others get, too.
            self._unit.aliases += self._reference(called)
        is_fixed = all(isinstance(part, _FIXED) for part in ast.walk(value))
        self._unit.is_fixed = is_fixed and (self._unit.is_fixed or not self._binds)
        self._unit.is_iterator |= isinstance(value, ast.GeneratorExp) or name in _ITERATORS
        self._unit.keeps_state |= called is not None and name not in _KEPT
        self._binds = True

    def visit_For(self, node: ast.For) -> None:
        self._alias(node.iter)
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call):
            called = self._reference(call.func)
            (self._unit.bare_inside if self._inside else self._unit.bare).extend(called)
            if isinstance(call.func, ast.Attribute):
                self._change_locally(call.func.value)
                self._change(self._changed_by(call.func.value))
            if not self._inside:
                for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                    self._change(self._reference(argument))
                if not called and not self._changed_by(call.func):
                    self._unit.bare.append(UNKNOWN)
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        if not self._inside:
            self._unit.bare.append(UNKNOWN)
        self.generic_visit(node)

    def _attribute(self, node: ast.Call) -> list[str]:
        """What getattr() or setattr() names: the attribute, or everything of the object where its name is computed."""
        objects = self._reference(node.args[0])
        named = node.args[1] if len(node.args) > 1 else None
        name = named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else EVERYTHING
        return [f"{found}{'' if found.endswith(':') else '.'}{name}" for found in objects]

    def _changed_by(self, node: ast.AST) -> list[str]:
        """What a method's call changes: the object at the left end, past the calls in between."""
        while True:
            found = self._reference(node)
            if found or not isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
                return found
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "vars" and node.args:
                node = node.args[0]
            else:
                node = node.func if isinstance(node, ast.Call) else node.value

    def _import_by_name(self, node: ast.Call) -> None:
        module = _imported_by_name(node)
        if module is not None:
            self._load(module)
            self._use([module])
        else:
            # What it gives is seen when it runs.
            self._undecided("an import by a computed name")

    # Texts that may name a file

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._file(node.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Div):
            self._join(_operands(node))
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

    # Scopes

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name)
        for decorator in node.decorator_list:
            self._decorate(decorator)
        if node.name == "requires" and len(self._scopes) == 1 and self._scopes[0].is_class:
            self._required(lambda: self._function(node))
        else:
            self._function(node)

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
        scope = Scope(True, set(bound(node.body)))
        self._within(scope, without_docstring(node.body))

    def _required(self, visit: Callable[[], None]) -> None:
        self._is_required = True
        visit()
        self._is_required = False

    def _decorate(self, decorator: ast.expr) -> None:
        named = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(named).rpartition(".")[2] in _LUIGI:
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
        else:
            self._annotation(node.returns)
            body = without_docstring(node.body)
        shared = set(declared(body))
        scope = Scope(False, (names | set(bound(body))) - shared, shared=shared)
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
        self.visit(node.value)

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

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        self.visit(node.target)
        if node.value:
            self._alias(node.value)
            self.visit(node.value)

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

    # What cannot be decided

    def _dynamic(self, name: str) -> None:
        if name in _DYNAMIC:
            self._undecided(_DYNAMIC[name])

    def _undecided(self, why: str) -> None:
        self._unit.undecided = self._unit.undecided or why
        self._unit.undecided_now = self._unit.undecided_now or not self._inside


def _left(node: ast.AST) -> ast.AST:
    """What a chain of attributes starts from."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def _held(value: ast.expr) -> Iterator[ast.expr]:
    """What a value is, or holds, without what calls give."""
    if isinstance(value, ast.Tuple | ast.List | ast.Set):
        for part in value.elts:
            yield from _held(part)
    elif isinstance(value, ast.Dict | ast.BoolOp):
        for part in value.values:
            yield from _held(part)
    elif isinstance(value, ast.IfExp):
        yield from _held(value.body)
        yield from _held(value.orelse)
    elif isinstance(value, ast.Starred | ast.NamedExpr | ast.Subscript):
        yield from _held(value.value)
    else:
        yield value


def _is_sys_modules(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "modules"
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    )


def _imported_by_name(node: ast.AST) -> str | None:
    """The module that `import_module("acme.rules")` or `sys.modules["acme.rules"]` gives, where the name is in the text."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and _is_sys_modules(node.value):
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


def _operands(node: ast.expr) -> list[ast.expr]:
    """The parts of `a / b / c`, in order."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return [*_operands(node.left), node.right]
    return [node]


def is_elsewhere(test: ast.expr) -> bool:
    """Whether a condition holds only in a program or for a type checker, and so not on import."""
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__":
        right = test.comparators[0]
        return isinstance(test.ops[0], ast.Eq) and isinstance(right, ast.Constant) and right.value == "__main__"
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
