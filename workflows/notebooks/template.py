"""Templates: notebooks in the templates folder, read without being run."""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from workflows.errors import ParameterError, TemplateError
from workflows.identity.canonical import digest, digest_bytes
from workflows.identity.memo import Memo
from workflows.identity.outline import outline
from workflows.identity.syntax import digest_python
from workflows.notebooks.parameters import MISSING, Parameter, ParametersCell, plain
from workflows.notebooks.types import KNOWN, UnknownType

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
_FORMAT = 4


@dataclass(frozen=True)
class Template:
    """One notebook of the templates folder."""

    name: str
    path: Path
    notebook: dict[str, Any]
    """The notebook as JSON, multi-line texts joined."""
    cell: ParametersCell
    index: int
    """The position of the parameters cell among all cells, from 0."""
    digest: str
    """What a report can show of it: code without comments and layout, text cells, and the report's options."""
    cells: dict[str, Any]
    """What its code cells use, under the template's digest."""
    source: bytes
    """The file as it was read."""

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by name, in the order of the cell."""
        return self.cell.parameters

    @property
    def tables(self) -> dict[str, str]:
        """The parameters that hold a table, each with the stage or query that makes it."""
        return {name: parameter.table for name, parameter in self.parameters.items() if parameter.table is not None}

    @property
    def values(self) -> dict[str, Any]:
        """The defaults of the parameters that hold no table."""
        return {name: p.default for name, p in self.parameters.items() if p.table is None and p.default is not MISSING}

    @property
    def title(self) -> str:
        """The first heading, or the name."""
        for cell in self.notebook["cells"]:
            heading = (
                re.search(r"^#+\s+(.+)$", cell["source"], re.MULTILINE) if cell["cell_type"] == "markdown" else None
            )
            if heading:
                return heading[1].strip()
        return self.name

    @property
    def shows_code(self) -> bool:
        """Whether the author wants reports to open with their code shown."""
        return self._options.get("code") == "shown"

    @property
    def is_in_all(self) -> bool:
        """Whether `all` templates include it: one that is about no date says `{"parcours": {"all": false}}`."""
        return self._options.get("all") is not False

    @property
    def _options(self) -> dict[str, Any]:
        """What the notebook's metadata ask of Parcours."""
        options = self.notebook["metadata"].get("parcours")
        return options if isinstance(options, dict) else {}

    @cached_property
    def code_cells(self) -> list[int]:
        """The positions of the code cells, from 0."""
        return [index for index, cell in enumerate(self.notebook["cells"]) if cell["cell_type"] == "code"]

    def validated(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Values from JSON, each as its parameter's type; raises ParameterError before anything runs."""
        values = {}
        for name, value in given.items():
            if name in self.cell.derived:
                raise ParameterError.derived(self.name, name, self.cell.derived[name])
            parameter = self.parameters.get(name)
            if parameter is None:
                raise ParameterError.unknown(
                    self.name, name, [known for known in self.parameters if known not in self.tables]
                )
            if parameter.table is not None:
                raise ParameterError.table(self.name, name, parameter.table)
            try:
                values[name] = parameter.type.validated(value)
            except ValueError as error:
                raise ParameterError.wrong(self.name, name, value, str(error)) from error
        return values

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The notebook with these values in the parameters cell, without outputs."""
        notebook = copy.deepcopy(self.notebook)
        notebook["cells"][self.index]["source"] = self.cell.filled(values)
        for index in self.code_cells:
            notebook["cells"][index].update(outputs=[], execution_count=None)
        return notebook

    def json_schema(self) -> dict[str, Any]:
        """The signature as JSON Schema: one property for each parameter that can be set."""
        free = [parameter for parameter in self.parameters.values() if parameter.table is None]
        properties = {}
        for parameter in free:
            properties[parameter.name] = parameter.type.json_schema()
            if parameter.description:
                properties[parameter.name].setdefault("description", parameter.description)
            if parameter.default is not MISSING:
                from workflows.notebooks.values import as_json

                properties[parameter.name]["default"] = as_json(parameter.default)
        return {
            "title": self.name,
            "type": "object",
            "properties": properties,
            "required": [parameter.name for parameter in free if parameter.default is MISSING],
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class Templates:
    """The folder of templates."""

    folder: Path
    memo: Memo
    """What cells were found to be, by the bytes of the notebook."""

    def names(self) -> list[str]:
        """The names of all templates, ascending."""
        return sorted(path.stem for path in self.folder.glob("*.ipynb") if _NAME.fullmatch(path.stem))

    def read(self, name: str) -> Template:
        """Read a template; raises TemplateError for everything that would stop it before it runs."""
        if not _NAME.fullmatch(name):
            raise TemplateError.bad_name(name)
        path = self.folder / f"{name}.ipynb"
        try:
            data = path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise TemplateError.missing(name, self.folder, self.names()) from error
        except OSError as error:
            raise TemplateError.not_a_notebook(name, path, f"it cannot be read ({error.strerror})") from error
        return self.of_bytes(name, path, data)

    def of_bytes(self, name: str, path: Path, data: bytes) -> Template:
        """The template in a notebook's bytes; raises TemplateError for what could not run."""
        notebook = _notebook(name, path, data)
        key = digest_bytes(data)
        known = self.memo.get(key)
        trees = {} if known else {index: _tree(name, notebook, index) for index in _code_cells(notebook)}
        index = _parameters_index(name, notebook)
        cell = self._cell(name, notebook, index)
        if known is None:
            _check_defaults(name, cell)
            cells = outline(ast.Module([statement for tree in trees.values() for statement in tree.body], []))
            known = {**cells.as_json(), "digest": _digest(notebook, trees)}
            self.memo.put(key, known)
        return Template(name, path, notebook, cell, index, known["digest"], known, data)

    def _cell(self, name: str, notebook: dict[str, Any], index: int) -> ParametersCell:
        above = [cell["source"] for cell in notebook["cells"][:index] if cell["cell_type"] == "code"]
        try:
            return ParametersCell.read(notebook["cells"][index]["source"], "\n".join(map(plain, above)))
        except SyntaxError as error:
            raise _syntax(name, notebook, index, error) from error


def _notebook(name: str, path: Path, data: bytes) -> dict[str, Any]:
    """The notebook in a file's bytes, with sources joined and metadata everywhere."""
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise TemplateError.not_a_notebook(name, path, f"it is no JSON ({error})") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise TemplateError.not_a_notebook(name, path, "it has no list of cells")
    if notebook.get("nbformat") != _FORMAT:
        raise TemplateError.not_a_notebook(name, path, f"it is of format {notebook.get('nbformat')!r}")
    try:
        _settle(notebook, "metadata", dict)
        for cell in notebook["cells"]:
            if not isinstance(cell["cell_type"], str) or not isinstance(cell["source"], str | list):
                raise TypeError
            if isinstance(cell["source"], list):
                cell["source"] = "".join(map(str, cell["source"]))
            _settle(_settle(cell, "metadata", dict), "tags", list)
        _name_cells(notebook)
    except (KeyError, TypeError) as error:
        why = "one of its cells has no type or no source, or its metadata are no table"
        raise TemplateError.not_a_notebook(name, path, why) from error
    language = _language(notebook["metadata"])
    if language.lower() not in ("python", "ipython"):
        raise TemplateError.other_language(name, language)
    return notebook


def _name_cells(notebook: dict[str, Any]) -> None:
    """Give each cell an id of its own: where one is missing, nbformat would draw one by lot for every report."""
    taken: set[str] = set()
    for number, cell in enumerate(notebook["cells"]):
        if not isinstance(cell.get("id"), str) or cell["id"] in taken:
            cell["id"] = f"cell-{number}"
        taken.add(cell["id"])
    notebook["nbformat_minor"] = 5


def _settle(part: dict[str, Any], key: str, kind: type) -> Any:
    """What is under a key, made where it is missing; raises TypeError where it is of another kind."""
    if part.get(key) is None:
        part[key] = kind()
    if not isinstance(part[key], kind):
        raise TypeError
    return part[key]


def _language(metadata: dict[str, Any]) -> str:
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        given = metadata.get(part)
        if isinstance(given, dict) and isinstance(given.get(key), str):
            return str(given[key])
    return "python"


def _code_cells(notebook: dict[str, Any]) -> list[int]:
    return [index for index, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"]


def _parameters_index(name: str, notebook: dict[str, Any]) -> int:
    code = _code_cells(notebook)
    if not code:
        raise TemplateError.no_parameters_cell(name)
    tagged = [index for index in code if "parameters" in notebook["cells"][index]["metadata"]["tags"]]
    return (tagged or code)[0]


def _tree(name: str, notebook: dict[str, Any], index: int) -> ast.Module:
    """A code cell's syntax tree; IPython's own syntax is translated first where plain Python does not parse."""
    source = notebook["cells"][index]["source"]
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        tree = compile(plain(source), "<cell>", "exec", flags)
        # What the parser lets through and the compiler does not: a `return` outside of a function.
        compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError) as error:
        raise _syntax(name, notebook, index, error) from error
    assert isinstance(tree, ast.Module)
    return tree


def _syntax(name: str, notebook: dict[str, Any], index: int, error: SyntaxError | ValueError) -> TemplateError:
    line = getattr(error, "lineno", None) or 1
    lines = notebook["cells"][index]["source"].split("\n")
    text = lines[line - 1] if line <= len(lines) else ""
    cell = _code_cells(notebook).index(index) + 1
    return TemplateError.syntax(name, cell, line, text, getattr(error, "msg", str(error)))


def _check_defaults(name: str, cell: ParametersCell) -> None:
    for parameter in cell.parameters.values():
        if parameter.table is not None:
            continue
        try:
            if parameter.default is not MISSING:
                if not parameter.type.fits(parameter.default):
                    parameter.type.validated(parameter.default)
            else:
                parameter.type.json_schema()
        except UnknownType as error:
            raise TemplateError.bad_annotation(name, parameter.name, str(error), KNOWN) from error
        except ValueError as error:
            raise TemplateError.bad_default(name, parameter.name, parameter.default, str(error)) from error


def _digest(notebook: dict[str, Any], trees: Mapping[int, ast.Module]) -> str:
    cells = []
    for index, cell in enumerate(notebook["cells"]):
        shown = [digest_python(trees[index])] if index in trees else [cell["source"], cell.get("attachments", {})]
        cells.append([cell["cell_type"], sorted(map(str, cell["metadata"]["tags"])), *shown])
    return digest([cells, notebook["metadata"].get("parcours")])
