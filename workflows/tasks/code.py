"""The code that makes results: its closure, its environment, and the line in it that an error came from."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import luigi
from luigi.configuration import get_config
from luigi.task_register import Register

from workflows.identity.canonical import digest
from workflows.identity.closure import Code, CodeIndex
from workflows.identity.environment import Environment
from workflows.identity.sources import statements_text
from workflows.tasks.project import current

# What code asks Luigi's configuration by, and the sections that are about running.
_ASKING = (b"get_config", b"luigi.configuration", b"LuigiConfigParser", b"LuigiTomlParser")
_OURS = frozenset(
    {"workflows", "core", "worker", "scheduler", "retcode", "email", "execution_summary", "ReportTask", "Backfill"}
)


def class_code(cls: type, *others: tuple[str, str] | None) -> Code:
    """The code closure of a task's class, with further definitions it refers to by module and name."""
    names = (*_names(cls), *filter(None, others))
    # All pipelines are loaded by the process that runs a task, so what they change in one another counts.
    return current().once(names, lambda: _configured(_code_index().of_definitions(names, current().settings.pipelines)))


def _configured(code: Code) -> Code:
    """A closure with the sections of luigi.cfg that its code asks for."""
    config = get_config()
    asked = any(_asks(code, file) for file in code.files)
    for section in config.sections() if asked else _sections(code):
        if section not in _OURS and config.has_section(section):
            name, found = f"luigi.cfg [{section}]", digest(dict(config[section]))
            code |= Code({name: found}, frozenset(), {name: {"": found}})
    return code


def _asks(code: Code, file: str) -> bool:
    """Whether what a closure reaches of a file asks for Luigi's configuration."""
    source = code.sources.get(file, b"")
    if not any(name in source for name in _ASKING):
        return False
    reached = statements_text(source.decode("utf-8", "replace"), code.definitions.get(file, ())).encode()
    return any(name in reached for name in _ASKING)


def _sections(code: Code) -> list[str]:
    """The families of the configuration classes that a closure reaches."""
    configs = [cls for cls in Register._reg if isinstance(cls, type) and issubclass(cls, luigi.Config)]
    found = []
    for cls in configs:
        module = current().code.modules.get(cls.__module__)
        reached = code.definitions.get(current().code.modules.label(module), {}) if module else {}
        if cls.__qualname__ in reached or "" in reached:
            found.append(cls.get_task_family())
    return found


def module_code(module: str) -> Code:
    """The code closure of a whole module."""
    return current().code.of_definitions([(module, "")])


def _names(cls: type) -> list[tuple[str, str]]:
    """Where a class is defined and, if a function or a call makes it, where it is bound."""
    defined = (cls.__module__, cls.__qualname__)
    if vars(sys.modules[cls.__module__]).get(cls.__qualname__) is cls:
        return [defined]
    index, found = current().code, []
    for module, loaded in list(sys.modules.items()):
        # Only the project's own modules can be asked, because others may make what they are asked for.
        if index.modules.get(module):
            found += [(module, name) for name, value in list(vars(loaded).items()) if value is cls]
    return [defined, *found]


def _code_index() -> CodeIndex:
    """The index of code, told which of its classes are tasks by now."""
    index = current().code
    classes = (cls for cls in Register._reg if hasattr(cls, "code_closure"))
    index.tasks = {(cls.__module__, cls.__qualname__) for cls in classes}
    return index


def environment_of(code: Code) -> Environment:
    """The environment of a code closure; every table is read and written by pandas and pyarrow, whoever imports them."""
    imports = frozenset({*code.imports, "pandas", "pyarrow"})
    return current().once(imports, lambda: Environment.of_imports(imports, current().installed))


def module_folder(cls: type) -> Path:
    """The folder of the module that defines a class, where its SQL files lie."""
    file = getattr(sys.modules[cls.__module__], "__file__", None)
    return Path(file).parent if file else Path.cwd()


def place_of(error: BaseException) -> str:
    """Where an exception came from: the last frame of the project's own code, in parentheses, for a sentence's end."""
    frames = traceback.extract_tb(error.__traceback__)
    root = f"{current().settings.root}{os.sep}"
    own = [frame for frame in frames if current().scope.kind(frame.filename) == "own"]
    frame = (own or list(frames))[-1]
    return f" ({frame.filename.removeprefix(root)}, line {frame.lineno}: {frame.line})"
