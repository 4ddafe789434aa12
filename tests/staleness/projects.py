"""Projects made at random, which know what each of their stages truly reaches, and random edits of them.

A project's definitions only ever add: whatever value is raised, everything that reaches it becomes greater. So an edit
of a value changes exactly the stages that reach it, through other definitions or through the tables of other stages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from harness import PRELUDE, SETTINGS
from hypothesis import strategies as st

FORMS: dict[str, tuple[str, str]] = {
    "constant": ("{n} = {v} + {t}", "{n}"),
    "function": ("def {n}(x=1):\n    return x + {v} + {t}", "{n}()"),
    "default": ("def {n}(x={v} + {t}):\n    return x", "{n}()"),
    "lambda": ("{n} = [lambda: {v} + {t}]", "{n}[0]()"),
    "closure": ("def make_{n}(k):\n    def inner():\n        return k + {t}\n    return inner\n\n{n} = make_{n}({v})", "{n}()"),
    "partial": ("def raw_{n}(a, b):\n    return a + b + {t}\n\n{n} = functools.partial(raw_{n}, {v})", "{n}(1)"),
    "dispatch": ("def raw_{n}():\n    return {v} + {t}\n\n{n} = {{'key': raw_{n}}}", "{n}['key']()"),
    "updated": ("{n} = {{}}\n{n}.update(key={v} + {t})", "{n}['key']"),
    "filled": ("{n} = {{}}\nfor step_{n} in range(2):\n    {n}[step_{n}] = {v} + {t}", "{n}[1]"),
    "decorated": ("def add_{n}(f):\n    def wrapped():\n        return f() + {v}\n    return wrapped\n\n@add_{n}\ndef {n}():\n    return {t}", "{n}()"),
    "registered": ("KNOWN_{n} = {{}}\n\ndef register_{n}(f):\n    KNOWN_{n}[f.__name__] = f\n    return f\n\n@register_{n}\ndef first_{n}():\n    return {v} + {t}\n\ndef {n}():\n    return KNOWN_{n}['first_{n}']()", "{n}()"),
    "class": ("class {n}:\n    factor = {v}\n    def value(self):\n        return self.factor + {t}", "{n}().value()"),
    "derived": ("class Base{n}:\n    def value(self):\n        return {v}\n\nclass {n}(Base{n}):\n    def value(self):\n        return super().value() + {t}", "{n}().value()"),
    "property": ("class {n}:\n    @property\n    def value(self):\n        return {v} + {t}", "{n}().value"),
    "enum": ("class {n}(enum.Enum):\n    MEMBER = {v} + {t}", "{n}.MEMBER.value"),
    "dataclass": ("@dataclasses.dataclass\nclass {n}:\n    field: int = {v} + {t}", "{n}().field"),
    "coroutine": ("async def {n}():\n    def inner():\n        return {v} + {t}\n    return inner()", "asyncio.run({n}())"),
    "generator": ("def {n}():\n    def inner():\n        return {v} + {t}\n    yield inner()", "next({n}())"),
    "match": ("def {n}(x=1):\n    match x:\n        case 1:\n            return {v} + {t}", "{n}()"),
    "subclass hook": ("class Hook{n}:\n    def __init_subclass__(cls, more):\n        cls.more = more\n\nclass {n}(Hook{n}, more={v} + {t}):\n    pass", "{n}.more"),
    "set from outside": ("class {n}:\n    pass\n\n{n}.more = {v} + {t}", "{n}.more"),
    "cached": ("@functools.lru_cache\ndef {n}():\n    return {v} + {t}", "{n}()"),
    "cached property": ("class {n}:\n    @functools.cached_property\n    def value(self):\n        return {v} + {t}", "{n}().value"),
    "named tuple": ("class {n}(typing.NamedTuple):\n    field: int = {v} + {t}", "{n}().field"),
    "typed dict": ("class Keys{n}(typing.TypedDict):\n    key: int\n\n{n} = Keys{n}(key={v} + {t})", "{n}['key']"),
    "context manager": ("@contextlib.contextmanager\ndef {n}():\n    yield {v} + {t}", "contextlib.ExitStack().enter_context({n}())"),
    "logging": ("log_{n} = logging.getLogger(__name__)\n\ndef {n}():\n    log_{n}.info('a value')\n    return {v} + {t}", "{n}()"),
    "pattern": ("pattern_{n} = re.compile('(x)')\n\ndef {n}():\n    return len(pattern_{n}.findall('x' * ({v} + {t})))", "{n}()"),
    "comprehension": ("raw_{n} = {{'key': {v}}}\n{n} = {{key: value + {t} for key, value in raw_{n}.items()}}", "{n}['key']"),
    "sorted": ("{n} = sorted([{v} + {t}, 0])", "{n}[-1]"),
    "optional import": ("try:\n    from absent_{n} import number_{n}\nexcept ImportError:\n    number_{n} = {v}\n\n{n} = number_{n} + {t}", "{n}"),
    "for a type checker": ("if typing.TYPE_CHECKING:\n    from typing import Any\n\ndef {n}(x: 'Any' = 0):\n    return x + {v} + {t}", "{n}()"),
    "overloaded": ("@typing.overload\ndef {n}(x: int) -> int: ...\n@typing.overload\ndef {n}(x: str) -> str: ...\ndef {n}(x=1):\n    return {v} + {t}", "{n}()"),
    "protocol": ("class Shape{n}(typing.Protocol):\n    def value(self): ...\n\nclass {n}(Shape{n}):\n    def value(self):\n        return {v} + {t}", "{n}().value()"),
    "abstract class": ("class Shape{n}(abc.ABC):\n    pass\n\nclass Made{n}:\n    value = {v} + {t}\n\nShape{n}.register(Made{n})\n\ndef {n}():\n    return Made{n}.value if issubclass(Made{n}, Shape{n}) else 0", "{n}()"),
    "factory": ("class Made{n}:\n    def __init__(self, value):\n        self.value = value\n    @classmethod\n    def of(cls, value):\n        return cls(value)\n\n{n} = Made{n}.of({v} + {t})", "{n}.value"),
    "parser": ("def {n}():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--x', type=int, default={v} + {t})\n    return parser.parse_args([]).x", "{n}()"),
    "path": ("{n} = pathlib.PurePath('x' * ({v} + {t}), 'y').parent", "len({n}.with_suffix('.y').stem)"),
    "time span": ("{n} = datetime.timedelta(days={v} + {t})", "abs({n}).days"),
    "dispatched by type": ("@functools.singledispatch\ndef {n}(x):\n    return 0\n\n@{n}.register\ndef of_int_{n}(x: int):\n    return {v} + {t}", "{n}(1)"),
    "registry": ("class Registry{n}:\n    def __init__(self):\n        self.known = []\n    def enlist(self, value):\n        self.known.append(value)\n\n{n} = Registry{n}()\n{n}.enlist({v} + {t})", "{n}.known[0]"),
}  # fmt: skip
"""Each form of a definition: its text and the expression for its value, by its name n, value v and other terms t."""
STYLES = ("from", "from as", "module", "module as", "star")
LIBRARIES = (
    "abc", "argparse", "asyncio", "contextlib", "dataclasses", "datetime", "enum", "functools", "logging", "pathlib", "re", "typing",
)  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """A definition of a project."""

    name: str
    form: str
    module: int
    value: int
    uses: tuple[str, ...]
    """The definitions that it reaches directly, which are all older than it."""
    remark: int = 0
    """How often its comment was edited."""
    is_documented: bool = False

    def text(self, term: Callable[[str], str]) -> str:
        """Its lines; `term` is the expression for the value of another definition."""
        terms = " + ".join(map(term, self.uses)) or "0"
        text = FORMS[self.form][0].format(n=self.name, v=self.value, t=terms)
        if self.remark:
            text = f"# Remark {self.remark}.\n" + text.replace("\n", f"  # remark {self.remark}\n", 1)
        lines = text.split("\n")
        if self.is_documented and len(lines) == 2 and lines[0].startswith("def "):
            text = "\n".join([lines[0], '    """A docstring."""', "", *lines[1:]])
        return text


@dataclass(frozen=True)
class Work:
    """A stage of a project."""

    name: str
    value: int
    uses: tuple[str, ...]
    above: tuple[str, ...]
    """The stages whose tables it takes."""
    remark: int = 0


@dataclass(frozen=True)
class Project:
    """A project of some modules, definitions and stages."""

    modules: int
    style: int
    """How its modules import from one another."""
    definitions: tuple[Definition, ...]
    works: tuple[Work, ...]
    blank_lines: int = 1
    order: int = 0
    """The seed of the order in which definitions and imports stand."""

    @property
    def by_name(self) -> dict[str, Definition]:
        """The definitions."""
        return {found.name: found for found in self.definitions}

    def reached(self, *names: str) -> set[str]:
        """The definitions that some of them reach, with themselves."""
        known, found, waiting = self.by_name, set(), list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(known[name].uses)
        return found

    def reaching(self, name: str) -> frozenset[str]:
        """The stages that truly reach a definition or a stage, through code or through tables."""
        found: set[str] = set()
        for work in self.works:
            if work.name == name or name in self.reached(*work.uses) or found & set(work.above):
                found.add(work.name)
        return frozenset(found)

    def write(self, folder: Path) -> None:
        """Lay the project into a folder."""
        folder.mkdir(exist_ok=True)
        (folder / "luigi.cfg").write_text(SETTINGS)
        (folder / "acme.db").touch()
        for module in range(self.modules):
            (folder / f"part{module}.py").write_text(self._module(module))
        (folder / "acme.py").write_text(self._stages())

    def _module(self, module: int) -> str:
        own = self._ordered([found for found in self.definitions if found.module == module])
        used = [self.by_name[name] for found in own for name in found.uses]
        texts = [found.text(lambda name: self._term(name, module)) for found in own]
        return self._joined(self._imports(used, module), texts)

    def _stages(self) -> str:
        used = [self.by_name[name] for work in self.works for name in work.uses]
        return PRELUDE + self._joined(self._imports(used, self.modules), list(map(self._stage, self.works)))

    def _stage(self, work: Work) -> str:
        terms = [str(work.value), *(self._term(name, self.modules) for name in work.uses)]
        terms += [f"int(given[{n}].value[0])" for n in range(len(work.above))]
        required = ", ".join(f"{above}()" for above in work.above)
        lines = [
            f"class {work.name}(Stage):",
            "    def requires(self):",
            f"        return [{required}]",
            *(f"    # Remark {n}." for n in range(work.remark)),
            "    def compute(self, given):",
            f"        return table({' + '.join(terms)})",
        ]
        return "\n".join(lines)

    def _imports(self, used: list[Definition], into: int) -> list[str]:
        lines = [f"import {library}" for library in LIBRARIES]
        for found in used:
            if found.module != into:
                part = f"part{found.module}"
                lines.append(
                    {
                        "from": f"from {part} import {found.name}",
                        "from as": f"from {part} import {found.name} as {found.name}_here",
                        "module": f"import {part}",
                        "module as": f"import {part} as {part}_here",
                        "star": f"from {part} import *",
                    }[self._style(found.module, into)]
                )
        lines = sorted(set(lines))
        Random(self.order).shuffle(lines)
        return lines

    def _style(self, source: int, into: int) -> str:
        return STYLES[(self.style + source + 2 * into) % len(STYLES)]

    def _term(self, name: str, into: int) -> str:
        found = self.by_name[name]
        local = name
        if found.module != into:
            style = self._style(found.module, into)
            prefix = {"module": f"part{found.module}.", "module as": f"part{found.module}_here."}.get(style, "")
            local = f"{prefix}{name}{'_here' if style == 'from as' else ''}"
        return FORMS[found.form][1].format(n=local)

    def _ordered(self, found: list[Definition]) -> list[Definition]:
        """Some order in which each definition stands after those that it uses."""
        random, left, done = Random(self.order), list(found), []
        while left:
            free = [one for one in left if not any(other.name in one.uses for other in left)]
            done.append(random.choice(free))
            left.remove(done[-1])
        return done

    def _joined(self, imports: list[str], texts: list[str]) -> str:
        return "\n".join(imports) + "\n" + "".join("\n" * self.blank_lines + text + "\n" for text in texts)


@dataclass(frozen=True)
class Change:
    """A project after an edit, and what the edit makes run."""

    project: Project
    least: frozenset[str] = frozenset()
    """The stages whose results it changes: these must run."""
    most: frozenset[str] = frozenset()
    """The stages that reach what was edited: no other may run."""


def raise_value(project: Project, number: int) -> Change:
    """Another value in a definition."""
    old = project.definitions[number % len(project.definitions)]
    reaching = project.reaching(old.name)
    return Change(_with(project, old, replace(old, value=old.value + 1 + number % 5)), reaching, reaching)


def raise_stage(project: Project, number: int) -> Change:
    """Another value in a stage."""
    old = project.works[number % len(project.works)]
    reaching = project.reaching(old.name)
    return Change(_with_work(project, old, replace(old, value=old.value + 1)), reaching, reaching)


def use_more(project: Project, number: int) -> Change:
    """A definition that uses an older one more, which adds at least one to it."""
    at = number % len(project.definitions)
    old = project.definitions[at]
    free = [
        one.name for one in project.definitions[:at] if one.module <= old.module and old.name not in project.reached(one.name)
    ]  # fmt: skip
    if not free:
        return raise_value(project, number)
    reaching = project.reaching(old.name)
    return Change(_with(project, old, replace(old, uses=(*old.uses, free[number % len(free)]))), reaching, reaching)


def rename(project: Project, number: int) -> Change:
    """Another name for a definition, wherever it is used."""
    old = project.definitions[number % len(project.definitions)]
    new = _free(project, f"{old.name}_{number % 7}")

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if name == old.name else name for name in names)

    changed = replace(
        project,
        definitions=tuple(
            replace(one, name=new if one is old else one.name, uses=renamed(one.uses)) for one in project.definitions
        ),
        works=tuple(replace(work, uses=renamed(work.uses)) for work in project.works),
    )
    return Change(changed, most=project.reaching(old.name))


def move(project: Project, number: int) -> Change:
    """A definition in another module, from where everybody imports it."""
    old = project.definitions[number % len(project.definitions)]
    lowest = max((project.by_name[name].module for name in old.uses), default=0)
    highest = min((one.module for one in project.definitions if old.name in one.uses), default=project.modules - 1)
    places = [module for module in range(lowest, highest + 1) if module != old.module]
    if not places:
        return remark(project, number)
    return Change(
        _with(project, old, replace(old, module=places[number % len(places)])), most=project.reaching(old.name)
    )


def add_unused(project: Project, number: int) -> Change:
    """A definition that nobody uses."""
    forms = sorted(FORMS)
    added = Definition(
        name=_free(project, f"unused{number % 7}"),
        form=forms[number % len(forms)],
        module=number % project.modules,
        value=number % 11,
        uses=tuple(one.name for one in project.definitions[:1] if one.module <= number % project.modules),
    )
    return Change(replace(project, definitions=(*project.definitions, added)))


def drop_unused(project: Project, number: int) -> Change:
    """Without the definitions that nothing uses."""
    used = {name for one in (*project.definitions, *project.works) for name in one.uses}
    kept = tuple(one for one in project.definitions if one.name in used)
    return Change(replace(project, definitions=kept)) if kept else reorder(project, number)


def remark(project: Project, number: int) -> Change:
    """Another comment in a definition."""
    old = project.definitions[number % len(project.definitions)]
    return Change(_with(project, old, replace(old, remark=old.remark + 1)))


def remark_stage(project: Project, number: int) -> Change:
    """Another comment in a stage."""
    old = project.works[number % len(project.works)]
    return Change(_with_work(project, old, replace(old, remark=old.remark + 1)))


def document(project: Project, number: int) -> Change:
    """A docstring more, or less."""
    old = project.definitions[number % len(project.definitions)]
    return Change(_with(project, old, replace(old, is_documented=not old.is_documented)))


def lay_out(project: Project, number: int) -> Change:
    """Other blank lines."""
    return Change(replace(project, blank_lines=number % 4))


def reorder(project: Project, number: int) -> Change:
    """Another order of imports and of definitions that do not depend on one another."""
    return Change(replace(project, order=number))


EDITS = [
    raise_value,
    raise_stage,
    use_more,
    rename,
    move,
    add_unused,
    drop_unused,
    remark,
    remark_stage,
    document,
    lay_out,
    reorder,
]


def _free(project: Project, name: str) -> str:
    return _free(project, f"{name}x") if name in project.by_name else name


def _with(project: Project, old: Definition, new: Definition) -> Project:
    return replace(project, definitions=tuple(new if one is old else one for one in project.definitions))


def _with_work(project: Project, old: Work, new: Work) -> Project:
    return replace(project, works=tuple(new if one is old else one for one in project.works))


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """A project of 2 to 4 modules beside that of the stages, 5 to 15 definitions and 2 to 4 stages."""
    modules = draw(st.integers(2, 4))
    definitions: list[Definition] = []
    for number in range(draw(st.integers(5, 15))):
        module = draw(st.integers(0, modules - 1))
        older = [one.name for one in definitions if one.module <= module]
        definitions.append(
            Definition(
                name=f"name{number}",
                form=draw(st.sampled_from(sorted(FORMS))),
                module=module,
                value=draw(st.integers(1, 9)),
                uses=tuple(_some(draw, older, 2)),
            )
        )
    names = [one.name for one in definitions]
    works: list[Work] = []
    for number in range(draw(st.integers(2, 4))):
        above = tuple(_some(draw, [work.name for work in works], 1))
        works.append(Work(f"Stage{number}", draw(st.integers(1, 9)), tuple(_some(draw, names, 2)), above))
    return Project(modules, draw(st.integers(0, len(STYLES) - 1)), tuple(definitions), tuple(works))


def _some(draw: st.DrawFn, names: list[str], most: int) -> Iterator[str]:
    if names:
        yield from draw(st.lists(st.sampled_from(names), max_size=most, unique=True))
